"""Official Accounts of Zalo; see README.md beside this file."""
