"""The inverse kinematics transformer: turning and mirroring markers turns and mirrors the body, and no joint leaves its range."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from monomsk.io.body import load_anatomy, load_body
from monomsk.kinematics import learned
from monomsk.kinematics.embodied import embody
from monomsk.kinematics.transformer import KinematicsTransformer, posed, sized
from monomsk.model.compile import compile_model
from monomsk.model.sides import mirror_order
from monomsk.nn.transformer import Shape
from monomsk.physics.forward_kinematics import forward_kinematics, marker_positions
from monomsk.spatial import rotation
from monomsk.types import Camera, Markers, Subject, Trial

ANATOMY = load_anatomy()
BODY = replace(load_body(), muscles=(), wraps=())
MODEL = compile_model(BODY.with_markers(ANATOMY.anchors_on(BODY)))
SEGMENTS = ANATOMY.segments_of(MODEL)[1]
NAMES = tuple(n for n in MODEL.marker_names if not n.startswith("sole"))
JOINTS = {
    MODEL.coordinate_names[i]: (float(MODEL.coordinate_range[i, 0]), float(MODEL.coordinate_range[i, 1])) for i in MODEL.free if i > 5
}
NETWORK = KinematicsTransformer(NAMES, JOINTS, SEGMENTS.names, Shape(32, 2, 2), jax.random.key(1))
PERSON = Subject(1.75, 70.0)
ENDS = MODEL.marker_names.index("head_top"), MODEL.marker_names.index("sole_r")


def markers(count: int = 45) -> Markers:
    """Somebody who stands and moves all joints a little."""
    random = np.random.default_rng(2)
    q = np.tile(np.asarray(MODEL.coordinate_default), (count, 1))
    wave = np.sin(np.linspace(0.0, 5.0, count)[:, None] + random.uniform(0.0, 6.0, q.shape[1]))
    for i in MODEL.free:
        q[:, i] += 0.3 * wave[:, i] if i != 4 else 0.0
    xyz = np.asarray(jax.vmap(lambda row: marker_positions(MODEL, forward_kinematics(MODEL, row)))(jnp.asarray(q)))
    column = [MODEL.marker_names.index(n) for n in NAMES]
    return Markers(np.arange(count) / 30.0, NAMES, xyz[:, column], np.full((count, len(NAMES)), 0.02))


def test_markers_turned_about_the_vertical_turn_the_pelvis_alone():
    turn = Rotation.from_euler("Y", 1.1)
    one = markers()
    other = replace(one, xyz=turn.apply(one.xyz.reshape(-1, 3)).reshape(one.xyz.shape))
    plain, turned = (learned.postures(NETWORK, learned.cloud_of(m, PERSON, NETWORK)) for m in (one, other))
    assert turn.as_matrix() @ plain[0] == pytest.approx(turned[0], abs=1e-4)
    assert turned[1] == pytest.approx(plain[1], abs=1e-4)
    assert turned[3] == pytest.approx(plain[3], abs=1e-5)


def test_the_mirror_image_has_the_other_sides_angles():
    one = markers()
    other = replace(one, xyz=one.xyz[:, list(mirror_order(NAMES))] * [1.0, 1.0, -1.0])
    plain, mirrored = (learned.believe(m, PERSON, NETWORK, MODEL, ANATOMY) for m in (one, other))
    order = list(mirror_order(MODEL.coordinate_names))
    sign = [
        -1.0 if n in ("pelvis_list", "pelvis_rotation", "pelvis_tz", "lumbar_bending", "lumbar_rotation") else 1.0
        for n in MODEL.coordinate_names
    ]
    free = list(MODEL.free)
    assert (mirrored.q[:, order] * sign)[:, free] == pytest.approx(plain.q[:, free], abs=1e-3)
    assert mirrored.factors[[MODEL.body("femur_l")]] == pytest.approx(plain.factors[[MODEL.body("femur_r")]], abs=1e-4)


def test_joints_stay_within_their_ranges_whatever_comes_in():
    random = np.random.default_rng(0)
    wild = replace(markers(), xyz=random.normal(0.0, 3.0, markers().xyz.shape))
    _, joints, _, _ = learned.postures(NETWORK, learned.cloud_of(wild, PERSON, NETWORK))
    ranges = np.array(list(JOINTS.values()))
    assert (joints >= ranges[:, 0] - 1e-5).all()
    assert (joints <= ranges[:, 1] + 1e-5).all()


def test_the_posed_body_is_the_one_of_forward_kinematics():
    joints = tuple(MODEL.coordinate_names.index(n) for n in NETWORK.joints)
    random = np.random.default_rng(4)
    q = np.asarray(MODEL.coordinate_default).copy()
    q[list(joints)] = random.uniform(0.05, 0.3, len(joints))
    q[:6] = [0.2, -0.1, 0.7, 0.0, 0.0, 0.0]
    poses = forward_kinematics(MODEL, jnp.asarray(q))
    expected = np.asarray(marker_positions(MODEL, poses)) - np.asarray(poses.p)[MODEL.body("pelvis")]
    R = np.asarray(poses.R)[MODEL.body("pelvis")]
    found = posed(MODEL, joints, jnp.asarray(R)[None], jnp.asarray(q[list(joints)])[None])[0]
    assert np.asarray(found) == pytest.approx(expected, abs=1e-9)
    assert np.asarray(rotation.zxy(jnp.asarray(R))) == pytest.approx(q[:3], abs=1e-9)


def test_bodies_have_the_stature_that_is_asked_for():
    lengths = jnp.linspace(-0.1, 0.1, len(SEGMENTS.names))
    model, factors = sized(MODEL, SEGMENTS, ENDS, lengths, jnp.asarray(1.62))
    at = marker_positions(model, forward_kinematics(model, model.coordinate_default))
    assert float(at[ENDS[0], 1] - at[ENDS[1], 1]) == pytest.approx(1.62, abs=1e-9)
    ratio = np.log(np.asarray(factors)[MODEL.body("femur_r"), 1] / np.asarray(factors)[MODEL.body("tibia_r"), 1])
    names = SEGMENTS.names
    assert ratio == pytest.approx(float(lengths[names.index("thigh")] - lengths[names.index("shank")]), abs=1e-9)


def test_a_believed_body_has_its_hips_where_the_markers_have_them():
    one = markers()
    belief = learned.believe(one, PERSON, NETWORK, MODEL, ANATOMY)
    model, _ = sized(MODEL, SEGMENTS, ENDS, jnp.asarray(belief.lengths), jnp.asarray(PERSON.height))
    at = np.asarray(jax.vmap(lambda row: marker_positions(model, forward_kinematics(model, row)))(jnp.asarray(belief.q)))
    pair = [MODEL.marker_names.index(f"hip_{s}") for s in "rl"]
    expected = 0.5 * (one.xyz[:, NAMES.index("hip_r")] + one.xyz[:, NAMES.index("hip_l")])
    assert at[:, pair].mean(1) == pytest.approx(expected, abs=1e-6)


def test_the_networks_alone_make_a_body_and_a_motion_and_say_so():
    camera = Camera((1920, 1080), (1400.0, 1400.0), (960.0, 540.0))
    made = embody(Trial(PERSON, camera=camera, markers=markers(), body=BODY), ANATOMY, NETWORK)
    assert made.body.mass == pytest.approx(70.0, abs=1e-6)
    assert made.motion.q.shape == (45, len(MODEL.coordinate_names))
    assert made.motion.sigma is not None
    assert made.motion.contact is not None
    assert "learned" in made.motion.warnings[0]
