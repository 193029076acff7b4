"""Making what monomsk is tried and trained on: the demonstration walk and its clip."""
