"""Operations grouped as a person sees them: by layer call, by repeats."""
