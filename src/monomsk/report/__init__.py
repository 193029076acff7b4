"""What a run leaves behind: the result folder, its summary and provenance, and a report a person can read."""
