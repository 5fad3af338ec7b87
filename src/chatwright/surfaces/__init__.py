"""The faces of the catalogue: every one shows the same operations."""
