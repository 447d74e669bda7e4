"""What knows nothing of computations: numbers and names as text, heat maps, files, what a notebook shows."""
