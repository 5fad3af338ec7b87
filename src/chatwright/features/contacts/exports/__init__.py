"""Contacts as CSV files."""
