"""One family of errors. A message says what was wrong, where, and what to do about it.

The command line prints the message alone, without a traceback, and exits with `exit_code`.
"""


class MonomskError(Exception):
    """Something a person can mend; everything monomsk raises on purpose derives from it."""

    exit_code = 1


class InputError(MonomskError):
    """An argument or a configuration value that cannot be right (a height of 175 metres)."""

    exit_code = 2


class VideoError(MonomskError):
    """A video that cannot be opened, decoded or used (moving camera, too short)."""

    exit_code = 3


class KeypointError(MonomskError):
    """Keypoints that cannot be found in the video or read from a file (no person, unknown format)."""

    exit_code = 4


class SeveralPeopleError(KeypointError):
    """People in the video between whom only a person can choose; carries where they are, for a numbered picture."""

    def __init__(self, message: str, time: float, boxes: tuple[tuple[int, tuple[float, float, float, float]], ...]) -> None:
        super().__init__(message)
        self.time = time
        """When [s, on the axis of the clip]."""
        self.boxes = boxes
        """Number, and box x, y, width, height [px of the upright picture], of each."""


class ModelError(MonomskError):
    """A body model that cannot be read or compiled (unsupported joint, missing body)."""

    exit_code = 5


class FormatError(MonomskError):
    """A data file that is not what its name says (.trc, .mot, .sto, .xml, .npz, .json)."""

    exit_code = 6


class SolveError(MonomskError):
    """An optimisation that found no usable answer."""

    exit_code = 7


class OutputError(MonomskError):
    """A result that cannot be written (folder exists, disk full, no permission)."""

    exit_code = 8
