"""A server whose access tokens come from an issuer outside."""

from dataclasses import replace

import httpx2
import pytest

from chatwright.app.server import build_app
from chatwright.app.settings import Settings
from chatwright.app.wiring import open_product
from chatwright.kernel.errors import Misconfigured

ISSUER = "https://login.example.com/"


async def test_it_is_named_and_the_server_built_in_is_off(settings: Settings) -> None:
    outside = replace(settings, oauth_issuer=ISSUER, oauth_jwks_url="https://login.example.com/keys")
    async with open_product(outside) as product:
        transport = httpx2.ASGITransport(app=build_app(product))
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as http:
            described = await http.get("/.well-known/oauth-protected-resource/mcp/x/contacts")
            assert described.json()["authorization_servers"] == [ISSUER]
            assert described.json()["resource"] == "http://testserver/mcp/x/contacts"
            assert (await http.get("/.well-known/oauth-authorization-server")).status_code == 404


async def test_without_one_it_is_the_server_itself(settings: Settings) -> None:
    async with open_product(settings) as product:
        transport = httpx2.ASGITransport(app=build_app(product))
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as http:
            described = await http.get("/.well-known/oauth-protected-resource/mcp")
            assert described.json()["authorization_servers"] == ["http://testserver"]
            assert (await http.get("/.well-known/oauth-authorization-server")).status_code == 200
            unknown = await http.get("/.well-known/oauth-protected-resource/mcp/x/cooking")
            assert unknown.status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"oauth_jwks_url": "https://a.example/keys", "oauth_introspection_url": "https://a.example/ask"},
        {"oauth_introspection_url": "https://a.example/ask"},
    ],
    ids=["neither", "both", "no client"],
)
async def test_half_of_the_settings_is_refused(settings: Settings, changes: dict[str, str]) -> None:
    with pytest.raises(Misconfigured):
        async with open_product(replace(settings, oauth_issuer=ISSUER, **changes)):
            pass
