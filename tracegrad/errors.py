"""The error that the command line shows as a sentence."""


class UsageError(Exception):
    """Something that the person at the keyboard can put right; the message is the whole story."""
