"""A chat bubble on any website; see README.md beside this file."""
