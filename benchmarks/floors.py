"""The floors: the least that could do the same work, as programs.

python -m benchmarks.floors raw PORT DSN   an ASGI function with the product's own SQL, no checks at all
python -m benchmarks.floors sdk PORT       the MCP SDK's low-level server with one trivial tool
python -m benchmarks.floors stdio          the same over stdin and stdout
python -m benchmarks.floors send URL TOKEN N     a text to each of the people on stdin, N at a time; prints its
                                           seconds, and those of the processor
python -m benchmarks.floors idle           a process that has only imported what any such server needs
"""

import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp.server.lowlevel.server import Server
    from starlette.types import ASGIApp

# Each floor imports only what it needs: what it costs to start, and to be there, is measured too.
# ruff: noqa: PLC0415


def main(kind: str = "", *rest: str) -> None:
    """Run one floor."""
    match kind, rest:
        case "raw", (port, dsn):
            from benchmarks.raw import application

            _serve(application(dsn), int(port))
        case "sdk", (port,):
            _serve(_sdk().streamable_http_app(json_response=True, stateless_http=True), int(port))
        case "stdio", ():
            asyncio.run(_stdio())
        case "send", (url, token, at_once):
            asyncio.run(_send(url, token, int(at_once), json.load(sys.stdin)))
        case "idle", ():
            import fastapi
            import uvicorn

            print(fastapi.__version__, uvicorn.__version__)
            time.sleep(3600)
        case _:
            sys.exit(__doc__)


def _serve(app: "ASGIApp", port: int) -> None:
    """As the product is served."""
    import uvicorn

    uvicorn.run(app, port=port, log_config=None, access_log=False, server_header=False)


def _sdk() -> "Server[dict[str, Any]]":
    from mcp.server.lowlevel.server import Server
    from mcp.types import (
        CallToolRequestParams,
        CallToolResult,
        ListToolsResult,
        PaginatedRequestParams,
        TextContent,
        Tool,
    )

    schema = {"type": "object", "properties": {"text": {"type": "string"}}}
    tool = Tool(name="echo", description="Say it again.", input_schema=schema)

    async def list_tools(_: Any, params: PaginatedRequestParams | None) -> ListToolsResult:
        del params
        return ListToolsResult(tools=[tool])

    async def call_tool(_: Any, params: CallToolRequestParams) -> CallToolResult:
        text = str((params.arguments or {}).get("text"))
        return CallToolResult(content=[TextContent(text=text)])

    return Server(
        "floor",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        get_tool_input_schema=lambda _: schema,
    )


async def _send(url: str, token: str, at_once: int, people: list[str]) -> None:
    import httpx2

    waiting = iter(people)
    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=30) as client:

        async def loop() -> None:
            for person in waiting:
                body = {
                    "messaging_product": "whatsapp",
                    "to": person,
                    "type": "text",
                    "text": {"body": "Hello"},
                }
                (await client.post(url, json=body)).raise_for_status()

        started, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(loop() for _ in range(at_once)))
        print(json.dumps([time.perf_counter() - started, time.process_time() - cpu]))


async def _stdio() -> None:
    from mcp.server.stdio import stdio_server

    server = _sdk()
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


if __name__ == "__main__":
    main(*sys.argv[1:])
