"""What agents and people look up: documents, their pieces, and the search over them."""
