"""Training of the networks: one readable script a job, and the loop that they share."""
