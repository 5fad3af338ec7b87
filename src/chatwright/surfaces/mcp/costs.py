"""What tools cost a model that reads their list.

Counted without any tokenizer, so that everybody counts alike: the bytes of a tool's compact JSON, by four.
"""

from typing import Final

import orjson
from mcp.types import Tool

MOST_PER_TOOL: Final = 600
"""Tokens of any one tool."""
MOST_BY_DEFAULT: Final = 8_000
"""Tokens of the tools that are listed where nothing else was chosen."""
BYTES_PER_TOKEN: Final = 4


def bytes_of(tool: Tool) -> int:
    """Bytes of a tool as tools/list sends it, without white space."""
    return len(orjson.dumps(tool.model_dump(mode="json", by_alias=True, exclude_none=True)))


def tokens_of(tool: Tool) -> int:
    """Tokens of a tool, rounded up."""
    return -(-bytes_of(tool) // BYTES_PER_TOKEN)
