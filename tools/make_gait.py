"""Make data/gait/walk.toml: a natural walk, found by least squares over the Fourier coefficients of all coordinates.

The walk stays near the field's normal curves (typed below as a few key points, after the pictures in Perry 1992 and
Winter 1991), the standing foot neither slides nor sinks, and the wrench that the motion needs can come from the feet.

    python tools/make_gait.py
"""

import argparse
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.optimize import least_squares

from monomsk.datasets import stride as strides
from monomsk.datasets.gait import Gait, Person, gait_text, parse_gait, walker
from monomsk.datasets.stride import STANCE, Stride
from monomsk.io.body import load_body
from monomsk.model.model import Model
from monomsk.physics.forward_kinematics import forward_kinematics
from monomsk.physics.inverse_dynamics import inverse_dynamics

PERSON = Person(
    height=1.75,
    mass=72.0,
    stretch={
        "pelvis": (1.0, 1.02, 1.03),
        "femur": (1.0, 1.045, 1.0),
        "tibia": (1.0, 1.02, 1.0),
        "patella": (1.0, 1.0, 1.0),
        "talus": (1.04, 1.03, 1.0),
        "calcn": (1.04, 1.03, 1.0),
        "toes": (1.04, 1.03, 1.0),
        "torso": (0.97, 1.028, 0.98),
        "humerus": (1.0, 1.05, 1.0),
        "ulna": (1.0, 1.03, 1.0),
        "radius": (1.0, 1.03, 1.0),
        "hand": (1.0, 1.03, 1.0),
    },
)
HARMONICS = 9
SAMPLES = 96
DURATION, SPEED = 1.08, 1.25

# Percent of the stride and degrees (metres for pelvis_t.); None keeps a coordinate still at the value given.
NORMAL: dict[str, tuple[list[float], list[float]]] = {
    "hip_flexion": ([0, 5, 12, 20, 30, 40, 50, 55, 60, 67, 75, 83, 90, 96], [27, 26, 23, 16, 6, -3, -11, -11, -6, 8, 22, 29, 30, 28]),
    "hip_adduction": ([0, 8, 15, 25, 35, 45, 52, 60, 66, 75, 85, 93], [-1, 3, 5, 5, 4, 2, -1, -5, -5, -3, -1, -1]),
    "hip_rotation": ([0, 15, 35, 55, 65, 80], [-2, 2, 2, 0, -3, -3]),
    "knee_angle": ([0, 6, 13, 20, 30, 40, 48, 55, 62, 72, 80, 88, 95], [4, 12, 17, 15, 8, 5, 9, 20, 42, 61, 50, 22, 5]),
    "ankle_angle": ([0, 6, 12, 25, 38, 46, 52, 58, 63, 70, 80, 88, 95], [0, -5, -2, 5, 9, 11, 6, -7, -16, -11, 0, 3, 2]),
    "subtalar_angle": ([0, 12, 30, 50, 60, 80], [3, -3, -3, 3, 5, 4]),
    "mtp_angle": ([0, 10, 35, 45, 53, 59, 64, 72, 85], [-5, 0, 0, -5, -18, -24, -14, -4, -4]),
    "pelvis_tilt": ([0, 25, 50, 75], [-4, -3, -4, -3]),
    "pelvis_list": ([0, 12, 25, 37, 50, 62, 75, 87], [-1, -4, -3, -1, 1, 4, 3, 1]),
    "pelvis_rotation": ([0, 25, 50, 75], [5, 0, -5, 0]),
    "pelvis_tx": ([0, 25, 50, 75], [0, 0, 0, 0]),
    "pelvis_ty": ([0, 5, 30, 50, 55, 80], [0.95, 0.94, 0.98, 0.95, 0.94, 0.98]),
    "pelvis_tz": ([0, 30, 50, 80], [0.005, 0.02, -0.005, -0.02]),
    "lumbar_extension": ([0, 25, 50, 75], [0, -1, 0, -1]),
    "lumbar_bending": ([0, 12, 25, 37, 50, 62, 75, 87], [1, 4, 3, 1, -1, -4, -3, -1]),
    "lumbar_rotation": ([0, 25, 50, 75], [-10, 0, 10, 0]),
    "arm_flex": ([0, 25, 50, 75], [-19, 1, 21, 1]),
    "arm_add": ([0, 25, 50, 75], [-9, -8, -8, -8]),
    "arm_rot": ([0, 50], [4, 8]),
    "elbow_flex": ([0, 25, 50, 75], [17, 25, 38, 27]),
    "pro_sup": ([0, 50], [75, 75]),
}
SPREAD = {
    "pelvis_tx": 0.03,
    "pelvis_ty": 0.03,
    "pelvis_tz": 0.01,
    "mtp_angle": 8.0,
    "subtalar_angle": 2.5,
    "hip_rotation": 2.0,
    "ankle_angle": 1.5,
}
Curve = tuple[list[float], list[float]]
Spheres = tuple[tuple[int, ...], tuple[int, ...]]
EVEN = ("pelvis_tilt", "pelvis_tx", "pelvis_ty", "lumbar_extension")
ODD = ("pelvis_list", "pelvis_rotation", "pelvis_tz", "lumbar_bending", "lumbar_rotation")
FORCE: Curve = (
    [0, 2, 6, 10, 14, 20, 31, 42, 48, 53, 57, 60, 61],
    [0.0, 0.18, 0.72, 1.02, 1.09, 0.99, 0.76, 1.0, 1.08, 0.86, 0.4, 0.05, 0.0],
)
"""Vertical force under one foot, in body weights."""


