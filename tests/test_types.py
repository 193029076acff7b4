"""A subject is a person in metres and kilograms."""

import pytest

from monomsk.errors import InputError
from monomsk.types import Subject


@pytest.mark.parametrize(
    ("height", "mass", "words"),
    [
        (175.0, 70.0, "height 175 looks like centimetres: write 1.75"),
        (5.9, 70.0, "height 5.9 is not one in metres"),
        (0.0, 70.0, "allowed: 0.5 to 2.5 m"),
        (float("nan"), 70.0, "height nan"),
        (1.75, 180.0, "mass 180 kg with height 1.75 m gives BMI 59: if that is pounds, write 81.6"),
        (1.75, 700.0, "allowed: 10 to 300 kg"),
        (1.75, 25.0, "gives BMI 8: check both"),
        (1.75, float("nan"), "mass nan"),
    ],
)
def test_what_no_person_has_is_refused(height: float, mass: float, words: str) -> None:
    with pytest.raises(InputError) as error:
        Subject(height, mass)
    assert words in str(error.value)


@pytest.mark.parametrize(("height", "mass"), [(1.75, 70.0), (0.75, 10.0), (2.2, 150.0), (1.6, 130.0)])
def test_real_people_are_not(height: float, mass: float) -> None:
    assert Subject(height, mass).body_mass_index == pytest.approx(mass / height**2)
