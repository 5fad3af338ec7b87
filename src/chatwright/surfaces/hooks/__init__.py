"""Inbound calls from channels: verify, store the raw event, answer, work later."""
