"""Inboxes: the connected channels of a workspace."""
