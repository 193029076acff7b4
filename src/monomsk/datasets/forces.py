"""Measured ground forces as labels: per foot, at the frames and in the frame of a fitted clip, and which of them are to be believed."""

from dataclasses import dataclass, replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import binary_erosion, uniform_filter1d

from monomsk.datasets import corpus, laboratory
from monomsk.datasets.building import points_for
from monomsk.datasets.corpus import MotionClip
from monomsk.datasets.fitting import generic_body, opened
from monomsk.datasets.laboratory import Row
from monomsk.datasets.placing import place
from monomsk.datasets.plates import NOBODY, Soles, Stretch, sampled, stretches
from monomsk.datasets.tracing import retraced
from monomsk.errors import FormatError, InputError
from monomsk.io.body import load_body
from monomsk.kinetics import filtering
from monomsk.kinetics.feet import Feet, feet_of
from monomsk.kinetics.ground_forces import GroundForces
from monomsk.kinetics.mechanics import Mechanics, mechanics
from monomsk.kinetics.quality import quality
from monomsk.model.compile import compile_model
from monomsk.model.edit import with_numbers
from monomsk.model.spec import ModelSpec
from monomsk.types import Kinetics, Motion, Subject

SMOOTH = 6.0
"""Cut-off of motion and plates where one is held against the other [Hz]."""
WINDOW, SPAN = 0.25, 0.5
"""Over which their difference, and the liveliness of the motion, are averaged then [s]."""
MISSING = (0.10, 0.15)
"""Vertical force that the motion needs and the plates lack, from which a contact beside the plates is certain [body weights]: for
somebody who stands still, and more per body weight (RMS) by which the motion's own need varies, as do its errors."""
HALF = 0.2
"""The same in single support, median over a stretch: the foot stands half beside its plate."""
CLEAR = 0.03
"""A foot that is higher above the floor touches nothing [m]."""
MARGIN = 0.08
"""Around frames that lack force, frames are not believed either [s]."""
MOMENT_CUTOFF = 12.0
"""Of motion and forces in reference moments [Hz]: one for both, or impacts tear at the joints (Bisseling & Hof 2006)."""
BEHIND = {"rbds_fukuchi2017_running": 1.0 / 150.0}
"""By source, how long after its stamp a force acts, by the markers' clock [s]. RBDS: one frame of its markers, which was found in two
ways. The vertical force that the motion needs comes 2 to 10 ms after the plates' in all 48 trials (Hamner's runners: 0 ms). And the
centre of pressure moves forwards in the foot by 6 mm per m/s of the belt less than under Hamner's runners, as it does when a belt has
carried the foot on for 6 ms. In docs/kinetics.md are the figures."""


@dataclass(frozen=True)
class Case:
    """A fitted laboratory trial, ready for the kinetics."""

    clip: MotionClip
    spec: ModelSpec
    """The body in the person's size and mass."""
    motion: Motion
    subject: Subject
    distance: float
    """Of the markers from the body, RMS [m]."""


@dataclass(frozen=True)
class MeasuredForces:
    """What the plates say of each foot, ground frame of the clip; axis `foot` is right, left."""

    time: Float[np.ndarray, " time"]
    force: Float[np.ndarray, "time foot 3"]
    """On the person [N]; 0 where a foot carries nothing, and where nothing is known."""
    cop: Float[np.ndarray, "time foot 3"]
    """Centre of pressure [m], at the height of the plates; below the foot's middle while there is no force."""
    moment: Float[np.ndarray, "time foot 3"]
    """Free moment about it [N·m]."""
    known: Bool[np.ndarray, "time foot"]
    """Whether the foot's force was measured, or is surely none."""
    whole: Bool[np.ndarray, " time"]
    """Whether every contact with the ground was measured."""
    mass: float
    """Of the person, from the table of trials [kg]."""
    level: float
    """Height of the plates in the clip [m]; not 0 where the fitted soles are thinner or thicker than those on the plates."""

    @property
    def wrench(self) -> Float[np.ndarray, "time foot 6"]:
        """Moment about the clip's origin [N·m] and force [N]."""
        return np.concatenate([np.cross(self.cop, self.force) + self.moment, self.force], -1)


