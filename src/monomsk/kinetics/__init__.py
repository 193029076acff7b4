"""Forces from motion: the ground under the feet and the moments in the joints."""
