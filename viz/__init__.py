"""Pictures of the tape."""