def read_case(folder: Path, root: Path, row: Row, *, as_fitted: bool = False) -> tuple[Case, MeasuredForces]:
    """A trial of a laboratory folder `root` (with `trials.csv`) that was fitted into the corpus `folder`, and its forces.

    Its motion is that of the markers (`tracing`), or the clip's own where `as_fitted`, to see what the difference is worth.
    Raises FormatError (no such clip, damaged files), InputError (no mass; clip and trial that do not belong together).
    """
    path = folder / "clips" / f"{corpus.key_of(row.source, row.person, row.trial)}.npz"
    if not path.is_file():
        raise FormatError(f"{path} is not there: the corpus has no clip of {row.file}")
    clip = corpus.read_clip(path)
    recording = laboratory.recording(root, row)
    where = place(clip, recording, points_for(recording.points), clip.body(generic_body()))
    case = case_of(clip, row.height)
    if not as_fitted:
        q, distance = retraced(clip, recording, where, case.spec)
        case = replace(case, motion=replace(case.motion, q=q), distance=distance)
    plates = laboratory.read_plates(root / row.file)
    plates = replace(plates, time=plates.time + BEHIND.get(row.source, 0.0))
    return case, measure(case, plates, where.of(clip.time), float(recording.markers.time[0]))


def case_of(clip: MotionClip, height: float | None) -> Case:
    """The clip's body and motion; without a measured height [m] that of the body stands. Raises InputError when the mass is not known."""
    if not np.isfinite(clip.mass):
        raise InputError(f"{clip.key}: nobody knows this person's mass, which forces need")
    plain = opened(replace(load_body(), muscles=(), wraps=())).with_markers(())
    # Arrays that are quick to pick numbers from.
    sized = jax.tree.map(np.asarray, clip.body(compile_model(plain)))
    spec = with_numbers(plain, sized, jnp.asarray(clip.factors))
    rotational = np.array([c.rotational for c in spec.coordinates])
    motion = Motion(clip.time, clip.names, rotational, np.asarray(clip.q, float))
    return Case(clip, spec, motion, Subject(height or clip.stature, clip.mass), clip.error.get("all", 0.0))


def measure(case: Case, plates: laboratory.Plates, shift: Float[np.ndarray, "time 3"], start: float) -> MeasuredForces:
    """Forces per foot from plates whose frame lies `shift` [m] from the clip's, which begins at their time `start` [s]."""
    clip, weight = case.clip, case.subject.mass * 9.80665
    feet, state, rate = needed(case, SMOOTH)
    soles = Soles(state.point, feet.foot)
    force, cop, free = sampled(plates, clip.time + start, shift)
    found = stretches(force, cop, soles, weight)
    out_force, out_cop, out_moment = np.zeros((len(clip.time), 2, 3)), soles.middle(), np.zeros((len(clip.time), 2, 3))
    level = float(np.median([cop[s.core, s.plate, 1].mean() for s in found])) if found else 0.0
    out_cop[..., 1] = level
    total, torque, foreign = np.zeros((len(clip.time), 2, 3)), np.zeros((len(clip.time), 2, 3)), np.zeros(len(clip.time), bool)
    for s in found:
        if s.foot == NOBODY:
            foreign[s.frames] = True
            continue
        f = force[s.frames, s.plate]
        total[s.frames, s.foot] += f
        torque[s.frames, s.foot] += np.cross(cop[s.frames, s.plate], f)
        torque[s.frames, s.foot, 1] += free[s.frames, s.plate]
    loaded = total[..., 1] > 0.0
    out_force[loaded] = total[loaded]
    up = np.where(loaded, total[..., 1], 1.0)
    x = (torque[..., 2] + level * total[..., 0]) / up
    z = (level * total[..., 2] - torque[..., 0]) / up
    out_cop[loaded] = np.stack([x, np.full_like(x, level), z], -1)[loaded]
    out_moment[..., 1] = np.where(loaded, torque[..., 1] - np.cross(out_cop, total)[..., 1], 0.0)
    believed = _believed(out_force, found, (state, soles, foreign, clip.valid), (weight, rate))
    return MeasuredForces(clip.time, out_force, out_cop, out_moment, *believed, mass=case.subject.mass, level=level)


