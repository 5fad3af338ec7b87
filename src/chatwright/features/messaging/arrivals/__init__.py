"""Raw events that could not be worked, or that nobody here knows: to be looked at, and put back."""
