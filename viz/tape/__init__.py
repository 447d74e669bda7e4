"""What a tape says, put into words: its records by name, where a NaN is born, how often a parameter is used."""
