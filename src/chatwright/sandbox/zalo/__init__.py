"""Zalo's Official Account API as an app meets it: answers of status 200 that refuse, tokens that turn over, events."""
