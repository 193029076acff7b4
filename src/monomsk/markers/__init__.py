"""From points of the image to points in space."""
