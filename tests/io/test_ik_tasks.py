"""Task sets of inverse kinematics, as OpenSim writes them."""

from pathlib import Path

import pytest

from monomsk.errors import FormatError
from monomsk.io import ik_tasks

SETUP = """<OpenSimDocument Version="40000"><InverseKinematicsTool><IKTaskSet><objects>
<IKMarkerTask name="a"><apply>true</apply><weight>2.5</weight></IKMarkerTask>
<IKMarkerTask name="b"><apply>false</apply><weight>1</weight></IKMarkerTask>
<IKCoordinateTask name="c"><apply>true</apply><weight>3</weight><value_type>manual_value</value_type><value>0.5</value></IKCoordinateTask>
<IKCoordinateTask name="d"><apply>true</apply><weight>4</weight><value_type>default_value</value_type></IKCoordinateTask>
</objects></IKTaskSet></InverseKinematicsTool></OpenSimDocument>"""


def test_tasks_that_are_on(tmp_path: Path) -> None:
    (tmp_path / "setup.xml").write_text(SETUP)
    found = ik_tasks.read(tmp_path / "setup.xml")
    assert found.markers == {"a": 2.5}
    assert found.coordinates == {"c": (3.0, 0.5), "d": (4.0, None)}


def test_a_task_without_a_weight_weighs_nothing(tmp_path: Path) -> None:
    """That of a task that OpenSim makes itself is zero too."""
    (tmp_path / "setup.xml").write_text(SETUP.replace("<weight>2.5</weight>", ""))
    assert ik_tasks.read(tmp_path / "setup.xml").markers == {"a": 0.0}
    opensim = pytest.importorskip("opensim")
    assert opensim.IKMarkerTask().getWeight() == 0.0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("IKTaskSet", "Other", "without <IKTaskSet>"),
        ("<weight>2.5", "<weight>much", "should be a number, not 'much'"),
        ("manual_value", "from_file", "takes its values from a file"),
        ("<apply>true", "<apply>false", "no task that is switched on"),
    ],
)
def test_refusals(tmp_path: Path, old: str, new: str, said: str) -> None:
    (tmp_path / "setup.xml").write_text(SETUP.replace(old, new))
    with pytest.raises(FormatError, match=said):
        ik_tasks.read(tmp_path / "setup.xml")
