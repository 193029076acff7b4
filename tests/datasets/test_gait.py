import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial import ConvexHull

from monomsk.datasets import stride as strides
from monomsk.datasets.gait import gait_motion, gait_text, load_gait, parse_gait
from monomsk.errors import FormatError
from monomsk.physics.forward_kinematics import forward_kinematics
from monomsk.physics.jacobian import point_jacobian


def _soles(walk, q):
    return np.asarray(jax.jit(jax.vmap(lambda x: strides.soles(walk.model, forward_kinematics(walk.model, x))))(jnp.asarray(q)))


def _planted(walk):
    """Spheres of the right foot and the phases between which each must stand."""
    heel, toes = (strides.contacts_on(walk.model, body) for body in ("calcn_r", "toes_r"))
    return {heel[0]: (0.03, 0.30), heel[1]: (0.12, 0.33), heel[2]: (0.12, 0.45), heel[3]: (0.12, 0.45)} | dict.fromkeys(toes, (0.12, 0.58))


def test_nothing_holds_the_pelvis(walk):
    root = walk.truth.tau[:, list(walk.model.root)]
    assert np.abs(root).max() < 1e-9


def test_the_ground_carries_the_weight(walk):
    weight = walk.gait.person.mass * 9.80665
    assert walk.truth.force[:, :, 1].sum(1).mean() == pytest.approx(weight, rel=1e-4)
    assert np.abs(walk.truth.force[:, :, [0, 2]].sum(1).mean(0)).max() < 1e-3 * weight


def test_the_vertical_force_has_two_humps(walk):
    right = walk.truth.force[:, 0, 1] / (walk.gait.person.mass * 9.80665)
    first, dip, second = right[5:25].max(), right[20:40].min(), right[40:56].max()
    assert 1.0 < first < 1.25
    assert 0.65 < dip < 0.88
    assert 1.0 < second < 1.25
    assert right.min() >= 0.0
    assert np.all(right[62:] == 0.0)


def test_forces_stay_in_the_friction_cone(walk):
    force = walk.truth.force[walk.truth.contact]
    assert np.all(np.linalg.norm(force[:, [0, 2]], axis=1) <= 0.5 * force[:, 1] + 1e-6)


def test_the_foot_brakes_then_pushes(walk):
    forward = walk.truth.force[:, 0, 0] / (walk.gait.person.mass * 9.80665)
    assert -0.3 < forward[5:25].min() < -0.1
    assert 0.1 < forward[40:58].max() < 0.3


def test_the_centre_of_pressure_lies_under_the_foot(walk):
    soles = _soles(walk, walk.truth.q)
    for i in np.flatnonzero(walk.truth.contact[:, 0]):
        near = soles[i, list(_planted(walk))][:, [0, 2]]
        hull = ConvexHull(near)
        outside = (hull.equations[:, :2] @ walk.truth.cop[i, 0, [0, 2]] + hull.equations[:, 2]).max()
        assert outside < 0.02, (i, outside)
    assert np.all(walk.truth.cop[:, :, 1] == 0.0)
    here = walk.truth.cop[walk.truth.contact[:, 0], 0, 0]
    assert here[-1] - here[0] > 0.15
    assert np.diff(here).min() > -0.012


def _material_velocity(walk):
    """Velocity of the material point at the bottom of every sphere [m/s]."""
    body = walk.model.contact_body

    def at(phase):
        q, qd, _ = strides.coordinates(walk.model, walk.gait.stride, phase)
        poses = forward_kinematics(walk.model, q)
        return point_jacobian(walk.model, poses, body, strides.soles(walk.model, poses)) @ qd

    return np.asarray(jax.jit(jax.vmap(at))(jnp.asarray(walk.phase)))


def test_planted_soles_neither_sink_nor_slide(walk):
    soles, velocity = _soles(walk, walk.truth.q), _material_velocity(walk)
    for sphere, (on, off) in _planted(walk).items():
        stands = (walk.phase >= on) & (walk.phase <= off)
        assert np.abs(soles[stands, sphere, 1]).max() < 0.006
        assert np.linalg.norm(velocity[stands, sphere][:, [0, 2]], axis=1).max() < 0.10
    flat = (walk.phase >= 0.14) & (walk.phase <= 0.28)
    heel = next(iter(_planted(walk)))
    assert np.abs(soles[flat][:, heel, 1]).max() < 0.001
    assert np.linalg.norm(velocity[flat][:, heel][:, [0, 2]], axis=1).max() < 0.03


