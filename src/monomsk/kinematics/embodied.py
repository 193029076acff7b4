"""The body and its motion as the inverse kinematics transformer alone sees them: no optimisation, nothing closes on the pixels."""

import jax.numpy as jnp
import numpy as np

from monomsk.errors import ModelError
from monomsk.kinematics import smooth_path, trajectories
from monomsk.kinematics.classic import Fit
from monomsk.kinematics.learned import believe
from monomsk.kinematics.planted import planted_beliefs
from monomsk.kinematics.transformer import KinematicsTransformer
from monomsk.model.anatomy import Anatomy
from monomsk.model.compile import compile_model
from monomsk.model.edit import with_numbers
from monomsk.model.scale import scale_model
from monomsk.types import Markers, Motion, Trial

MARKER_SIGMA = 0.03
"""Said of the body's markers [m]."""


def embody(trial: Trial, anatomy: Anatomy, network: KinematicsTransformer) -> Fit:
    """Motion of the body and its size from the trial's markers; the camera stays as it was lifted.

    Raises ModelError when the body has no contact spheres, or joints by other names than expected.
    """
    markers, camera, subject, body = trial.markers, trial.camera, trial.subject, trial.body
    assert markers is not None
    assert camera is not None
    assert body is not None
    generic = compile_model(body.with_markers(anatomy.anchors_on(body)))
    if not generic.contact_names:
        raise ModelError(f"model {body.name} has no contact spheres on its feet: give it some (`model.edit.with_contacts_of`)")
    belief = believe(markers, subject, network, generic, anatomy)
    sized = scale_model(compile_model(body), jnp.asarray(belief.factors), subject.mass)
    rate = 1.0 / float(markers.time[1] - markers.time[0])
    soles = smooth_path.soles(sized, belief.q)
    planted = planted_beliefs(soles, rate)
    feet = [[i for i, b in enumerate(sized.contact_body) if sized.body_names[b].endswith(side)] for side in ("_r", "_l")]
    motion = Motion(
        time=markers.time,
        names=sized.coordinate_names,
        rotational=np.array(sized.rotational),
        q=belief.q,
        sigma=belief.sigma,
        contact=np.stack([planted[:, foot].max(1) if foot else np.zeros(len(planted)) for foot in feet], -1),
        warnings=("joint angles are the networks' alone (--kinematics learned): they were not compared with the picture",),
    )
    xyz = trajectories.in_chunks(trajectories.marker_trajectories, sized, belief.q)
    own = Markers(markers.time, sized.marker_names, xyz, np.full(xyz.shape[:2], MARKER_SIGMA))
    return Fit(motion, with_numbers(body, sized, jnp.asarray(belief.factors)), camera, own)
