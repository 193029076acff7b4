"""A trial whose every number is made up, but shaped as a real one: what the report and the writers are tried on."""

from pathlib import Path

import numpy as np

from monomsk.io.body import load_body
from monomsk.types import (
    Camera,
    Clip,
    Energetics,
    JointLoads,
    Keypoints,
    Kinetics,
    Markers,
    MetabolicCost,
    Motion,
    MuscleActivity,
    Subject,
    Trial,
)  # fmt: skip

RATE, COUNT, SIZE = 60.0, 120, (320, 240)
NAMES = ("nose", "shoulder_r", "shoulder_l", "elbow_r", "elbow_l", "wrist_r", "wrist_l", "hip_r", "hip_l", "knee_r", "knee_l",
         "ankle_r", "ankle_l", "heel_r", "heel_l", "big_toe_r", "big_toe_l")  # fmt: skip


def write_video(path: Path) -> Path:
    """A short film of a grey gradient."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=int(RATE))
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        shade = np.linspace(40, 160, SIZE[0], dtype=np.uint8)
        image = np.broadcast_to(shade[None, :, None], (SIZE[1], SIZE[0], 3)).copy()
        for _ in range(COUNT):
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def trial(video: Path) -> Trial:
    """Somebody who walks on the spot, after all stages."""
    time = np.arange(COUNT) / RATE
    phase = 2 * np.pi * time
    return Trial(
        Subject(1.75, 70.0, "f"),
        Clip(video, SIZE, 0, time, (0, COUNT), time, 0.0),
        Camera(SIZE, (300.0, 300.0), (160.0, 120.0), focal_sigma=0.07, focal_source="prior",
               R_camera_ground=np.array([[0.0, 0, 1], [0, -1, 0], [1, 0, 0]]), p_camera_ground=np.array([0.0, 1.0, 4.0]),
               gravity=np.array([0.0, 1.0, 0.0]), gravity_sigma=0.03),
        _keypoints(time),
        Markers(time, ("hip_r", "hip_l"), np.ones((COUNT, 2, 3)), np.full((COUNT, 2), 0.03)),
        load_body(),
        _motion(time, phase),
        _kinetics(time, phase),
        _muscles(time, phase),
        {"keypoints": 4.2, "kinematics": 9.1},
        ("the focal length is a guess & may be off by 7 %", "12 % of the frames were not seen"),
        _loads(time, phase),
        _energetics(time, phase),
    )  # fmt: skip


def _keypoints(time: np.ndarray) -> Keypoints:
    rng = np.random.default_rng(0)
    xy = np.stack([rng.uniform(100, 220, len(NAMES)), np.linspace(60, 200, len(NAMES))], 1)[None].repeat(len(time), 0)
    sigma = np.full(xy.shape[:2], 3.0)
    sigma[:10] = np.inf
    sigma[:, 0] = np.inf
    return Keypoints(time, NAMES, xy, sigma)


def _motion(time: np.ndarray, phase: np.ndarray) -> Motion:
    coordinates = load_body().coordinates
    q = np.zeros((len(time), len(coordinates)))
    for i, coordinate in enumerate(coordinates):
        shift = np.pi if coordinate.name.endswith("_l") else 0.0
        q[:, i] = 0.3 * np.sin(phase + shift) if coordinate.rotational else 0.0
        if coordinate.name.startswith("knee_angle"):
            q[:, i] = 0.5 - 0.5 * np.cos(phase + shift)
        if coordinate.name == "pelvis_ty":
            q[:, i] = 0.95
    rotational = np.array([coordinate.rotational for coordinate in coordinates])
    names = tuple(coordinate.name for coordinate in coordinates)
    return Motion(time, names, rotational, q, np.full(q.shape, 0.05), quality={"reprojection_px": 4.123456, "slide_m_s": 0.021})


def _kinetics(time: np.ndarray, phase: np.ndarray) -> Kinetics:
    motion = _motion(time, phase)
    contact = np.stack([np.sin(phase) > -0.2, np.sin(phase) < 0.2], 1)
    force = np.zeros((len(time), 2, 3))
    force[..., 1] = contact * 400.0
    cop = np.zeros_like(force)
    tau = 40.0 * np.sin(2 * phase)[:, None] * np.linspace(0.2, 1.0, motion.q.shape[1])
    quality = {"residual_force_bw": 0.04, "share_of_nothing": float("inf")}
    bodies = ("calcn_r", "calcn_l")
    none = np.zeros_like(force)
    return Kinetics(time, motion.names, motion.rotational, motion.q, tau, bodies, force, cop, none, contact, quality,
                    tau_sigma=np.full_like(tau, 7.0), force_sigma=np.full_like(force, 35.0))  # fmt: skip


def _muscles(time: np.ndarray, phase: np.ndarray) -> MuscleActivity:
    muscles = load_body().muscles
    activation = np.clip(0.3 + 0.3 * np.sin(phase[:, None] + np.arange(len(muscles))), 0.01, 1.0)
    force = activation * np.array([muscle.max_isometric_force for muscle in muscles])
    reserve = np.full((len(time), 2), 1.5)
    return MuscleActivity(time, tuple(m.name for m in muscles), activation, force, ("knee_angle_r", "knee_angle_l"), reserve)


def _loads(time: np.ndarray, phase: np.ndarray) -> JointLoads:
    names = ("hip_r", "hip_l", "walker_knee_r", "walker_knee_l")
    bodies = ("femur_r", "femur_l", "tibia_r", "tibia_l")
    force = np.zeros((len(time), 4, 3))
    force[..., 1] = -1500.0 - 800.0 * np.sin(phase)[:, None]
    return JointLoads(time, names, bodies, bodies, force, np.zeros_like(force), np.zeros_like(force))


def _energetics(time: np.ndarray, phase: np.ndarray) -> Energetics:
    names = tuple(m.name for m in load_body().muscles)
    power = np.sin(phase)[:, None] * np.linspace(1.0, 20.0, len(names))
    joint = np.stack([70.0 * np.sin(phase), -35.0 * np.ones_like(phase)], 1)
    cost = MetabolicCost("umberger2010", np.full_like(power, 3.5), 84.0, np.full(len(names), 0.2), ("psoas", "sart"))
    coordinates = ("knee_angle_r", "knee_angle_l")
    return Energetics(time, names, power, power, np.zeros_like(power), coordinates, joint, 70.0, cost)
