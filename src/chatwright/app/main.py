"""`chatwright`: every command of the product, and the one that must start at once."""

import sys


def main() -> None:
    """Run the command that the command line names."""
    words = sys.argv[1:]
    if words[:1] == ["mcp"] and words[1:2] != ["inspect"]:
        # An MCP client starts this anew for every session and waits for it: nothing else may be imported first.
        from chatwright.client import stdio

        sys.exit(stdio.main(words[1:]))
    from chatwright.app.commands import build

    build(words)()


if __name__ == "__main__":
    main()
