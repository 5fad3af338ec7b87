"""The authorization server that is built in (OAuth 2.1): clients, what people granted them, codes and tokens."""
