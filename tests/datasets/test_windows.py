"""Windows made on the fly: other tempo, body and limbs, and still what the clip is."""

from dataclasses import fields, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from datasets.motions import clip
from monomsk.datasets.windows import WindowsConfig, draw, pack_clips, windows
from monomsk.errors import InputError
from monomsk.model.model import complete
from monomsk.model.scale import scale_model
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions
from monomsk.training.markers import training_body

PLAIN = WindowsConfig(frames=12, slowest=25.0, fastest=25.0, speed=0.0, mixed=0.0, disturbed=0.0, build=0.0, stature=0.0)
SIZE = 16
CLIPS = [replace(clip(name=n), q=clip().q * s) for n, s in (("T1", 1.0), ("T2", 0.9))]


@pytest.fixture(scope="module")
def body():
    return training_body(PLAIN)


@pytest.fixture(scope="module")
def made(body):
    """Windows of a configuration, all by one program: all but the number of frames is given as numbers."""
    source = pack_clips(CLIPS)
    numbers = [f.name for f in fields(WindowsConfig) if f.name != "frames"]
    run = jax.jit(lambda pack, drawn, given: windows(body, pack, drawn, replace(PLAIN, **given)))

    def windows_of(config, seed=0, **changes):
        drawn = draw(source, SIZE, config, np.random.default_rng(seed))._replace(**changes)
        return drawn, run(source.pack, drawn, {name: getattr(config, name) for name in numbers})

    return windows_of


def test_a_plain_window_is_a_stretch_of_the_clip(body, made):
    drawn, found = made(PLAIN, mirrored=np.zeros(SIZE, bool))
    for k in range(SIZE):
        own = CLIPS[drawn.clip[k]]
        first = drawn.first[k] - (len(CLIPS[0].q) if drawn.clip[k] else 0)
        # 50 frames a second in the clip, 25 in the window.
        place = first + 2.0 * np.arange(PLAIN.frames)
        expected = np.stack([np.interp(place, np.arange(len(own.q)), own.q[:, i]) for i in range(own.q.shape[1])], -1)
        columns = [i for i in range(own.q.shape[1]) if i != body.height and i in body.model.free]
        assert np.asarray(found.q)[k][:, columns] == pytest.approx(expected[:, columns], abs=2e-5)
        assert float(found.stature[k]) == pytest.approx(own.stature, abs=2e-4)
    assert np.diff(np.asarray(found.time), axis=1) == pytest.approx(0.04, abs=1e-6)


def test_markers_are_those_of_the_angles_and_sizes(body, made):
    config = replace(PLAIN, disturbed=1.0, build=0.7, stature=0.05, mixed=0.5, speed=0.2)
    _, found = made(config)
    assert np.std(np.asarray(found.stature)) > 0.01

    @jax.jit
    def markers(factors, q):
        model = scale_model(body.model, factors, 1.0)
        return marker_positions(model, forward_kinematics(model, complete(model, q)))

    for k in (0, 3):
        assert np.asarray(found.markers[k, 5]) == pytest.approx(np.asarray(markers(found.factors[k], found.q[k, 5])), abs=2e-5)


def test_mirrored_windows_are_mirror_images(body, made):
    _, one = made(PLAIN, mirrored=np.zeros(SIZE, bool))
    _, other = made(PLAIN, mirrored=np.ones(SIZE, bool))
    names = body.model.marker_names
    for right, left in (("knee_r", "knee_l"), ("wrist_r", "wrist_l"), ("heel_l", "heel_r")):
        plain = np.asarray(one.markers[:, :, names.index(right)]) * [1.0, 1.0, -1.0]
        assert np.asarray(other.markers[:, :, names.index(left)]) == pytest.approx(plain, abs=1e-4)


def test_the_lowest_sole_touches_the_floor(body, made):
    _, found = made(replace(PLAIN, disturbed=1.0, legs=0.4))
    names = body.model.marker_names
    feet = [names.index(n) for n in names if n.startswith(("heel", "big_toe", "small_toe"))]
    lowest = np.asarray(found.markers)[:, :, feet, 1].min((1, 2))
    assert (lowest > -0.02).all()
    assert (lowest < 0.12).all()


def test_disturbed_angles_stay_within_their_ranges(body, made):
    _, found = made(replace(PLAIN, disturbed=1.0, arms=2.0, legs=2.0, trunk=2.0))
    low, high = np.asarray(body.model.coordinate_range).T
    knee = [i for i, n in enumerate(body.model.coordinate_names) if n.startswith("knee_angle") and i in body.model.free]
    q = np.asarray(found.q)[..., knee]
    assert (q >= np.minimum(low[knee], min(c.q[:, knee].min() for c in CLIPS)) - 1e-5).all()
    assert (q <= high[knee] + 1e-5).all()


def test_leaning_bodies_turn_as_a_whole(body, made):
    straight, leaning = (made(replace(PLAIN, lean=size, disturbed=1.0, arms=0.0, legs=0.0, trunk=0.0))[1] for size in (0.0, 0.2))
    joints = [i for i in body.model.free if i >= 6]
    assert np.asarray(leaning.q)[..., joints] == pytest.approx(np.asarray(straight.q)[..., joints], abs=1e-6)
    a, b = (np.asarray(w.markers, float) for w in (straight, leaning))
    apart = [np.linalg.norm(x[:, :, 1:] - x[:, :, :1], axis=-1) for x in (a, b)]
    assert apart[1] == pytest.approx(apart[0], abs=1e-4)
    head = body.model.marker_names.index("head_top")
    assert 0.05 < np.linalg.norm((b - a)[:, :, head], axis=-1).mean() < 0.8


def test_equal_seeds_make_equal_windows(made):
    config = WindowsConfig(frames=PLAIN.frames)
    (_, one), (_, other), (_, third) = (made(config, seed) for seed in (4, 4, 5))
    assert np.array_equal(one.markers, other.markers)
    assert not np.array_equal(one.markers, third.markers)


def test_clips_that_cannot_be_packed_are_said():
    short = replace(CLIPS[0], valid=np.arange(len(CLIPS[0].q)) % 20 > 0)
    with pytest.raises(InputError, match="none of 1 clips"):
        pack_clips([short])
    with pytest.raises(InputError, match="another frame rate"):
        pack_clips([CLIPS[0], replace(CLIPS[1], time=CLIPS[1].time * 2.0)])
    assert jnp.isfinite(pack_clips(CLIPS).pack.q).all()
