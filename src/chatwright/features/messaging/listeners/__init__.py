"""Listeners: fetching what came in for inboxes whose provider calls nobody."""
