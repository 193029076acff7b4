"""From a folder of laboratory files to a corpus: sizes and motions that are known come out, damage is told and does not stop the rest."""

import contextlib
import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from datasets.motions import FRAMES, RATE, marked, marker_places, moved, person, squatting, write_table, write_trial
from monomsk.cli.main import main
from monomsk.datasets import building, corpus
from monomsk.datasets.augment import soles
from monomsk.datasets.corpus import MotionClip
from monomsk.datasets.fitting import belt_speed, floor_height, generic_body
from monomsk.datasets.points import points_of_model
from monomsk.errors import FormatError, InputError
from monomsk.io.body import load_body
from monomsk.model.compile import compile_model
from monomsk.model.edit import with_numbers
from monomsk.model.scale import scale_model

LIFTED = 0.3
"""Height of the made-up laboratory's floor [m]."""


@dataclass(frozen=True)
class Made:
    root: Path
    out: Path
    said: str


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """One good trial with a gap, on a floor that is not at height 0; one that is cut short; one that is missing."""
    folder = tmp_path_factory.mktemp("corpus")
    root, out = folder / "data" / "kinetics", folder / "out"
    known = {"person": "P1", "height_m": f"{squatting().stature:.3f}"}
    write_table(root, [{"file": f"{n}.npz", "trial": n, **known} for n in ("good", "short", "lost")])
    xyz = marker_places() + np.array([0.0, LIFTED, 0.0])
    write_trial(root / "good.npz", xyz, 60.0)
    with np.load(root / "good.npz") as stored:
        arrays = dict(stored)
    arrays["marker_xyz"][100:106, ::3] = -32768
    np.savez(root / "good.npz", **arrays)
    write_trial(root / "short.npz", xyz[:5], 60.0)
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        code = main(["corpus", "--root", str(folder / "data"), "--out", str(out), "--workers", "1", "--procedural", "0"])
    assert code == 0, said.getvalue()
    return Made(folder / "data", out, said.getvalue())


@pytest.fixture(scope="module")
def clip(made: Made) -> MotionClip:
    (only,) = corpus.read_corpus(made.out)
    return only


def test_a_known_motion_is_found_again(clip: MotionClip) -> None:
    truth = squatting().q
    limits = {"knee_angle_r": 2.0, "hip_flexion_l": 3.0, "ankle_angle_r": 3.0, "elbow_flex_l": 4.0, "lumbar_extension": 3.0}
    for name, limit in limits.items():
        difference = np.degrees(clip.q[:, clip.names.index(name)] - truth[:, clip.names.index(name)])
        assert np.sqrt(np.mean(difference**2)) < limit, (name, difference.min(), difference.max())
    assert clip.error["all"] < 0.004
    assert len(clip.time) == len(truth)


def test_a_known_size_is_found_again(clip: MotionClip) -> None:
    assert clip.stature == pytest.approx(squatting().stature, abs=0.02)
    legs = [clip.bodies.index(b) for b in ("femur_r", "tibia_r")]
    np.testing.assert_allclose(clip.factors[legs, 1], squatting().factors[legs, 1], rtol=0.025)
    assert clip.mass == 70.0


def test_planted_feet_stand_on_a_floor_at_height_zero(clip: MotionClip) -> None:
    assert clip.contact[10:-10].mean() > 0.95
    sole = soles(clip.body(generic_body()), clip.q)
    assert np.abs(np.median(sole[..., 1])) < 0.005
    assert np.abs(np.gradient(sole[..., [0, 2]], axis=0)[10:-10]).max() * clip.rate < 0.05


def test_what_was_not_shown_is_not_called_measured(clip: MotionClip) -> None:
    shown = dict(zip(clip.names, clip.measured, strict=True))
    assert shown["knee_angle_r"]
    assert shown["lumbar_rotation"]
    assert shown["pro_sup_l"]
    assert not shown["mtp_angle_r"]
    assert not shown["wrist_flex_l"]
    assert clip.valid.all()


def test_damage_is_told_and_the_rest_is_fitted(made: Made) -> None:
    assert [e.name for e in corpus.read_index(made.out)] == ["good"]
    assert "too short" in made.said
    assert "lost.npz" in made.said
    assert "1 clips" in made.said


def test_a_finished_clip_is_not_fitted_again(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("fitted again")

    path = next((made.out / "clips").glob("*good.npz"))
    before = path.stat().st_mtime_ns
    monkeypatch.setattr(building, "fit_clip", refuse)
    units, _ = building.find_units(made.root)
    good = [building.Unit(tuple(r for r in u.recordings if r.name == "good"), u.points) for u in units]
    (outcome,) = building.build(good, made.out, workers=1, tell=lambda job, made: None)
    assert outcome.clip is not None
    assert path.stat().st_mtime_ns == before


def test_a_folder_without_motions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no motion data"):
        building.find_units(tmp_path)
    (tmp_path / "kinetics").mkdir()
    (tmp_path / "kinetics" / "trials.csv").write_text("file,split\n")
    with pytest.raises(FormatError, match="no trials"):
        building.find_units(tmp_path)


def test_the_floor_is_where_feet_stand_still() -> None:
    standing = soles(person(), moved()) + np.array([0.0, 0.25, 0.0])
    assert floor_height(standing, RATE) == pytest.approx(0.25, abs=0.006)


def test_the_speed_of_a_belt_is_that_of_the_feet_on_it() -> None:
    standing = soles(person(), moved())
    standing[..., 0] -= 2.5 * (np.arange(FRAMES) / RATE)[:, None]
    assert belt_speed(standing, RATE) == pytest.approx(2.5, abs=0.02)


def test_markers_of_a_model_of_another_size_lie_in_the_same_places_on_ours() -> None:
    ours = load_body()
    larger = np.full((len(marked().body_names), 3), 1.2)
    plain = replace(ours, muscles=(), wraps=())
    other = with_numbers(plain, scale_model(compile_model(plain), larger, 90.0), larger)
    there = {p.name: p for p in points_of_model(other, ours)}
    for marker in ours.markers:
        np.testing.assert_allclose(there[marker.name].location, marker.location, atol=1e-9)
