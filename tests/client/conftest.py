from tests.surfaces.mcp.conftest import mcp_url

__all__ = ["mcp_url"]
