"""Bots of Telegram; see README.md beside this file."""
