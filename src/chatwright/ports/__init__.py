"""The Protocols the product asks for."""
