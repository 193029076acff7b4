"""From markers and pixels to the coordinates and the size of a body model."""
