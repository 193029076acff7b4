"""One file, one algorithm: pure functions of a Model and arrays."""

import monomsk.spatial  # noqa: F401  (turns on double precision)
