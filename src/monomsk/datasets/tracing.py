"""The motion of a laboratory trial as its markers show it, for mechanics.

Clips of the corpus teach how people look: their motion is smooth and its feet stand still, at the price of some millimetres at the
pelvis, in step with the steps. Two derivatives make of these a force that comes 40 ms late and is half the true one in walking
(docs/kinetics.md). Here nothing is believed of the floor, and accelerations are freer, up to what a low-pass takes out anyway.
"""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from monomsk.datasets.corpus import MotionClip
from monomsk.datasets.fitting import ROBUST_MARKERS
from monomsk.datasets.placing import Placement
from monomsk.datasets.recording import Recording, at_rate
from monomsk.io.body import load_anatomy
from monomsk.kinematics import smooth_path
from monomsk.kinematics.smooth_path import Seen
from monomsk.model.compile import compile_model
from monomsk.model.spec import Marker, ModelSpec

FREER = 3.0
"""How many times greater accelerations are expected than in the corpus."""
STEPS = 6
"""Of the search, which begins at the clip's own motion."""
OUT_OF_REACH = 1.0
"""How high the body is held over the floor while its motion is searched, so that no sole is pushed up by it [m]."""
UPRIGHT = (("lumbar_extension", "pelvis_tilt"), ("lumbar_bending", "pelvis_list"), ("lumbar_rotation", "pelvis_rotation"))
"""Angles of the lower back, and those of the pelvis about the same axes."""


def retraced(clip: MotionClip, recording: Recording, where: Placement, spec: ModelSpec) -> tuple[Float[np.ndarray, "time nq"], float]:
    """Coordinates [rad, m] of the clip's body `spec` along the trial's markers, and their RMS distance from it [m].

    A trunk without markers keeps its direction in space, as people's nearly does, and does not swing with the pelvis.
    """
    model = compile_model(spec.with_markers(tuple(Marker(p.name, p.body, p.location) for p in where.points)))
    markers = at_rate(recording.markers, clip.rate)
    column = [markers.names.index(p.name) for p in where.points]
    lift = np.array([0.0, OUT_OF_REACH, 0.0])
    xyz = markers.xyz[:, column] + where.of(clip.time)[:, None] + lift
    seen = np.isfinite(markers.sigma[:, column]) & np.isfinite(xyz).all(-1)
    weight = np.where(seen, 1.0 / np.array([p.sigma for p in where.points]), 0.0)
    belief = smooth_path.beliefs(model, load_anatomy(), robust=ROBUST_MARKERS)
    q = np.array(clip.q, float)
    up = model.coordinate("pelvis_ty")
    q[:, up] += OUT_OF_REACH
    known = Seen(jnp.asarray(np.where(seen[..., None], xyz, 0.0)), jnp.asarray(weight), jnp.zeros((len(q), len(model.contact_body))))
    freer = replace(belief, acceleration=FREER * belief.acceleration)
    q = np.array(smooth_path.follow(model, known, q, rate=clip.rate, belief=freer, steps=STEPS))
    apart = np.linalg.norm(smooth_path.points(model, q)[:, : len(column)] - xyz, axis=-1)
    q[:, up] -= OUT_OF_REACH
    if recording.lower_body:
        for back, pelvis in UPRIGHT:
            i, j = model.coordinate(back), model.coordinate(pelvis)
            turn = np.unwrap(q[:, j])
            q[:, i] = np.mean(q[:, i]) - (turn - turn.mean())
    return q, float(np.sqrt(np.mean(apart[seen] ** 2)))
