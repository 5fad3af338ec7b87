"""Machinery behind the ports: the database, the claimer of due work, storage."""
