"""AI agents: a model, instructions, tools, and runs that survive a restart."""
