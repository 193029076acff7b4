"""Pictures of the video with the keypoints and the fitted body drawn over them, as SVG that needs no other file."""

import base64
from html import escape

import numpy as np
from jaxtyping import Float, UInt8

from monomsk.errors import VideoError
from monomsk.types import Camera, Clip, Keypoints, Trial

COUNT = 4
"""How many pictures."""
LONG_SIDE = 800
"""Long side of an embedded picture [px]."""
ROOM = 1.35
"""Size of the part that is shown, as a multiple of the person's own."""
LIMBS = (
    ("shoulder_r", "elbow_r"), ("elbow_r", "wrist_r"), ("shoulder_l", "elbow_l"), ("elbow_l", "wrist_l"),
    ("shoulder_r", "shoulder_l"), ("shoulder_r", "hip_r"), ("shoulder_l", "hip_l"), ("hip_r", "hip_l"),
    ("hip_r", "knee_r"), ("knee_r", "ankle_r"), ("ankle_r", "heel_r"), ("heel_r", "big_toe_r"),
    ("hip_l", "knee_l"), ("knee_l", "ankle_l"), ("ankle_l", "heel_l"), ("heel_l", "big_toe_l"),
)  # fmt: skip
"""Keypoints that are joined by a line while no body has been fitted."""
RIGHT, LEFT, MIDDLE, FOLLOWED = "#ff6b7d", "#5aa9ff", "#ffffff", "#5fe08a"

Segment = Float[np.ndarray, "2 2"]


def overlays(trial: Trial) -> list[str]:
    """A few `<figure>` elements spread over the clip; none when there is nothing to draw or the video cannot be read again."""
    if trial.clip is None or trial.keypoints is None:
        return []
    from monomsk.video.decode import picture

    indices = _instants(trial.keypoints)
    bodies = _body_lines(trial, indices)
    size = _window_size(trial.keypoints, indices, trial.clip)
    figures = []
    for place, index in enumerate(indices):
        time = float(trial.keypoints.time[index])
        try:
            image = picture(trial.clip, time)
        except VideoError:
            continue
        lines = bodies[place] if bodies else _keypoint_lines(trial.keypoints, index)
        window = _window(trial.keypoints, index, size, trial.clip)
        figures.append(_figure(image, window, lines, _dots(trial.keypoints, index), f"{trial.clip.path.name} at {time:.2f} s"))
    return figures


def people(trial: Trial) -> str:
    """A `<figure>` with everybody whom `--person` can mean, numbered; empty when there was nobody else."""
    if trial.clip is None or trial.keypoints is None or not trial.keypoints.candidates:
        return ""
    from monomsk.video.decode import picture

    candidates = trial.keypoints.candidates
    try:
        image = picture(trial.clip, candidates[0].time)
    except VideoError:
        return ""
    width, height = trial.clip.size
    stroke, letters = max(width, height) / 250, max(width, height) / 24
    boxes = "".join(
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{w:.0f}" height="{h:.0f}" fill="none" stroke="{colour}" stroke-width="{stroke:.1f}"/>'
        f'<text x="{x + stroke:.0f}" y="{y + letters:.0f}" fill="{colour}" font-size="{letters:.0f}" '
        f'font-weight="700">{candidate.number}</text>'
        for candidate in candidates
        for (x, y, w, h), colour in [(candidate.box, FOLLOWED if candidate.followed else MIDDLE)]
    )
    return (
        f'<figure class="people"><svg viewBox="0 0 {width} {height}" role="img" aria-label="people in the picture, numbered">'
        f'<image href="data:image/jpeg;base64,{_jpeg(image)}" width="{width}" height="{height}"/>'
        f'<g font-family="sans-serif">{boxes}</g></svg>'
        f"<figcaption>Who is in the picture at {candidates[0].time:.2f} s: green is followed; for another, run again with --person and "
        "the number.</figcaption></figure>"
    )


def numbered(clip: Clip, time: float, boxes: tuple[tuple[int, tuple[float, float, float, float]], ...]) -> bytes:
    """A PNG of the clip's picture at `time` [s] with a numbered box [px] around everybody. Raises VideoError."""
    import cv2

    from monomsk.video.decode import picture

    image = cv2.cvtColor(picture(clip, time), cv2.COLOR_RGB2BGR)
    size, green = max(clip.size) / 1000.0, (60, 200, 60)
    for number, (x, y, w, h) in boxes:
        corner, letter = (round(x), round(y)), (round(x), round(y + 50 * size))
        cv2.rectangle(image, corner, (round(x + w), round(y + h)), green, max(2, round(3 * size)))
        cv2.putText(image, str(number), letter, cv2.FONT_HERSHEY_SIMPLEX, 2 * size, green, max(2, round(4 * size)))
    return cv2.imencode(".png", image)[1].tobytes()


def _window_size(keypoints: Keypoints, indices: list[int], clip: Clip) -> tuple[int, int]:
    """Width and height [px] that show the person with some room in every one of the pictures."""
    spans = [np.ptp(_seen(keypoints, index), axis=0) for index in indices]
    if not spans:
        return clip.size
    width, height = 1.0 + ROOM * np.max(spans, axis=0)
    width = max(width, 0.7 * height)
    return min(clip.size[0], round(width)), min(clip.size[1], round(height))


def _window(keypoints: Keypoints, index: int, size: tuple[int, int], clip: Clip) -> tuple[int, int, int, int]:
    """Left, top, width, height [px] of the part of the picture around the person."""
    points = _seen(keypoints, index)
    corner = 0.5 * (points.min(axis=0) + points.max(axis=0)) - 0.5 * np.array(size)
    left, top = np.clip(corner, 0, np.array(clip.size) - size).round().astype(int)
    return int(left), int(top), size[0], size[1]


