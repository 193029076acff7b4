import numpy as np
import pytest

from monomsk.errors import InputError
from monomsk.kinetics import filtering

TIME = np.arange(200) / 100.0


def test_constants_and_ramps_pass_unchanged() -> None:
    x = np.stack([np.full(200, 3.0), 2.0 * TIME - 1.0], 1)
    np.testing.assert_allclose(filtering.lowpass(x, 100.0, 6.0), x, atol=1e-9)


def test_the_gain_is_that_of_two_third_order_passes_without_lag() -> None:
    time = np.arange(2000) / 100.0
    for hertz in (2.0, 6.0, 9.0):
        x = np.cos(2.0 * np.pi * hertz * time)[:, None]
        y = filtering.lowpass(x, 100.0, 6.0)[500:1500]
        warped = np.tan(np.pi * hertz / 100.0) / np.tan(np.pi * 6.0 / 100.0)
        np.testing.assert_allclose(y, x[500:1500] / (1.0 + warped**6), atol=1e-6)


def test_a_cutoff_above_the_frames_leaves_the_data() -> None:
    x = np.random.default_rng(0).normal(size=(50, 2))
    assert filtering.lowpass(x, 10.0, 6.0) is x


def test_derivatives_of_a_sine() -> None:
    x = np.stack([np.sin(7.0 * TIME), np.cos(3.0 * TIME)], 1)
    first, second = filtering.derivatives(TIME, x)
    np.testing.assert_allclose(first[10:-10, 0], 7.0 * np.cos(7.0 * TIME)[10:-10], atol=1e-5)
    np.testing.assert_allclose(second[10:-10], (-x * [49.0, 9.0])[10:-10], atol=5e-4)


def test_rates_of_a_slow_sine_are_right_to_the_ends() -> None:
    """Where a clip begins and ends in full movement, its continuation must not bend it."""
    x = np.sin(3.0 * TIME + 0.4)[:, None]
    value, first, second = filtering.rates(TIME, x, 6.0)
    np.testing.assert_allclose(value, x, atol=0.02)
    np.testing.assert_allclose(first[:, 0], 3.0 * np.cos(3.0 * TIME + 0.4), atol=0.15)
    np.testing.assert_allclose(second[40:-40], -9.0 * x[40:-40], atol=0.05)
    np.testing.assert_array_equal(filtering.rates(TIME, x, None)[0], x)


def test_full_turns_are_unwrapped_for_angles_only() -> None:
    angle = np.linspace(0.0, 12.0, 200)
    q = np.stack([np.angle(np.exp(1j * angle)), 10.0 * (TIME > 1.0)], 1)
    np.testing.assert_allclose(filtering.unwrap(q, np.array([True, False])), np.stack([angle, q[:, 1]], 1), atol=1e-9)


def test_refusals() -> None:
    with pytest.raises(InputError, match="evenly"):
        filtering.sampling_rate(np.array([0.0, 1.0, 2.0, 3.0, 4.5, 5.0, 6.0, 7.0]))
    with pytest.raises(InputError, match="positive"):
        filtering.lowpass(TIME[:, None], 100.0, 0.0)
    assert filtering.sampling_rate(TIME) == pytest.approx(100.0)
