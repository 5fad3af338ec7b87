"""Calls from outside: of channels' providers, and of the pages on which hosted channels live."""
