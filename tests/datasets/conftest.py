from dataclasses import dataclass

import numpy as np
import pytest

from monomsk.datasets.gait import Gait, gait_kinetics, load_gait, walker
from monomsk.io.body import load_body
from monomsk.model.model import Model
from monomsk.types import Kinetics


@dataclass(frozen=True)
class Walk:
    gait: Gait
    model: Model
    phase: np.ndarray
    """One stride from the right heel strike, 1 % steps."""
    truth: Kinetics

    def column(self, name: str) -> int:
        return self.model.coordinate(name)


@pytest.fixture(scope="session")
def walk() -> Walk:
    gait = load_gait()
    model = walker(load_body(), gait.person)
    phase = np.arange(100) / 100.0
    return Walk(gait, model, phase, gait_kinetics(model, gait.stride, phase * float(gait.stride.duration), start=0.0))
