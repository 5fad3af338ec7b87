"""The authorization server's endpoints, and the pages on which people sign in and allow programs things."""
