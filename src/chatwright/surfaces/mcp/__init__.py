"""The catalogue as MCP tools, resources and prompts."""
