"""What starts by itself when an event fits."""
