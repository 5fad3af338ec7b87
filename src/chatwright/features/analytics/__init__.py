"""Numbers about what happened, read from the event log."""
