"""Stand-ins for the providers, written from their contracts and never from our adapters."""
