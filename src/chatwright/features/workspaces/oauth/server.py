"""The authorization server as the HTTP face knows it."""

from collections.abc import Mapping

from chatwright.features.workspaces.limits import RateLimiter
from chatwright.features.workspaces.oauth import store
from chatwright.features.workspaces.oauth.authorization import Authorizations
from chatwright.features.workspaces.oauth.clients import GRANT_TYPES, Client, Proof, check_proof, register
from chatwright.features.workspaces.oauth.documents import Documents
from chatwright.features.workspaces.oauth.errors import Refused
from chatwright.features.workspaces.oauth.issuing import Issuing
from chatwright.features.workspaces.oauth.policy import OAuthPolicy
from chatwright.features.workspaces.oauth.rules import METHOD
from chatwright.features.workspaces.rules import all_scopes
from chatwright.net.http import Web
from chatwright.ports.cipher import Cipher
from chatwright.ports.database import Database

AUTH_METHODS = ("none", "client_secret_basic", "client_secret_post")


class AuthorizationServer:
    """Who asks, what people allow them, and the tokens that come of it."""

    def __init__(
        self, database: Database, cipher: Cipher, web: Web, limiter: RateLimiter, policy: OAuthPolicy
    ) -> None:
        self._database = database
        self.policy = policy
        self.authorizations = Authorizations(database, Documents(database, web, limiter), policy)
        self.issuing = Issuing(database, cipher, policy)

    def metadata(self) -> dict[str, object]:
        """What clients may know of it before they ask (RFC 8414)."""
        issuer = self.policy.issuer
        told: dict[str, object] = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/oauth/authorize",
            "token_endpoint": f"{issuer}/oauth/token",
            "revocation_endpoint": f"{issuer}/oauth/revoke",
            "introspection_endpoint": f"{issuer}/oauth/introspect",
            "scopes_supported": sorted(all_scopes()),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": list(GRANT_TYPES),
            "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
            "revocation_endpoint_auth_methods_supported": list(AUTH_METHODS),
            "introspection_endpoint_auth_methods_supported": list(AUTH_METHODS[1:]),
            "code_challenge_methods_supported": [METHOD],
            "authorization_response_iss_parameter_supported": True,
            "client_id_metadata_document_supported": self.policy.documents,
            "protected_resources": [self.policy.endpoint],
        }
        if self.policy.registration:
            told["registration_endpoint"] = f"{issuer}/oauth/register"
        return told

    async def register(self, told: Mapping[str, object]) -> dict[str, object]:
        """Take in a client that comes by itself; raises Refused."""
        if not self.policy.registration:
            raise Refused("invalid_client_metadata", "This server takes no registrations.")
        async with self._database.transaction():
            return await register(told)

    async def prove(self, proof: Proof) -> Client:
        """The client behind a call to the token endpoint; raises ClientRefused."""
        client = await self.authorizations.find_again(proof.client_id)
        check_proof(client, proof)
        return client


async def forget_what_ended() -> None:
    """Delete codes, tokens and documents that ended, and registrations that nobody uses."""
    await store.FORGET_CODES.run()
    await store.FORGET_TOKENS.run()
    await store.FORGET_DOCUMENTS.run()
    await store.FORGET_CLIENTS.run()
