"""One message to many contacts, each sent at most once."""
