"""Messenger and Instagram messaging: one way to talk, with the differences between the two."""
