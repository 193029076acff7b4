"""What the inverse dynamics transformer is taught with: motions of laboratory trials, shaken as one camera shakes them, and plates.

A lesson is a whole trial: features of the motion, and in the same facing frame what the plates say of each foot. The shaken copies
carry errors that last about as long as those of a motion from one camera, so that the network learns what of the accelerations to
believe. Features do not depend on stature and mass, so nobody need be resized.

Few people stood on plates, and they walked and ran. So there are imitations too: any motion, shaken, and what the classic way says of it
when it is not. They teach how errors look, whatever the movement, and to leave alone what is right. Trials without a marker above the
pelvis are both: what plates say under a trunk that was made up, and imitations of somebody who holds the trunk like that.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d

from monomsk.config import KineticsConfig
from monomsk.datasets.corpus import MotionClip, Origin, key_of
from monomsk.datasets.forces import Case, MeasuredForces, case_of, read_case
from monomsk.datasets.laboratory import LOWER_BODY, Row
from monomsk.errors import FormatError, InputError, SolveError
from monomsk.io import arrays_npz
from monomsk.kinematics import trajectories
from monomsk.kinetics.feet import SIDES, Feet, feet_of
from monomsk.kinetics.learned import GRAVITY, Moved, moved
from monomsk.kinetics.transformer import Effort
from monomsk.model.compile import compile_model
from monomsk.model.spec import Marker
from monomsk.types import Motion

JOINTS = ("femur", "tibia", "talus")
"""Bodies at whose joints the plates' moments count: hip, knee, ankle."""
STANDS = 20.0
"""Vertical force from which a foot stands [N]."""
LASTING, HASTY = 0.5, 0.07
"""How long errors of a motion from one camera last: those of pose, and those from moment to moment [s]."""
ASTRAY = (np.radians(4.0), np.radians(0.5))
"""Standard deviations of both, of angles [rad]."""
ADRIFT = (0.03, 0.003)
"""Of the pelvis's place [m]."""
MEASURED = 0.02
"""Of angles that follow markers [rad]."""
FAINTEST, STRONGEST = 0.2, 2.0
"""Factors on them, from copy to copy."""
TRUNK = "lumbar_extension"
"""Coordinate that tells by being measured whether trunk and arms were."""
SPAN, USUAL = 4.0, 23.0
"""How much of a clip is imitated [s], and the body mass index of somebody whose mass nobody knows [kg/m²]."""
INNER, STIFF = ("subtalar", "mtp"), 0.5
"""Joints that the body of `monomsk run` does not move, and the share of copies in which they stay at 0."""


class Target(NamedTuple):
    """What the ground did; axis `foot` is right, left; facing frame, body weights and statures as in `Ground`."""

    force: Float[np.ndarray, "time foot 3"]
    cop: Float[np.ndarray, "time foot 3"]
    """From the centre of mass, at the height of the lowest sole point; the foot's middle where it carries nothing."""
    twist: Float[np.ndarray, "time foot"]
    known: Bool[np.ndarray, "time foot"]
    whole: Bool[np.ndarray, " time"]
    joint: Float[np.ndarray, "time foot joint 3"]
    """Hip, knee, ankle from the centre of mass."""
    moment: Float[np.ndarray, "time foot joint 3"]
    """Of the force about the true hip, knee and ankle [body weights × statures], which in a shaken motion lie elsewhere."""


@dataclass(frozen=True)
class Copies:
    """What is made of a trial."""

    count: int
    """Shaken copies."""
    seed: int


@dataclass(frozen=True)
class Lesson:
    """A trial, or a shaken copy of it."""

    origin: Origin
    effort: Effort
    target: Target


def kept_lessons(
    place: Path, folders: tuple[Path, Path], rows: tuple[Row, ...], coordinates: tuple[str, ...], how: Copies, tell: Callable[[str], None]
) -> list[Lesson]:
    """Lessons of trials: read where they lie in the folder `place` already, else made and written there.

    `folders`: the corpus, and the laboratory folder with `trials.csv`. Trials that cannot be used (no clip, no mass, no force that
    belongs to a foot) are left out, and `tell` is told why. Raises FormatError for a file that is no lesson, and OutputError.
    """
    found = list[Lesson]()
    for row in rows:
        name, sorts = key_of(row.source, row.person, row.trial), 1 + (row.source in LOWER_BODY)
        found += _kept(place, name, sorts, how, lambda row=row: lessons_of(*folders, row, coordinates, how), tell)
    return found


