"""Scopes that extensions bring along."""

from collections.abc import Generator

import pytest

from chatwright.features.workspaces.oauth import rules as oauth
from chatwright.features.workspaces.rules import (
    SCOPES,
    all_scopes,
    effective_scopes,
    scopes_of_member,
    unknown_scopes,
)
from chatwright.ports.scopes import OwnScope, own_scopes, register_scopes

READ = OwnScope("orders:read", "See orders", frozenset({"analyst"}))
WRITE = OwnScope("orders:write", "Pay orders back")


@pytest.fixture
def _orders() -> Generator[None]:
    before = list(own_scopes().values())
    register_scopes([READ, WRITE])
    yield
    register_scopes(before)


def test_without_extensions_there_are_the_products_own() -> None:
    assert all_scopes() == SCOPES
    assert unknown_scopes(["orders:read"]) == ["orders:read"]
    assert effective_scopes(["orders:read", "contacts:read"], read_only=False) == {"contacts:read"}


@pytest.mark.usefixtures("_orders")
class TestBesideTheProducts:
    def test_they_are_known_wherever_scopes_are(self) -> None:
        assert unknown_scopes(["orders:read", "orders:write", "orders:burn"]) == ["orders:burn"]
        assert effective_scopes(["orders:write"], read_only=True) == {"orders:read"}
        assert oauth.wanted_scopes("orders:read nonsense", None) == {"orders:read"}
        assert oauth.with_reading(["orders:write"]) == {"orders:read", "orders:write"}

    def test_owners_and_admins_hold_them_and_others_as_they_say(self) -> None:
        own = {"orders:read", "orders:write"}
        assert own <= scopes_of_member("owner", agency=False)
        assert own <= scopes_of_member("admin", agency=False)
        assert own & scopes_of_member("analyst", agency=False) == {"orders:read"}
        assert not own & scopes_of_member("agent", agency=False)

    def test_consent_says_them_in_their_own_words_and_what_writes_apart(self) -> None:
        assert oauth.words_for("orders:write") == "Pay orders back"
        assert oauth.is_risky("orders:write")
        assert not oauth.is_risky("orders:read")
        assert OwnScope("salaries:read", "See salaries", risky=True).is_risky
