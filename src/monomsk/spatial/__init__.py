"""Rotations and spatial vectors: pure functions of arrays.

Mechanics needs double precision to agree with OpenSim to rounding, so importing this package turns it on in JAX;
functions follow the dtype of what they are given, so networks stay in single precision.
"""

import jax

jax.config.update("jax_enable_x64", True)
