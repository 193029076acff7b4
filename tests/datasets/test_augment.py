"""Changed motions against what the change means: positions of markers and soles, never the angles alone."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from datasets.motions import clip
from monomsk.datasets import augment
from monomsk.datasets.corpus import MotionClip
from monomsk.datasets.fitting import generic_body
from monomsk.errors import InputError
from monomsk.io.body import load_anatomy
from monomsk.kinematics.trajectories import in_chunks, marker_trajectories


def moving() -> MotionClip:
    """The known clip, leaning, turning and bent to one side too."""
    base = clip()
    q, t = base.q.astype(float), base.time
    for name, values in {
        "pelvis_tilt": -0.4 + 0.1 * np.sin(2.0 * t),
        "pelvis_list": 0.2 * np.sin(3.0 * t),
        "pelvis_rotation": 0.5 + t,
        "hip_adduction_r": -0.2 + 0.0 * t,
        "hip_rotation_l": 0.2 + 0.0 * t,
        "subtalar_angle_l": 0.15 + 0.0 * t,
        "mtp_angle_r": -0.3 + 0.0 * t,
        "lumbar_bending": 0.2 * np.cos(t),
        "arm_rot_r": 0.4 * np.sin(t),
    }.items():
        q[:, base.names.index(name)] = values
    contact = base.contact.copy()
    contact[:30, 0] = False
    return replace(base, q=q.astype(np.float32), contact=contact)


def markers(c: MotionClip) -> dict[str, np.ndarray]:
    xyz = in_chunks(marker_trajectories, c.body(generic_body()), c.q.astype(float))
    return dict(zip(generic_body().marker_names, np.moveaxis(xyz, 1, 0), strict=True))


def test_a_mirrored_motion_is_the_mirror_image() -> None:
    before, after = markers(moving()), markers(augment.mirrored(moving()))
    for name, xyz in before.items():
        other = name[:-1] + {"r": "l", "l": "r"}[name[-1]] if name[-2:] in ("_r", "_l") else name
        np.testing.assert_allclose(after[other], xyz * [1.0, 1.0, -1.0], atol=2e-5, err_msg=name)


def test_mirroring_twice_changes_nothing() -> None:
    once = augment.mirrored(moving())
    twice = augment.mirrored(once)
    np.testing.assert_array_equal(twice.q, moving().q)
    np.testing.assert_array_equal(twice.contact, moving().contact)
    assert not once.contact[0, 2]
    assert once.contact[0, 0]


@pytest.mark.parametrize("angle", [0.7, -2.5])
def test_a_turned_motion_is_the_motion_turned_about_the_vertical(angle: float) -> None:
    before, after = markers(moving()), markers(augment.turned(moving(), angle))
    turn = Rotation.from_euler("Y", angle)
    for name, xyz in before.items():
        np.testing.assert_allclose(after[name], turn.apply(xyz), atol=2e-5, err_msg=name)


def test_a_faster_motion_passes_the_same_postures_sooner() -> None:
    fast = augment.at_speed(moving(), 2.0)
    assert fast.rate == pytest.approx(moving().rate)
    np.testing.assert_allclose(fast.q, moving().q[::2], atol=1e-6)
    np.testing.assert_array_equal(fast.contact, moving().contact[::2])
    slower = augment.at_speed(moving(), np.array([0.5, 1.0, 0.5]))
    assert 1.2 < slower.time[-1] / moving().time[-1] < 1.7
    with pytest.raises(InputError, match="speed of -1"):
        augment.at_speed(moving(), -1.0)


def test_another_body_stands_on_the_same_floor() -> None:
    model = generic_body()
    drawn, mass = augment.drawn_shape(model, load_anatomy(), np.random.default_rng(3))
    before = clip()
    after = augment.of_shape(before, model, drawn, mass)
    assert after.stature == pytest.approx(augment.height_of(model, drawn))
    assert abs(after.stature - before.stature) > 0.01
    sole = augment.soles(after.body(model), after.q)
    assert np.abs(sole[..., 1].min(1)).max() < 0.01
    # The feet stand where they stood, as they did.
    assert np.abs(np.diff(sole.mean(1)[:, [0, 2]], axis=0)).max() * after.rate < 0.02
    limbs = [i for i, n in enumerate(before.names) if not n.startswith("pelvis")]
    np.testing.assert_array_equal(after.q[:, limbs], before.q[:, limbs])


def test_straightened_legs_carry_the_same_trunk_on_the_same_feet() -> None:
    model, before = generic_body(), clip()
    after = augment.straightened(before, model, 0.2)
    knee = before.names.index("knee_angle_r")
    lost = before.q[:, knee] - after.q[:, knee]
    bent = before.q[:, knee]
    assert lost.max() < 0.2
    assert lost[bent > 0.4].min() > 0.05
    assert (after.q[:, knee] > -1e-6).all()
    sole, there = (augment.soles(c.body(model), c.q) for c in (after, before))
    assert np.abs(sole[..., 1] - there[..., 1]).max() < 0.008
    assert np.abs((sole - there).mean(1)[:, [0, 2]]).max() < 0.02
    tops = [markers(c) for c in (after, before)]
    ups = [m["head_top"] - m["hip_mid"] for m in tops]
    np.testing.assert_allclose(ups[0], ups[1], atol=1e-5)
    assert (tops[0]["hip_mid"][:, 1] > tops[1]["hip_mid"][:, 1]).all()


def test_drawn_people_are_as_large_as_people() -> None:
    model, random = generic_body(), np.random.default_rng(0)
    drawn = [augment.drawn_shape(model, load_anatomy(), random) for _ in range(60)]
    stature = np.array([augment.height_of(model, f) for f, _ in drawn])
    mass = np.array([m for _, m in drawn])
    assert abs(stature.mean() - 1.69) < 0.04
    assert 0.06 < stature.std() < 0.13
    assert 65.0 < mass.mean() < 90.0
    assert np.corrcoef(stature, mass)[0, 1] > 0.3


def test_mixed_clips_have_the_legs_of_one_and_the_arms_of_the_other() -> None:
    lower, upper = clip(), augment.at_speed(moving(), 1.3)
    mixed = augment.mixed(lower, replace(upper, measured=np.zeros(len(upper.names), bool)))
    assert len(mixed.time) == len(upper.time)
    for i, name in enumerate(mixed.names):
        above = name.startswith(("arm_", "elbow", "pro_sup", "lumbar", "wrist"))
        np.testing.assert_array_equal(mixed.q[:, i], (upper if above else lower).q[: len(mixed.time), i])
        assert bool(mixed.measured[i]) == (not above and bool(lower.measured[i]))


def test_disturbed_clips_are_smooth_within_range_and_repeatable() -> None:
    model, size = generic_body(), {"arms": 0.4, "trunk": 0.15, "legs": 0.15}
    made = augment.disturbed(clip(), model, np.random.default_rng(5), size)
    again = augment.disturbed(clip(), model, np.random.default_rng(5), size)
    np.testing.assert_array_equal(made.q, again.q)
    low, high = np.asarray(model.coordinate_range).T
    arms = [made.names.index(n) for n in ("arm_flex_r", "elbow_flex_l", "knee_angle_r", "lumbar_bending")]
    assert (made.q[:, arms] >= low[arms] - 1e-6).all()
    assert (made.q[:, arms] <= high[arms] + 1e-6).all()
    change = made.q[:, arms] - clip().q[:, arms]
    assert change.std(0).mean() > 0.05
    sole = augment.soles(made.body(model), made.q)
    np.testing.assert_allclose(sole[..., 1].min(1), augment.soles(clip().body(model), clip().q)[..., 1].min(1), atol=1e-5)
    assert not made.contact.all()


def test_slow_noise_has_no_jumps() -> None:
    noise = np.stack([augment.slow_noise(600, 60.0, np.random.default_rng(i)) for i in range(30)])
    assert 0.7 < noise.std() < 1.3
    assert np.abs(np.diff(noise)).max() < 0.25
    assert jnp.isfinite(noise).all()
