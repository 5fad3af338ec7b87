"""The guide shows code that is installed and tested, and not what it once was."""

import re
from pathlib import Path

BLOCK = re.compile(r"```(?:python|toml)\n(.*?)```", re.DOTALL)


def test_all_code_of_the_guide_is_from_the_example(repository: Path) -> None:
    example = repository / "examples/orders"
    files = [example / "pyproject.toml", *(example / "src").rglob("*.py")]
    code = "\n".join(file.read_text() for file in files)
    blocks = BLOCK.findall((repository / "docs/howto/extend-chatwright.md").read_text())
    assert len(blocks) == 6
    assert [block for block in blocks if block.rstrip() not in code] == []