def test_nothing_goes_through_the_floor(walk):
    assert _soles(walk, walk.truth.q)[..., 1].min() > -0.0035


def test_left_does_what_right_did_half_a_stride_before(walk):
    names = walk.model.coordinate_names
    for name in names:
        if name.endswith("_r"):
            right, left = walk.truth.q[:, names.index(name)], walk.truth.q[:, names.index(name[:-1] + "l")]
            np.testing.assert_allclose(np.roll(right, 50), left, atol=1e-12)
    np.testing.assert_allclose(np.roll(walk.truth.force[:, 0, :2], 50, 0), walk.truth.force[:, 1, :2], atol=1e-4)
    np.testing.assert_allclose(np.roll(walk.truth.force[:, 0, 2], 50, 0), -walk.truth.force[:, 1, 2], atol=1e-4)
    for name, sign in (
        ("pelvis_list", -1.0),
        ("pelvis_rotation", -1.0),
        ("pelvis_tilt", 1.0),
        ("pelvis_ty", 1.0),
        ("lumbar_rotation", -1.0),
    ):
        value = walk.truth.q[:, walk.column(name)]
        np.testing.assert_allclose(np.roll(value, 50), sign * value, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("hip_flexion_r", (-22.0, -8.0), (25.0, 38.0)),
        ("knee_angle_r", (0.0, 8.0), (55.0, 70.0)),
        ("ankle_angle_r", (-22.0, -8.0), (7.0, 17.0)),
        ("hip_adduction_r", (-10.0, -3.0), (3.0, 10.0)),
        ("mtp_angle_r", (-44.0, -15.0), (-5.0, 10.0)),
        ("pelvis_list", (-6.0, -2.0), (2.0, 6.0)),
        ("pelvis_rotation", (-8.0, -3.0), (3.0, 8.0)),
        ("arm_flex_r", (-25.0, -10.0), (12.0, 30.0)),
    ],
)
def test_angles_are_those_of_a_natural_walk(walk, name, low, high):
    degrees = np.degrees(walk.truth.q[:, walk.column(name)])
    assert low[0] < degrees.min() < low[1]
    assert high[0] < degrees.max() < high[1]


@pytest.mark.parametrize(("name", "low", "high"), [("ankle_angle_r", 0.9, 2.0), ("knee_angle_r", 0.2, 1.0), ("hip_flexion_r", 0.4, 1.4)])
def test_moments_are_those_of_a_natural_walk(walk, name, low, high):
    assert low < np.abs(walk.truth.tau[:, walk.column(name)]).max() / walk.gait.person.mass < high


def test_coordinates_stay_in_their_ranges(walk):
    low, high = np.asarray(walk.model.coordinate_range).T
    assert np.all(walk.truth.q[:, np.isfinite(low)] >= low - 1e-9)
    assert np.all(walk.truth.q <= high + 1e-9)


def test_rates_are_derivatives(walk):
    at = jnp.array(0.37)
    step = 1e-4
    stride = walk.gait.stride
    duration = float(stride.duration)
    q, qd, qdd = (np.asarray(x) for x in strides.coordinates(walk.model, stride, at))
    before, after = (np.asarray(strides.coordinates(walk.model, stride, at + s)[0]) for s in (-step, step))
    np.testing.assert_allclose((after - before) / (2 * step * duration), qd, atol=1e-5)
    np.testing.assert_allclose((after - 2 * q + before) / (step * duration) ** 2, qdd, atol=1e-3)


def test_the_walk_goes_on(walk):
    duration = float(walk.gait.stride.duration)
    motion = gait_motion(walk.model, walk.gait.stride, np.array([0.2, 0.2 + duration]))
    forward = walk.column("pelvis_tx")
    assert motion.q[1, forward] - motion.q[0, forward] == pytest.approx(float(walk.gait.stride.length))
    np.testing.assert_allclose(np.delete(motion.q[1], forward), np.delete(motion.q[0], forward), atol=1e-12)
    assert 1.1 < float(walk.gait.stride.length) / duration < 1.4


def test_the_file_is_read_as_it_was_written():
    gait = load_gait()
    again = parse_gait(gait_text(gait))
    assert again.person == gait.person
    np.testing.assert_array_equal(again.stride.coefficients, gait.stride.coefficients)


@pytest.mark.parametrize("text", ["height = 1.7", "this is not TOML", "height = 1.7\nmass = 70\nstretch = 3"])
def test_what_is_not_a_walk_is_refused(text):
    with pytest.raises(FormatError, match="make_gait"):
        parse_gait(text)
