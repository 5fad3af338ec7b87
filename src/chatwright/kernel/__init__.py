"""Words everyone shares; it imports nothing of the product."""
