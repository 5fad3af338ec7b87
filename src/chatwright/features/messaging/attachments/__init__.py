"""Files beside messages: bytes in the storage port, facts in a table."""
