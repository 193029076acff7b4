"""Plain words for what the model calls by short names: titles, the direction that counts as positive, what figures mean."""

COORDINATES: dict[str, tuple[str, str]] = {
    "pelvis_tilt": ("Pelvis tilt", "+ backward (posterior)"),
    "pelvis_list": ("Pelvis list", "+ right side down"),
    "pelvis_rotation": ("Pelvis rotation", "+ to the left"),
    "hip_flexion": ("Hip flexion", "+ flexion"),
    "hip_adduction": ("Hip adduction", "+ adduction"),
    "hip_rotation": ("Hip rotation", "+ internal"),
    "knee_angle": ("Knee flexion", "+ flexion"),
    "ankle_angle": ("Ankle", "+ dorsiflexion"),
    "subtalar_angle": ("Subtalar", "+ inversion"),
    "mtp_angle": ("Toes", ""),
    "lumbar_extension": ("Trunk extension", "+ backward"),
    "lumbar_bending": ("Trunk bending", "+ to the right"),
    "lumbar_rotation": ("Trunk rotation", "+ to the left"),
    "arm_flex": ("Shoulder flexion", "+ flexion"),
    "arm_add": ("Shoulder adduction", "+ adduction"),
    "arm_rot": ("Shoulder rotation", "+ internal"),
    "elbow_flex": ("Elbow flexion", "+ flexion"),
    "pro_sup": ("Forearm", "+ pronation"),
    "wrist_flex": ("Wrist flexion", "+ flexion"),
    "wrist_dev": ("Wrist deviation", ""),
}
"""Title and positive direction of a coordinate, by its name without the side. The order is that of the report."""

MAIN_ANGLES = (
    "hip_flexion",
    "hip_adduction",
    "hip_rotation",
    "knee_angle",
    "ankle_angle",
    "subtalar_angle",
    "pelvis_tilt",
    "pelvis_list",
    "pelvis_rotation",
    "lumbar_extension",
    "lumbar_bending",
    "lumbar_rotation",
    "arm_flex",
    "elbow_flex",
)
"""Angles that the report opens with; the others are behind a click."""

MAIN_MOMENTS = ("hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "ankle_angle", "lumbar_extension")

MUSCLES: dict[str, str] = {
    "glmax2": "Gluteus maximus (middle)",
    "glmed2": "Gluteus medius (middle)",
    "psoas": "Psoas",
    "recfem": "Rectus femoris",
    "vaslat": "Vastus lateralis",
    "bflh": "Biceps femoris, long head",
    "semimem": "Semimembranosus",
    "gasmed": "Gastrocnemius, medial head",
    "soleus": "Soleus",
    "tibant": "Tibialis anterior",
}
"""Muscles that the report opens with."""

JOINTS: dict[str, str] = {
    "hip": "Hip",
    "walker_knee": "Knee",
    "knee": "Knee",
    "patellofemoral": "Kneecap",
    "ankle": "Ankle",
    "subtalar": "Subtalar",
    "mtp": "Toes",
    "back": "Lower back",
    "lumbar": "Lower back",
    "acromial": "Shoulder",
    "elbow": "Elbow",
    "radioulnar": "Forearm",
    "radius_hand": "Wrist",
}
"""Joints, by their names in Rajagopal's and gait2392's families without the side."""

FIGURES: dict[str, str] = {
    "seen_fraction": "part of all keypoints that were seen",
    "frames_seen_fraction": "part of the frames with the person in sight",
    "median_sigma_px": "typical uncertainty of a keypoint [px]",
    "reprojection_px": "distance between body and keypoints in the picture [px]",
    "reprojection_share_of_height": "the same as a share of the person's height in the picture",
    "keypoints_used": "part of the keypoints that the fit used",
    "foot_slide_m_per_s": "sliding of planted feet [m/s]",
    "floor_penetration_m": "how far the soles sink into the floor [m]",
    "frames_with_a_planted_foot": "part of the frames with a planted foot",
    "residual_force_rms": "residual force at the pelvis, root mean square [N]",
    "residual_force_peak": "residual force at the pelvis, peak [N]",
    "residual_force_rms_percent_peak_grf": "the same, root mean square [% of the peak ground force]",
    "residual_force_peak_percent_peak_grf": "the same, peak [% of the peak ground force]",
    "residual_moment_rms": "residual moment at the pelvis, root mean square [N·m]",
    "residual_moment_peak": "residual moment at the pelvis, peak [N·m]",
    "residual_moment_rms_percent_bw_height": "the same, root mean square [% of body weight × height]",
    "contact_share_r": "part of the time with the right foot on the ground",
    "contact_share_l": "part of the time with the left foot on the ground",
    "flight_share": "part of the time in flight",
    "mean_vertical_force_body_weights": "mean vertical force [body weights]",
    "peak_ground_force": "peak ground force [N]",
    "reserve_rms": "reserves, root mean square [N·m]",
    "reserve_peak": "largest reserve [N·m]",
    "reserve_peak_percent_moment": "largest reserve [% of the peak moment there]",
    "fully_active_percent": "fully active muscles [% of muscles and frames]",
    "slack_percent": "slack muscles [% of muscles and frames]",
}
"""What the quality figures mean; a figure that is not here is told by its own name."""


def side_of(name: str) -> tuple[str, str]:
    """A name without its side, and the side: right, left or nothing."""
    if name.endswith("_r"):
        return name[:-2], "right"
    if name.endswith("_l"):
        return name[:-2], "left"
    return name, ""


def title_of(stem: str) -> str:
    """A person's word for a coordinate, a joint or a muscle, its own name when there is none."""
    if stem in COORDINATES:
        return COORDINATES[stem][0]
    return JOINTS.get(stem, MUSCLES.get(stem, stem.replace("_", " ")))
