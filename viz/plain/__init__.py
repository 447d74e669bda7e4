"""What knows nothing of computations: numbers and names as text, heat maps, what a notebook shows."""
