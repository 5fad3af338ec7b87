"""Extensions beside the product: what does not fit is said in words, before anything is served."""

from collections.abc import Callable
from typing import Any

import pytest

from chatwright.app.extensions.judging import COMMANDS, PLACES, Judge
from chatwright.app.extensions.loading import BadExtension, Installed, Source
from chatwright.app.extensions.offering import Offering, offering_of
from chatwright.catalogue import CATALOGUE, TOOLSETS
from chatwright.extension import (
    AnyOperation,
    Caller,
    Directory,
    Effect,
    Extension,
    Input,
    Kind,
    Output,
    OwnScope,
    Part,
    Recipe,
    operation,
)
from chatwright.surfaces.http.document import described_routes


class Asked(Input):
    id: str = ""
    """Of an order."""


class KeyAsked(Input):
    idempotency_key: str = ""
    """Of the caller's own."""


def reading(name: str = "orders.list", **changes: Any) -> AnyOperation:
    columns: dict[str, Any] = {
        "tool": "list_orders",
        "scope": "orders:read",
        "http": "GET /orders",
        **changes,
    }

    @operation(name, effect=Effect.READ, **columns)
    async def read(caller: Caller, request: Asked) -> Output:
        """Show orders."""
        raise NotImplementedError

    return read


@operation(
    "orders.pay", tool="pay_order", scope="orders:write", effect=Effect.ADD, http="POST /orders/{id}/payments"
)
async def pay(caller: Caller, request: Asked) -> Output:
    """Pay an order."""
    raise NotImplementedError


@operation("orders.key", tool="key_order", scope="orders:read", effect=Effect.READ, http="GET /orders/key")
async def keyed(caller: Caller, request: KeyAsked) -> Output:
    """Show an order."""
    raise NotImplementedError


SCOPES = (OwnScope("orders:read", "See orders"), OwnScope("orders:write", "Pay orders"))
KIND = Kind("orders/{id}", "Order", "An order.", {"order": Part("orders.list")})
RECIPE = Recipe(
    "pay_it", "Pay it", "Pay.", "Look with {orders.list}, pay with {orders.pay}.", (), ("orders/{x}",)
)
GOOD = Extension((reading(), pay), SCOPES, (KIND,), (RECIPE,))


def problems(extension: Extension, *, beside: Extension | None = None) -> list[str]:
    judge = Judge()
    if beside is not None:
        judge.accept(beside)
    return list(judge.problems(extension))


def test_one_that_fits_joins_the_product_on_every_list() -> None:
    assert problems(GOOD) == []
    offering = offering_of([Installed(Source("orders", "shop", "1"), GOOD)])
    assert offering.operations == (*CATALOGUE, *GOOD.operations)
    assert offering.toolsets["orders"] == {"orders.list", "orders.pay"}
    assert offering.toolsets["all"] == TOOLSETS["all"] | {"orders.list", "orders.pay"}
    assert {name: offering.toolsets[name] for name in TOOLSETS if name != "all"} == {
        name: TOOLSETS[name] for name in TOOLSETS if name != "all"
    }
    assert offering.kinds[-1] is KIND
    assert offering.recipes[-1] is RECIPE


def test_the_product_alone_is_the_product() -> None:
    offering = Offering()
    assert offering.operations == CATALOGUE
    assert offering.toolsets == TOOLSETS
    assert offering.scopes == []


