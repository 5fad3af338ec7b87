"""Calls that the caller's own user confirms: what they would do, and the tokens that say yes."""
