"""The catalogue as REST under /api/v1, and the pages the server hands out."""
