"""Parts of networks: pure Equinox modules, in single precision, without files."""
