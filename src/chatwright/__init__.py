"""Chatwright: an open-source, self-hosted chat platform with an MCP server at its heart."""
