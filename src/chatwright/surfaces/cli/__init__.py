"""The catalogue as commands of the shell, over a running server."""
