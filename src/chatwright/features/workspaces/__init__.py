"""Agencies, workspaces, members, access tokens and the audit trail."""
