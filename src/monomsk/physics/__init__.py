"""Mechanics: one file, one algorithm; pure functions of a Model and arrays, one frame at a time (batch with `vmap`)."""
