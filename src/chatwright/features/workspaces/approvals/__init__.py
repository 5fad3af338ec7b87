"""The queue of calls that a person of the workspace has to approve."""