def kept_imitations(
    place: Path, clips: Sequence[MotionClip], coordinates: tuple[str, ...], how: Copies, tell: Callable[[str], None]
) -> list[Lesson]:
    """The same of clips without plates; otherwise as `kept_lessons`."""
    return [x for c in clips for x in _kept(place, c.key, 1, how, lambda c=c: imitations_of(c, coordinates, how), tell)]


def _kept(
    place: Path, name: str, sorts: int, how: Copies, make: Callable[[], tuple[Lesson, ...]], tell: Callable[[str], None]
) -> list[Lesson]:
    """A motion's lessons, of one or two sorts."""
    paths = [place / f"{name}__{how.seed}__{i}.npz" for i in range(sorts * (how.count + 1))]
    if not all(path.is_file() for path in paths):
        try:
            made = make()
        except (InputError, FormatError, SolveError) as error:
            tell(f"left out: {error}")
            return []
        for path, lesson in zip(paths, made, strict=True):
            write_lesson(path, lesson)
        tell(f"lessons of {name}")
    return [read_lesson(path) for path in paths]


def lessons_of(folder: Path, root: Path, row: Row, coordinates: tuple[str, ...], how: Copies) -> tuple[Lesson, ...]:
    """Of one trial of the laboratory folder `root` that the corpus `folder` has: the motion itself, and shaken copies; then, of trials
    without a marker above the pelvis, as many imitations.

    Raises as `read_case`, and InputError when no force belongs to a foot.
    """
    case, measured = read_case(folder, root, row)
    if not measured.known.any():
        raise InputError(f"{row.file}: no force on its plates belongs to a foot")
    seen = _copies(case, coordinates, how)
    plates = tuple(Lesson(case.clip.origin, one.effort, target(case, measured, seen[0], one)) for one in seen)
    if row.source not in LOWER_BODY:
        return plates
    held = tuple(one.effort._replace(trunk=np.float32(1.0)) for one in seen)
    imitations = (Lesson(case.clip.origin, e, imitation(case, seen[0], one)) for e, one in zip(held, seen, strict=True))
    return (*plates, *imitations)


def imitations_of(clip: MotionClip, coordinates: tuple[str, ...], how: Copies) -> tuple[Lesson, ...]:
    """Of the first seconds of any clip. Raises as `classic.estimate`."""
    clip = replace(clip, mass=clip.mass if np.isfinite(clip.mass) else USUAL * clip.stature**2)
    case = case_of(clip, None)
    part = slice(0, round(SPAN * clip.rate))
    case = replace(case, motion=replace(case.motion, time=case.motion.time[part], q=case.motion.q[part]))
    seen = _copies(case, coordinates, how)
    return tuple(Lesson(clip.origin, one.effort, imitation(case, seen[0], one)) for one in seen)


def imitation(case: Case, true: Moved, seen: Moved) -> Target:
    """What the classic way says of the motion `true`, put to the feet of the motion that is `seen`."""
    said, known = true.guess, np.ones(true.guess.contact.shape, bool)
    time, level = case.motion.time, float(np.median(true.contact.level))
    whole = known[:, 0]
    measured = MeasuredForces(time, said.force, said.cop, said.moment, known, whole, mass=case.subject.mass, level=level)
    return target(case, measured, true, seen)


def _copies(case: Case, coordinates: tuple[str, ...], how: Copies) -> tuple[Moved, ...]:
    """The motion itself, then shaken."""
    random = np.random.default_rng([how.seed, crc32(case.clip.key.encode())])
    motions = [certain(case.motion), *(shaken(case.motion, random) for _ in range(how.count))]
    return tuple(made_ready(case, motion, coordinates) for motion in motions)


def certain(motion: Motion) -> Motion:
    """The motion with the standard deviation of one that follows markers."""
    return replace(motion, sigma=np.full(motion.q.shape, MEASURED))


def made_ready(case: Case, motion: Motion, coordinates: tuple[str, ...]) -> Moved:
    """A motion of the case's person as the network sees it."""
    return moved(motion, case.spec, case.subject, KineticsConfig().lowpass, coordinates, trunk=has_trunk(case.clip))


def has_trunk(clip: MotionClip) -> bool:
    """Whether the source showed how the trunk moves."""
    return bool(clip.measured[clip.names.index(TRUNK)])


