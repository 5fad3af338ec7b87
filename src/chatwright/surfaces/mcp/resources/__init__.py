"""The reading room: what can be read by URI."""
