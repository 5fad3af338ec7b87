"""Facebook Messenger, with the comments and lead forms of its page; see README.md beside this file."""
