"""Committed events, sent on to browsers as they happen."""
