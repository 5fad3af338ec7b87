"""A caller for a running server, used by the command line and by other programs."""
