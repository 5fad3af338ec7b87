"""Inboxes, conversations, messages, and who answers: bot or human."""
