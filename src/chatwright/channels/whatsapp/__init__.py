"""A business's number on WhatsApp, through Meta's Cloud API; see README.md beside this file."""
