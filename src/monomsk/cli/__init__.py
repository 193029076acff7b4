"""The command line: `monomsk run`, `monomsk demo`, `monomsk doctor`."""
