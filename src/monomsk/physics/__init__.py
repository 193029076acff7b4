"""Mechanics: one file, one algorithm; pure functions of a Model and arrays, one frame at a time (batch with `vmap`)."""

from monomsk import spatial as spatial

# Importing it turns on double precision, also for those files here that need nothing else of it.
