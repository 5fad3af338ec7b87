"""What comes in, applied: each kind of news to the conversations, people and accounts it is about."""
