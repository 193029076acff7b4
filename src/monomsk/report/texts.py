"""What the report says in sentences."""

PICTURES_BODY = "Rings are the keypoints that were found, lines the body that was fitted to them. Red is the person's right, blue the left."
PICTURES_KEYPOINTS = "Rings and lines are the keypoints that were found. Red is the person's right, blue the left."

FORCES = (
    "The force of the ground on each foot, from the movement of the whole body alone: no plate measured it. "
    "Shading: that foot is on the ground. While both feet stand, their sum is known better than how they share it."
)
FORCES_MEASURED = (
    "The force of the ground on each foot. It was measured on the right foot in {right:.0f} % of the frames and on the left one in "
    "{left:.0f} %; the rest is estimated from the movement of the whole body. Shading: that foot is on the ground."
)
RESIDUALS = (
    "What the equations of motion still lack after the ground forces, as a force and a moment at the pelvis. A perfect result has none; "
    "large values mean that movement, masses or contacts are not right there."
)
MOMENTS = (
    "Net moments about the joints, by body mass. They count positive in the positive direction of the angle: a negative knee moment "
    "straightens the knee, a negative ankle moment pushes the toes down."
)
MUSCLES = (
    "Activations that explain the moments with the least sum of squares (static optimization, rigid tendons), between 0 and 1. "
    "They are a consistent explanation, not a measurement: co-contraction of muscles that work against each other stays unseen."
)
LOADS = (
    "Force that the bones hand on to each other at the joint, the muscles' pull included, whatever its direction. Muscles that work "
    "against each other would press more than static optimization knows."
)
POWER = "Moment times angular speed: above zero the joint gives energy to the bones, below zero it takes energy up."
METABOLIC = (
    "Metabolic power is {whole_body} W/kg on average: {basal} W/kg that a body burns without moving and {muscles_of_the_model} W/kg of the "
    "muscles of this model, which are those of the legs. Trunk, arms and heart are not counted, tendons are rigid and co-contraction "
    "is unseen, so that it compares movements rather than measures them."
)
SLOW_TWITCH = "The share of slow-twitch fibres is taken as half, for want of a figure, in:"
RESERVES = "Moments that the muscles could not supply. Large ones say that the moments or the muscle strengths are not right there."

READING = (
    (
        "Signs",
        "Angles and their positive directions are the model's, as beside each title; the ground frame is X forward, Y up, Z to the right. "
        "Right and left are the person's own.",
    ),
    (
        "Bands",
        "A band reaches one standard deviation to either side of its curve: two out of three errors lie within, judged by people whose "
        "movement and forces were measured. Errors last, so that a whole curve may lie off to one side. A fit that has gone wrong "
        "altogether (legs swapped, a person who faces the other way) is not in them: look at the pictures.",
    ),
    (
        "Depth",
        "One camera sees two of three dimensions well. What happens towards or away from it (a leg that points at the camera, turning "
        "about the long axis of a limb) is an estimate; rotations of hip, shoulder and forearm are the least certain.",
    ),
    (
        "Size",
        "Lengths come from the stated height, forces from the stated mass; an error of one percent there is one percent here. An unknown "
        "focal length changes how far away the person seems, and little else.",
    ),
    (
        "Contacts",
        "Only the ground pushes. Somebody who sits, leans, carries or holds on gets forces "
        "and moments that are wrong for as long as it lasts.",
    ),
    ("Not a medical device", "These are estimates for research and teaching. Do not decide on a treatment with them."),
)

FILES = {
    "keypoints.npz": "points of the image over time (NumPy)",
    "markers.trc": "anatomical points in space (OpenSim)",
    "model.osim": "the body, scaled to this person (OpenSim)",
    "kinematics.mot": "all coordinates, in degrees and metres (OpenSim)",
    "kinematics_sd.sto": "standard deviations of the coordinates",
    "kinetics.sto": "generalized forces; the pelvis residuals are among them (OpenSim)",
    "kinetics_sd.sto": "standard deviations of the generalized forces",
    "grf.mot": "ground reaction forces, centres of pressure and free moments (OpenSim)",
    "grf_sd.sto": "standard deviations of the ground reaction forces",
    "external_loads.xml": "which force acts on which foot (OpenSim)",
    "muscle_activations.sto": "muscle activations (OpenSim)",
    "muscle_forces.sto": "muscle forces (OpenSim)",
    "joint_reactions.sto": "forces and moments that the joints transmit, muscles included (OpenSim)",
    "muscle_power.sto": "mechanical power of the muscles (OpenSim)",
    "joint_power.sto": "mechanical power at the joints' coordinates (OpenSim)",
    "metabolic_power.sto": "what the muscles burn (OpenSim)",
    "summary.json": "the main figures, for scripts",
    "config.toml": "every setting of this run, to use again with --config",
    "provenance.json": "versions, fingerprints, seconds, warnings",
}
"""What each result file holds."""
