"""Deliveries: how what we say gets out, at most once, at the right pace, and only where it may."""
