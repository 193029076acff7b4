"""From pictures, or recorded files, to the keypoints of one person on the grid of the clip."""

from monomsk.keypoints.mediapipe import detect as detect
from monomsk.keypoints.people import find_people as find_people
from monomsk.keypoints.recorded import recorded_keypoints as recorded_keypoints