def _seen(keypoints: Keypoints, index: int) -> Float[np.ndarray, "keypoint 2"]:
    return keypoints.xy[index, np.isfinite(keypoints.sigma[index])]


def _instants(keypoints: Keypoints) -> list[int]:
    """Frames spread evenly over those in which the person is seen."""
    seen = np.flatnonzero(np.isfinite(keypoints.sigma).mean(axis=1) >= 0.5)
    if not len(seen):
        return []
    return [int(i) for i in np.unique(seen[(np.linspace(0.08, 0.92, COUNT) * (len(seen) - 1)).round().astype(int)])]


def _body_lines(trial: Trial, indices: list[int]) -> list[list[tuple[str, Segment]]]:
    """The fitted body as lines between its joint centres, a list a picture; empty without a fit."""
    camera, motion = trial.camera, trial.motion
    if trial.body is None or motion is None or camera is None or camera.R_camera_ground is None or not indices:
        return []
    import jax
    import jax.numpy as jnp

    from monomsk.model.compile import compile_model
    from monomsk.physics.forward_kinematics import forward_kinematics

    model = compile_model(trial.body)
    order = [motion.names.index(name) for name in model.coordinate_names]
    poses = jax.jit(jax.vmap(forward_kinematics, (None, 0)))(model, jnp.asarray(motion.q[indices][:, order]))
    joint = _project(np.asarray(poses.pivot), camera)
    center = np.asarray(poses.p + jnp.einsum("tbij,bj->tbi", poses.R, model.mass_center))
    tip = _project(center, camera)
    parents = set(model.parent)
    lines: list[list[tuple[str, Segment]]] = [[] for _ in indices]
    for body, name in enumerate(model.body_names):
        if name.startswith("patella"):
            continue
        colour = RIGHT if name.endswith("_r") else LEFT if name.endswith("_l") else MIDDLE
        for t in range(len(indices)):
            if model.parent[body] >= 0:
                lines[t].append((colour, joint[t, [model.parent[body], body]]))
            if body not in parents:
                lines[t].append((colour, np.stack([joint[t, body], tip[t, body]])))
    return lines


def _project(points: Float[np.ndarray, "*batch 3"], camera: Camera) -> Float[np.ndarray, "*batch 2"]:
    import jax.numpy as jnp

    from monomsk.spatial import projection

    assert camera.R_camera_ground is not None  # the caller has looked
    seen = points @ camera.R_camera_ground.T + camera.p_camera_ground
    ray = seen[..., :2] / np.maximum(seen[..., 2:], 0.01)
    bent = np.asarray(projection.distort(jnp.asarray(ray), jnp.asarray(camera.distortion)))
    return bent * np.asarray(camera.focal) + np.asarray(camera.center)


def _keypoint_lines(keypoints: Keypoints, index: int) -> list[tuple[str, Segment]]:
    lines: list[tuple[str, Segment]] = []
    for ends in LIMBS:
        if not all(end in keypoints.names for end in ends):
            continue
        pair = [keypoints.names.index(end) for end in ends]
        if np.isfinite(keypoints.sigma[index, pair]).all():
            sides = {end[-2:] for end in ends}
            lines.append(({"_r": RIGHT, "_l": LEFT}[sides.pop()] if len(sides) == 1 else MIDDLE, keypoints.xy[index, pair]))
    return lines


def _dots(keypoints: Keypoints, index: int) -> list[tuple[str, Float[np.ndarray, "2"]]]:
    return [
        (RIGHT if name.endswith("_r") else LEFT if name.endswith("_l") else MIDDLE, keypoints.xy[index, k])
        for k, name in enumerate(keypoints.names)
        if np.isfinite(keypoints.sigma[index, k])
    ]


def _figure(
    image: UInt8[np.ndarray, "height width 3"],
    window: tuple[int, int, int, int],
    lines: list[tuple[str, Segment]],
    dots: list[tuple[str, Float[np.ndarray, "2"]]],
    name: str,
) -> str:
    left, top, width, height = window
    stroke = max(width, height) / 220
    drawn = [
        f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}" stroke="{colour}"/>'
        for colour, (a, b) in lines
        if np.isfinite([a, b]).all() and np.abs([a, b]).max() < 1e5
    ]
    rings = [f'<circle cx="{p[0]:.1f}" cy="{p[1]:.1f}" r="{1.1 * stroke:.1f}" stroke="{colour}"/>' for colour, p in dots]
    part = image[top : top + height, left : left + width]
    return (
        f'<figure><svg viewBox="{left} {top} {width} {height}" role="img" aria-label="{escape(name)}, keypoints and body drawn over it">'
        f'<image href="data:image/jpeg;base64,{_jpeg(part)}" x="{left}" y="{top}" width="{width}" height="{height}"/>'
        f'<g fill="none" stroke-linecap="round"><g stroke-width="{stroke * 1.1:.1f}" opacity=".9">{"".join(drawn)}</g>'
        f'<g stroke-width="{stroke * 0.5:.1f}">{"".join(rings)}</g></g></svg>'
        f"<figcaption>{escape(name.rpartition(' at ')[2])}</figcaption></figure>"
    )


def _jpeg(image: UInt8[np.ndarray, "height width 3"]) -> str:
    import cv2

    height, width = image.shape[:2]
    if (scale := LONG_SIDE / max(width, height)) < 1.0:
        image = cv2.resize(image, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 80])
    return base64.b64encode(data.tobytes()).decode("ascii")
