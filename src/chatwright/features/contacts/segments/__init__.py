"""Segments: filters that are kept under a name."""