def shaken(motion: Motion, random: np.random.Generator) -> Motion:
    """The motion with errors like those of one camera, which it states, and often with stiff feet."""
    rate = 1.0 / float(motion.time[1] - motion.time[0])
    size = np.exp(random.uniform(np.log(FAINTEST), np.log(STRONGEST)))
    hasty = np.exp(random.uniform(np.log(FAINTEST), np.log(STRONGEST)))
    lasting, short = (np.where(motion.rotational, a, b) for a, b in zip(ASTRAY, ADRIFT, strict=True))
    own = size * np.exp(0.3 * random.normal(size=len(lasting)))
    error = own * lasting * _wandering(motion.q.shape, LASTING * rate, random) + hasty * short * _wandering(
        motion.q.shape, HASTY * rate, random
    )
    error += own * lasting * random.normal(size=len(lasting))
    q = motion.q + error
    if random.uniform() < STIFF:
        q[:, [i for i, name in enumerate(motion.names) if name.startswith(INNER)]] = 0.0
    return replace(motion, q=q, sigma=np.broadcast_to(np.sqrt(2.0) * own * lasting, q.shape), contact=None)


def _wandering(shape: tuple[int, ...], frames: float, random: np.random.Generator) -> Float[np.ndarray, "time n"]:
    """Smooth chance of unit variance that forgets itself after so many frames."""
    pad = round(4.0 * frames) + 1
    white = gaussian_filter1d(random.normal(size=(shape[0] + 2 * pad, *shape[1:])), max(frames, 0.3), axis=0)
    return (white / white.std())[pad:-pad]


def target(case: Case, measured: MeasuredForces, true: Moved, seen: Moved) -> Target:
    """What the plates say, put to the feet of the motion that is `seen`; `true` is the motion that the plates belong to."""
    weight, height = case.subject.mass * GRAVITY, case.subject.height
    feet = feet_of(case.spec)
    R = true.R_ground_facing
    force = np.einsum("tij,tfi->tfj", R, measured.force) / weight
    aside = np.einsum("tij,tfi->tfj", R, measured.cop - _middles(true.state.point, feet)) / height
    own = np.asarray(seen.effort.point, float)
    plain = _middles(np.asarray(true.effort.point, float), feet) + aside
    arm = plain[:, :, None] - _joints(case, true) / height
    cop = _middles(own, feet) + aside
    cop[..., 1] = np.stack([own[:, feet.foot == f, 1].min(1) for f in (0, 1)], 1)
    carries = measured.force[..., 1] > STANDS
    cop = np.where(carries[..., None], cop, _middles(own, feet))
    return Target(
        force=np.where(measured.known[..., None], force, 0.0),
        cop=cop,
        twist=np.where(carries, measured.moment[..., 1] / (weight * height), 0.0),
        known=measured.known,
        whole=measured.whole,
        joint=_joints(case, seen) / height,
        moment=np.cross(arm, np.where(measured.known[..., None], force, 0.0)[:, :, None]),
    )


def _middles(point: Float[np.ndarray, "time contact 3"], feet: Feet) -> Float[np.ndarray, "time foot 3"]:
    return np.stack([point[:, feet.foot == f].mean(1) for f in (0, 1)], 1)


def _joints(case: Case, seen: Moved) -> Float[np.ndarray, "time foot joint 3"]:
    """Hips, knees and ankles from the centre of mass [m], facing frame."""
    at = tuple(Marker(f"{body}{side}", f"{body}{side}", (0.0, 0.0, 0.0)) for side in SIDES for body in JOINTS)
    model = compile_model(case.spec.with_markers(at))
    xyz = trajectories.in_chunks(trajectories.marker_trajectories, model, seen.state.q) - seen.state.center[:, None]
    return np.einsum("tij,tpi->tpj", seen.R_ground_facing, xyz).reshape(len(xyz), 2, len(JOINTS), 3)


def write_lesson(path: Path, lesson: Lesson) -> None:
    """Write a lesson as plain arrays. Raises OutputError."""
    arrays: dict[str, Any] = {f"effort_{n}": np.asarray(v) for n, v in lesson.effort._asdict().items()}
    arrays |= {f"target_{n}": np.asarray(v, np.float32 if v.dtype == np.float64 else v.dtype) for n, v in lesson.target._asdict().items()}
    arrays |= {f"origin_{n}": np.array(v) for n, v in asdict(lesson.origin).items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays_npz.write(path, arrays)


def read_lesson(path: Path) -> Lesson:
    """A lesson. Raises FormatError when the file is not one."""
    data = arrays_npz.read(path)
    try:
        fields: dict[str, Any] = {n: data[f"effort_{n}"] for n in Effort._fields}
        target = Target(**{n: data[f"target_{n}"] for n in Target._fields})
        text = {n: data[f"origin_{n}"].item() for n in Origin.__dataclass_fields__}
    except KeyError as error:
        raise FormatError(f"{path} is no lesson: it has no {error}; delete it, and it is made again") from error
    return Lesson(Origin(**text), Effort(**fields), target)
