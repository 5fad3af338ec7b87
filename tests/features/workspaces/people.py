"""Principals as a workspace really has them: members at their screen, and tokens that can be revoked."""

from typing import Any

from pydantic import SecretStr

from chatwright.features.workspaces.authentication import Join, Presented
from chatwright.features.workspaces.operations import create_token, invite_member
from chatwright.kernel.caller import Caller, Surface
from chatwright.kernel.ids import new_id
from tests.conftest import Desk


async def member_of(desk: Desk, role: str = "owner", *, surface: Surface = Surface.WEB) -> Caller:
    """A person who has joined the workspace, signed in."""
    email = f"{new_id().hex}@example.com"
    invitation = await desk.call(invite_member, email=email, role=role)
    request = Join(
        link=invitation["path"].partition("#")[2],
        email=email,
        name="Mai",
        password=SecretStr("a long password"),
    )
    cookie = await desk.product.sessions.join(request, "tests")
    return await desk.product.authenticator.by_session(cookie, Presented(surface))


async def token_of(
    desk: Desk, *, made_by: Caller | None = None, surface: Surface = Surface.MCP, **wishes: Any
) -> tuple[Caller, str]:
    """A program with an access token of its own; and the token's id, to revoke it by."""
    made = await desk.call(create_token, as_=made_by, **{"name": "n8n", **wishes})
    caller = await desk.product.authenticator.by_token(made["token"], Presented(surface))
    return caller, made["access_token"]["id"]
