"""Files: the only place that opens them, and where degrees and millimetres exist."""
