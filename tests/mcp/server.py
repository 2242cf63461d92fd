"""An MCP server for the tests, written with `mcp` from PyPI: streamable HTTP on loopback, and a log of what was called.

    server.py PORT LOG

Port 0 is any free one. The port is printed once it listens. LOG gets a line of JSON for each call:

    {"tool": …, "arguments": {…}, "meta": {…}, "invocation": …, "idempotency_key": …, "key": …, "query": …, "session": …}

and for each session that is opened:

    {"opened": …}
"""

import asyncio
import json
import logging
import socket
import sys
from typing import Any

import uvicorn
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent

logging.disable(logging.CRITICAL)
server = MCPServer("tests")


def note(**entry):
    log.write(json.dumps(entry) + "\n")
    log.flush()


def called(context, tool, **arguments):
    headers = context.headers or {}
    note(
        tool=tool,
        arguments=arguments,
        meta=dict(context.request_context.meta or {}),
        invocation=headers.get("x-tollgate-invocation-id", ""),
        idempotency_key=headers.get("idempotency-key", ""),
        key=headers.get("x-key", ""),
        query=context.request_context.request.url.query,
        session=headers.get("mcp-session-id", ""),
    )


@server.tool()
def echo(context: Context, q: str = "") -> dict[str, Any]:
    called(context, "echo", q=q)
    return {"said": {"q": q}}


@server.tool(structured_output=False)
def say(context: Context) -> str:
    called(context, "say")
    return "hello, world"


@server.tool(structured_output=False)
def say_json(context: Context) -> str:
    called(context, "say_json")
    return '{"said": 1.50}'


@server.tool()
def refuse(context: Context) -> str:
    called(context, "refuse")
    raise ToolError("there is no such city")


@server.tool()
def priced(context: Context, cost: float = 0) -> dict[str, Any]:
    called(context, "priced", cost=cost)
    return {"cost": cost}


@server.tool()
def priced_beside(context: Context, cost: float = 0) -> CallToolResult:
    called(context, "priced_beside", cost=cost)
    text = TextContent(type="text", text='{"rows": 3}')
    return CallToolResult(content=[text], structured_content={"rows": 3}, _meta={"cost": cost})


@server.tool()
async def hang(context: Context) -> str:
    called(context, "hang")
    await asyncio.Event().wait()
    return ""


class Sessions:
    """Notes every session that an answer opens."""

    def __init__(self, app):
        self.app = app
        self.known = set()

    async def __call__(self, scope, receive, send):
        async def noting(message):
            headers = dict(message.get("headers", [])) if message["type"] == "http.response.start" else {}
            session = headers.get(b"mcp-session-id")
            if session and session not in self.known:
                self.known.add(session)
                note(opened=session.decode())
            await send(message)

        await self.app(scope, receive, noting)


async def main(port):
    listening = socket.create_server(("127.0.0.1", port))
    port = listening.getsockname()[1]
    app = Sessions(server.streamable_http_app())
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
    print(port, flush=True)
    await uvicorn.Server(config).serve(sockets=[listening])


log = open(sys.argv[2], "a", encoding="utf-8")
asyncio.run(main(int(sys.argv[1])))
