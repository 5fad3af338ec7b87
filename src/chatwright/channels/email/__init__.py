"""A mailbox at any provider: IMAP in, SMTP out; see README.md beside this file."""
