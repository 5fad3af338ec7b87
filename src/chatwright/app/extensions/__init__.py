"""Packages of others: found, judged, and put beside the product's own operations."""
