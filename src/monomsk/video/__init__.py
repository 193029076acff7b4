"""From a file to a Clip and its pictures, and what can be known of the camera before anything is fitted."""

from monomsk.video.camera import estimate_camera as estimate_camera
from monomsk.video.decode import frames as frames
from monomsk.video.decode import picture as picture
from monomsk.video.decode import stills as stills
from monomsk.video.reading import read_clip as read_clip
from monomsk.video.steadiness import check_steady as check_steady
