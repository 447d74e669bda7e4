"""The steps of a computation, forward and backward, each with its formula, its numbers and a sentence."""
