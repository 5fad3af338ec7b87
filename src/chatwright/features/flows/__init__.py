"""Conversations drawn as a graph of steps, and the sessions that walk through it."""