BAD: list[tuple[Callable[[], Extension], str]] = [
    (lambda: Extension((reading("contacts.mine"),), SCOPES), "begins with 'contacts', which is taken"),
    (lambda: Extension((reading("agent.list"),), SCOPES), "begins with 'agent', which is taken"),
    (lambda: Extension((reading("serve.list"),), SCOPES), "begins with 'serve', which is taken"),
    (lambda: Extension((reading("Orders"),), SCOPES), "is not called noun.verb"),
    (lambda: Extension((reading(tool="find_contacts"),), SCOPES), "a tool called 'find_contacts' already"),
    (lambda: Extension((reading(tool="search_tools"),), SCOPES), "a tool called 'search_tools' already"),
    (lambda: Extension((reading(tool="list-orders"),), SCOPES), "small letters, digits and underscores"),
    (lambda: Extension((reading(http="GET /contacts/orders"),), SCOPES), "all below /contacts is taken"),
    (lambda: Extension((reading(http="GET /events"),), SCOPES), "all below /events is taken"),
    (lambda: Extension((reading(http="GET /{id}"),), SCOPES), "does not begin with a word of its own"),
    (lambda: Extension((reading(), reading()), SCOPES), "brings the operation 'orders.list' twice"),
    (
        lambda: Extension(
            (reading(http="GET /orders/{id}"), reading("orders.b", tool="b", http="GET /orders/{id}")), SCOPES
        ),
        "brings the route 'GET /orders/{}' twice",
    ),
    (lambda: Extension((reading(scope="order:read"),), SCOPES), "which neither it nor the product has"),
    (lambda: Extension((keyed,), SCOPES), "takes 'idempotency_key', which every tool has"),
    (lambda: Extension(scopes=(OwnScope("contacts:burn", "Burn"),)), "is not called noun:read or noun:write"),
    (lambda: Extension(scopes=(OwnScope("contacts:read", "See"),)), "noun that has scopes already"),
    (lambda: Extension(scopes=(OwnScope("orders:read", " "),)), "has no words for the person"),
    (
        lambda: Extension((pay,), SCOPES, (Kind("orders/{id}", "", "", {"": Part("orders.pay")}),)),
        "which writes",
    ),
    (lambda: Extension((), (), (KIND,)), "stands on 'orders.list', and there is no such operation"),
    (
        lambda: Extension(resources=(Kind("orders", "", "", directory=Directory("x.y", str)),)),
        "stands on 'x.y', and there is no such operation",
    ),
    (lambda: Extension(resources=(Kind("contacts/{id}/x", "", ""),)), "begin with a word of its own"),
    (lambda: Extension(prompts=(RECIPE,)), "leads to 'orders.list', and there is no such operation"),
    (
        lambda: Extension((reading(), pay), SCOPES, (), (RECIPE,)),
        "shows 'orders/{x}', and there is no such resource",
    ),
    (
        lambda: Extension(prompts=(Recipe("draft_reply", "", "", "", ()),)),
        "a prompt called 'draft_reply' already",
    ),
]


@pytest.mark.parametrize(("make", "words"), BAD, ids=[words for _, words in BAD])
def test_one_that_does_not_fit_is_refused_in_words_with_its_package(
    make: Callable[[], Extension], words: str
) -> None:
    with pytest.raises(BadExtension) as caught:
        offering_of([Installed(Source("orders", "shop", "1.2"), make())])
    assert caught.value.message.startswith("The extension orders (shop 1.2) cannot be used: ")
    assert words in caught.value.message
    assert "CHATWRIGHT_EXTENSIONS" in (caught.value.hint or "")


def test_two_extensions_take_nothing_from_each_other() -> None:
    told = problems(GOOD, beside=GOOD)
    assert any("'orders', which is taken" in problem for problem in told)
    assert any("a tool called 'pay_order' already" in problem for problem in told)
    assert any("all below /orders is taken" in problem for problem in told)
    assert any("noun that has scopes already" in problem for problem in told)
    assert any("resource 'orders/{id}' does not begin" in problem for problem in told)
    assert any("a prompt called 'pay_it' already" in problem for problem in told)


def test_every_place_and_command_of_the_product_is_kept_for_it() -> None:
    begun = {route.path.removeprefix("/api/v1/").split("/")[0] for route in described_routes(CATALOGUE)}
    own = {operation.path.split("/")[1] for operation in CATALOGUE} | PLACES
    assert {begin for begin in begun if begin} <= own | {""}
    assert {"up", "serve", "work", "mcp", "extensions"} <= COMMANDS
