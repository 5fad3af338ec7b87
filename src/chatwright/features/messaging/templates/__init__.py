"""Templates: messages that a provider approves beforehand."""
