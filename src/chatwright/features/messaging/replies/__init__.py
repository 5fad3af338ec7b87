"""Saved replies: words to send again."""
