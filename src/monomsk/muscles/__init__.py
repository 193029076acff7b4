"""Muscle forces from joint moments (static optimization)."""
