"""Instagram messaging, with comments under posts; see README.md beside this file."""
