"""Motion and forces made to agree with the equations of motion, and how well they do."""
