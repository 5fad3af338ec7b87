"""The phone page: chat as anybody whom an account of the sandbox knows, and set what goes wrong."""
