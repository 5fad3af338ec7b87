"""Contacts from CSV files: mapped, tried out, reported row by row, resumed after a crash."""