PULL: Curve = ([0, 3, 7, 12, 20, 31, 42, 50, 55, 59, 61], [0.0, 0.0, -0.1, -0.18, -0.1, 0.0, 0.1, 0.19, 0.14, 0.03, 0.0])
"""Forward force under one foot, in body weights."""
MOMENT = {"hip_flexion": 0.9, "hip_adduction": 1.0, "hip_rotation": 0.25, "knee_angle": 0.6, "ankle_angle": 1.6, "subtalar_angle": 0.4}
"""Largest joint moments that may be [N·m/kg]."""


def main() -> None:
    """Optimise and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "src/monomsk/data/gait/walk.toml")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--again", action="store_true", help="begin from the walk that is there")
    options = parser.parse_args()
    person = PERSON
    model = walker(load_body(), person)
    start = parse_gait(options.out.read_text()).stride if options.again else normal_stride()
    stride = optimise(model, start, options.rounds)
    options.out.write_text(gait_text(Gait(person, stride)), encoding="utf-8")


def normal_stride() -> Stride:
    """Fourier series of the normal curves."""
    return Stride(
        jnp.array(np.stack([series(*NORMAL[name], angle=not name.startswith("pelvis_t") or name == "pelvis_tilt") for name in NORMAL])),
        jnp.array(DURATION),
        jnp.array(SPEED * DURATION),
        tuple(NORMAL),
    )


def series(percent: list[float], values: list[float], *, angle: bool) -> np.ndarray:
    """Mean, cosines and sines of the periodic spline through key points."""
    phase = np.arange(512) / 512.0
    spline = CubicSpline(np.append(percent, percent[0] + 100.0) / 100.0, np.append(values, values[0]), bc_type="periodic")
    spectrum = np.fft.rfft(spline(phase)) / 512.0
    terms = [spectrum[0].real]
    for k in range(1, HARMONICS + 1):
        terms += [2.0 * spectrum[k].real, -2.0 * spectrum[k].imag]
    return np.array(terms) * (np.pi / 180.0 if angle else 1.0)


def allowed() -> np.ndarray:
    """Terms that keep left and right alike: even harmonics of what both sides share, odd ones of what changes sides."""
    mask = np.ones((len(NORMAL), 1 + 2 * HARMONICS), bool)
    order = np.concatenate([[0], np.repeat(np.arange(1, HARMONICS + 1), 2)])
    for row, name in enumerate(NORMAL):
        if name in EVEN:
            mask[row] = order % 2 == 0
        if name in ODD:
            mask[row] = order % 2 == 1
        if name in ("pro_sup", "arm_rot", "arm_add"):
            mask[row] = order <= 1
        elif name.startswith(("arm", "elbow")):
            mask[row] = order <= 4
        elif name.startswith(("pelvis", "lumbar")):
            mask[row] &= order <= 4
        if name in ("pelvis_list", "lumbar_bending"):
            mask[row] &= order <= 3
    # The walk stands still at the ground's origin: the mean of pelvis_tx is free, nothing else fixes it.
    mask[list(NORMAL).index("pelvis_tx"), 0] = False
    return mask


def optimise(model: Model, start: Stride, rounds: int) -> Stride:
    """Least squares over all allowed terms."""
    mask = allowed()
    where = jnp.array(np.flatnonzero(mask))
    none = jnp.zeros(mask.size)
    normal = normal_stride()
    heel = strides.contacts_on(model, "calcn_r")
    toes = strides.contacts_on(model, "toes_r")

    def stride_of(x: jnp.ndarray) -> Stride:
        return Stride(none.at[where].set(x).reshape(mask.shape), start.duration, start.length, start.names)

    def residuals(x: jnp.ndarray) -> jnp.ndarray:
        return jnp.concatenate([jnp.ravel(r) for r in cost_terms(model, stride_of(x), normal, (heel, toes)).values()])

    value, slope = jax.jit(residuals), jax.jit(jax.jacfwd(residuals))
    x0 = np.asarray(start.coefficients)[mask]
    answer = least_squares(
        lambda x: np.asarray(value(x)), x0, lambda x: np.asarray(slope(x)), method="trf", x_scale="jac", max_nfev=rounds, verbose=2
    )
    stride = stride_of(jnp.array(answer.x))
    for name, term in jax.jit(lambda x: cost_terms(model, stride_of(x), normal, (heel, toes)))(answer.x).items():
        print(f"{name:12s} {float(jnp.sum(term**2)):10.2f}")
    return stride


def cost_terms(model: Model, stride: Stride, normal: Stride, spheres: Spheres) -> dict[str, jnp.ndarray]:
    """What the walk is judged by, each in units of what may be."""
    phase = jnp.arange(SAMPLES) / SAMPLES
    q, qd, qdd = jax.vmap(lambda p: strides.coordinates(model, stride, p))(phase)
    terms = near_normal(stride, normal)
    terms |= standing(model, q, qd, phase, spheres)
    half = SAMPLES // 2
    terms |= loading(model, stride, (q[:half], qd[:half], qdd[:half]), phase[:half], (spheres[0][:1], spheres[1]))
    return terms


def near_normal(stride: Stride, normal: Stride) -> dict[str, jnp.ndarray]:
    """Distance to the normal curves, and smoothness."""
    spread = jnp.array([SPREAD.get(n, 2.5) * (1.0 if n in ("pelvis_tx", "pelvis_ty", "pelvis_tz") else jnp.pi / 180) for n in stride.names])
    order = jnp.concatenate([jnp.zeros(1), jnp.repeat(jnp.arange(1, HARMONICS + 1), 2)])
    scale = jnp.sqrt(SAMPLES / 2.0) / spread[:, None] * 0.5
    return {
        "curves": (stride.coefficients - normal.coefficients) * scale,
        "smooth": stride.coefficients * (order / 6.0) ** 3 * scale * 1.2,
    }


def standing(model: Model, q: jnp.ndarray, qd: jnp.ndarray, phase: jnp.ndarray, spheres: Spheres) -> dict[str, jnp.ndarray]:
    """The right foot: what is planted neither slides nor sinks, what swings clears the ground."""
    point = lambda x: strides.soles(model, forward_kinematics(model, x))  # noqa: E731
    sole = jax.vmap(point)(q)
    velocity = jax.vmap(material_velocity, in_axes=(None, 0, 0))(model, q, qd)
    calcn, toes = spheres
    spans = {calcn[0]: (0.0, 0.33), calcn[1]: (0.07, 0.36), calcn[2]: (0.075, 0.50), calcn[3]: (0.075, 0.50)}
    spans |= dict.fromkeys(toes, (0.09, 0.605))
    terms = {}
    height, slide, clear = [], [], []
    for i, (on, off) in spans.items():
        planted = jnp.clip(jnp.minimum(phase - on, off - phase) / 0.02 + 0.5, 0.0, 1.0)
        height.append(planted * sole[:, i, 1] / 0.0015)
        held = jnp.clip(jnp.minimum(phase - on - 0.015, off - phase - 0.005) / 0.02 + 0.5, 0.0, 1.0)
        slide.append(held[:, None] * velocity[:, i] / 0.03)
        # How high a swinging sole must be: rising over 6 % of the stride to 1.2 cm.
        away = jnp.minimum(jnp.mod(phase - off, 1.0), jnp.mod(on - phase, 1.0))
        floor = 0.012 * jnp.clip((away - 0.01) / 0.06, 0.0, 1.0)
        clear.append((1.0 - planted) * jax.nn.softplus((floor - sole[:, i, 1]) / 0.001) * 0.7)
    terms["height"], terms["slide"], terms["clear"] = jnp.stack(height), jnp.stack(slide), jnp.stack(clear)
    middle = sole[SAMPLES // 4, jnp.array([calcn[0], *toes])]
    terms["width"] = (middle[:1, 2] - 0.05) / 0.005
    terms["toe_out"] = (middle[1:, 2].mean() - middle[0, 2] - 0.035)[None] / 0.01
    return terms


def material_velocity(model: Model, q: jnp.ndarray, qd: jnp.ndarray) -> jnp.ndarray:
    """Velocity [m/s] of the material point at the bottom of every contact sphere."""
    body = jnp.array(model.contact_body)
    poses = forward_kinematics(model, q)
    sole = strides.soles(model, poses)
    local = jnp.einsum("cji,cj->ci", poses.R[body], sole - poses.p[body])

    def place(x: jnp.ndarray) -> jnp.ndarray:
        now = forward_kinematics(model, x)
        return now.p[body] + jnp.einsum("cij,cj->ci", now.R[body], local)

    return jax.jvp(place, (q,), (qd,))[1]


def loading(model: Model, stride: Stride, motion: tuple[jnp.ndarray, ...], phase: jnp.ndarray, marks: Spheres) -> dict[str, jnp.ndarray]:
    """Ground forces: vertical force near the normal one, centre of pressure under the foot, little free moment."""
    print_ = strides.footprint(model, stride, marks)
    loads = jax.vmap(lambda p, x: strides.foot_loads(model, stride, print_, p, x))(phase, motion)
    tau = jax.vmap(lambda x, f: moments(model, x, f))(motion, loads)
    limit = jnp.array([MOMENT.get(n.removesuffix("_r").removesuffix("_l"), jnp.inf) for n in model.coordinate_names])
    weight = model.mass.sum() * 9.80665
    path = jax.vmap(lambda p: strides.pressure_path(stride, print_, p))(phase)
    off = (loads.cop - path) * jnp.where(loads.share > 0.0, 1.0, 0.0)[..., None]
    force = loads.force.sum(1) / weight
    grip = jnp.linalg.norm(loads.force[..., jnp.array([0, 2])], axis=-1) / jnp.maximum(loads.force[..., 1], 0.02 * weight)
    return {
        "vertical": (force[:, 1] - under_both(FORCE)) / 0.03,
        "forward": (force[:, 0] - under_both(PULL)) / 0.03,
        "moments": jax.nn.relu(jnp.abs(tau) / model.mass.sum() - limit) / 0.1,
        "pressure": off[..., jnp.array([0, 2])] / jnp.array([0.009, 0.007]),
        "free_moment": loads.moment[..., 1] / 2.5,
        "sideways": force[:, 2] / 0.05,
        "grip": jax.nn.relu(grip - 0.35) / 0.05,
    }


def moments(model: Model, motion: tuple[jnp.ndarray, ...], loads: strides.FootLoads) -> jnp.ndarray:
    """Generalized forces under the loads of the feet."""
    q, qd, qdd = motion
    return inverse_dynamics(model, q, qd, qdd, strides.external_forces(model, loads))


def under_both(curve: Curve) -> np.ndarray:
    """Sum over both feet, over half a stride, of a curve under one foot."""
    phase = np.arange(SAMPLES // 2) / SAMPLES
    one = PchipInterpolator(np.array(curve[0]) / 100.0, curve[1])
    right, left = (np.where(p <= STANCE, one(np.minimum(p, STANCE)), 0.0) for p in (phase, phase + 0.5))
    return right + left


if __name__ == "__main__":
    main()
