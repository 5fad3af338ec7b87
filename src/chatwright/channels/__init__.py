"""One folder per channel: how a provider's wire speaks."""