def needed(case: Case, cutoff: float) -> tuple[Feet, Mechanics, float]:
    """Feet, the mechanics of the motion low-passed at `cutoff` [Hz], and the frame rate [Hz]."""
    feet = feet_of(case.spec)
    rates = filtering.rates(case.motion.time, filtering.unwrap(case.motion.q, case.motion.rotational), cutoff)
    return feet, mechanics(compile_model(case.spec), feet, rates), filtering.sampling_rate(case.motion.time)


def lacking(
    force: Float[np.ndarray, "time foot 3"], state: Mechanics, weight: float, rate: float
) -> tuple[Float[np.ndarray, " time"], Float[np.ndarray, " time"]]:
    """Vertical force that the motion needs beyond the measured one, both low-passed alike, and how much is too much [body weights]."""
    need = state.wrench[:, 4] / weight
    smooth = filtering.lowpass(force.sum(1)[:, 1:2], rate, SMOOTH)[:, 0] / weight
    lack, lively = need - smooth, (need - 1.0) ** 2
    lack, lively = (uniform_filter1d(a, max(1, round(w * rate)), mode="nearest") for a, w in ((lack, WINDOW), (lively, SPAN)))
    return lack, MISSING[0] + MISSING[1] * np.sqrt(np.maximum(lively, 0.0))


def _believed(
    force: Float[np.ndarray, "time foot 3"],
    found: tuple[Stretch, ...],
    of: tuple[Mechanics, Soles, Bool[np.ndarray, " time"], Bool[np.ndarray, " time"]],
    scale: tuple[float, float],
) -> tuple[Bool[np.ndarray, "time foot"], Bool[np.ndarray, " time"]]:
    """Frames in which each foot's force is known, and in which both are and explain the motion.

    `of`: mechanics, soles, frames with a force that nobody stands for, frames that were measured. A foot without force is known
    to have none where nothing is lacking, or where it is in the air and the other is not: on a box or a chair both may be.
    """
    state, soles, foreign, valid = of
    lack, most = lacking(force, state, *scale)
    wide = np.ones(2 * round(MARGIN * scale[1]) + 1)
    balanced = np.asarray(binary_erosion((np.abs(lack) < most) & ~foreign, wide, border_value=True), bool)
    loaded, clear = force[..., 1] > 0.0, soles.height() > CLEAR
    known = loaded | balanced[:, None] | (clear & ~clear[:, ::-1])
    for s in found:
        if s.foot == NOBODY:
            continue
        alone = np.zeros(len(clear), bool)
        alone[s.core] = (clear[:, 1 - s.foot] & ~loaded[:, 1 - s.foot])[s.core]
        if alone.sum() >= 3 and np.median(np.abs(lack[alone])) > HALF:
            known[s.frames, s.foot] = False
    known &= (valid & ~foreign)[:, None]
    return known, balanced & known.all(1)


def reference(case: Case, measured: MeasuredForces, cutoff: float = MOMENT_CUTOFF) -> Kinetics:
    """Inverse dynamics of the motion under the measured forces, both low-passed at `cutoff` [Hz].

    The moments of a leg are right where its foot's force is known; residuals, on the root's coordinates, where all forces are.
    Quality figures are of those frames (`whole`); there are none where no frame is.
    """
    feet, state, rate = needed(case, cutoff)
    wrench = filtering.lowpass(measured.wrench.reshape(len(measured.time), 12), rate, cutoff).reshape(-1, 2, 6)
    tau = state.tau - np.einsum("tfqi,tfi->tq", state.jacobian, wrench)
    left = state.wrench[:, 3:] - wrench[..., 3:].sum(1)
    model = compile_model(case.spec)
    turns = [i for i in model.root if model.rotational[i]]
    kinetics = Kinetics(
        time=case.motion.time, names=case.motion.names, rotational=case.motion.rotational, q=state.q, tau=tau, bodies=feet.bodies,
        force=wrench[..., 3:], cop=measured.cop, moment=measured.moment, contact=measured.force[..., 1] > 0.0,
    )  # fmt: skip
    if not measured.whole.any():
        return kinetics
    shown = GroundForces(*(a[measured.whole] for a in (kinetics.force, kinetics.cop, kinetics.moment, kinetics.contact)))
    figures = quality(shown, left[measured.whole], tau[measured.whole][:, turns], case.subject)
    return replace(kinetics, quality=figures)
