"""Derivatives of what a frame asks for, against differences."""

import numpy as np

from monomsk.simulation import linearised
from simulation.stander import HEIGHT, model

RNG = np.random.default_rng(1)
MODEL = model()
FRAMES = 3


def test_every_derivative_is_that_of_its_value() -> None:
    place = np.asarray(MODEL.coordinate_default)
    state = 0.3 * RNG.normal(size=(3, FRAMES, len(MODEL.free)))
    state[0, :, 4] += HEIGHT
    contacts = len(MODEL.contact_body)
    force, level = 100.0 * RNG.normal(size=(FRAMES, contacts, 3)), 0.01 * RNG.normal(size=(FRAMES, contacts))
    found = linearised.linearise(MODEL, place, state, force, level)
    change, push, step = RNG.normal(size=state.shape), RNG.normal(size=force.shape), 1e-6
    ahead, behind = (linearised.missing(MODEL, place, state + s * change, force + s * push, level) for s in (step, -step))
    slopes = [(a - b) / (2.0 * step) for a, b in zip(ahead, behind, strict=True)]
    root = np.einsum("trdx,dtx->tr", found.by_state, change) + np.einsum("trci,tci->tr", found.by_force, push)
    np.testing.assert_allclose(root, slopes[0][:, list(MODEL.root)], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(np.einsum("tcix,tx->tci", found.point_by_x, change[0]), slopes[1], atol=1e-7)
    turning = np.einsum("tcix,tx->tci", found.velocity_by_x, change[0]) + np.einsum("tcix,tx->tci", found.velocity_by_rate, change[1])
    np.testing.assert_allclose(turning, slopes[2], atol=1e-7)
    values = linearised.missing(MODEL, place, state, force, level)
    np.testing.assert_allclose(found.missing, values[0][:, list(MODEL.root)], atol=1e-9)
