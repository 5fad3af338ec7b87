"""What starts when a visitor writes a certain word."""
