"""What is known of people beyond one model file: where keypoints lie, how lengths vary, how joints are used."""

from dataclasses import dataclass, field

from monomsk.errors import ModelError
from monomsk.model.model import Model
from monomsk.model.scale import Segments
from monomsk.model.sides import plain
from monomsk.model.spec import Marker, ModelSpec


@dataclass(frozen=True)
class Segment:
    """A length that stretches some axes of some bodies, both sides alike."""

    name: str
    axes: dict[str, str]
    """Letters of the stretched axes by body, without the side."""
    spread: float
    """Standard deviation of the logarithm of the length about its value at the person's stature."""
    by_sex: dict[str, float] = field(default_factory=dict[str, float])
    """What to add to the logarithm when the sex is known."""


@dataclass(frozen=True)
class Habit:
    """How a coordinate is used."""

    mean: float
    spread: float
    """[rad or m]"""
    acceleration: float
    """Standard deviation [rad/s² or m/s²]."""


@dataclass(frozen=True)
class Anatomy:
    """All of it; `loose` keypoints lie on skin or a neck that the body model does not move."""

    anchors: tuple[Marker, ...]
    loose: dict[str, float]
    """How many times less a keypoint is to be trusted."""
    shifts: dict[str, float]
    """How far an estimator's notion of a paired keypoint may lie from its place here, per axis [m], by name without the side."""
    segments: tuple[Segment, ...]
    habits: dict[str, Habit]
    """By coordinate, without the side."""

    def habit(self, coordinate: str) -> Habit:
        """Habit of a coordinate; a wide one for coordinates that nobody described."""
        return self.habits.get(plain(coordinate), Habit(0.0, 0.7, 40.0))

    def anchors_on(self, spec: ModelSpec) -> tuple[Marker, ...]:
        """The keypoints whose bodies the model has. Raises ModelError when hips, knees, ankles or shoulders have none."""
        bodies = {body.name for body in spec.bodies}
        found = tuple(a for a in self.anchors if a.body in bodies)
        names = {a.name for a in found}
        for needed in ("hip", "knee", "ankle", "shoulder"):
            if f"{needed}_r" not in names or f"{needed}_l" not in names:
                wanted = ", ".join(sorted({a.body for a in self.anchors if plain(a.name) == needed}))
                raise ModelError(
                    f"model {spec.name} has no body for the {needed}: bodies must be named as in Rajagopal's family ({wanted})"
                )
        return found

    def segments_of(self, model: Model) -> tuple[tuple[Segment, ...], Segments]:
        """The segments that stretch something of the model, and what they stretch."""
        pairs = [
            tuple(
                (i, "xyz".index(axis))
                for body, axes in segment.axes.items()
                for i, name in enumerate(model.body_names)
                if plain(name) == body
                for axis in axes
            )
            for segment in self.segments
        ]
        kept = [(segment, columns) for segment, columns in zip(self.segments, pairs, strict=True) if columns]
        return tuple(s for s, _ in kept), Segments(tuple(s.name for s, _ in kept), tuple(c for _, c in kept))
