"""monomsk: one video, a height and a mass in; angles, moments, ground and muscle forces out."""

__version__ = "0.1.0"
