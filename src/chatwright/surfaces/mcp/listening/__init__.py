"""Who hears of changes: the event log, told as changed resources."""
