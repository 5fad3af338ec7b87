"""Ready-made accounts, one of each kind, so that a person can connect them within a minute.

Their names and secrets are the same at every start: a product that was connected yesterday still is today. They guard
nothing but a sandbox.
"""

from collections.abc import Sequence
from typing import Any

from chatwright.sandbox.graph.accounts import GraphAccount, Template
from chatwright.sandbox.provider import NewAccount, NewPerson, Provider
from chatwright.sandbox.world import World

_SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105 - it guards nothing, and everybody may know it.
_GRAPH_SECRETS = {"app_secret": _SECRET, "verify_token": "verify-demo"}

ACCOUNTS = (
    NewAccount(
        kind="whatsapp",
        id="100000000000001",
        name="Corner Shop",
        secrets={**_GRAPH_SECRETS, "access_token": "EAAdemo-whatsapp"},
        details={
            "app_id": "900000000000001",
            "waba_id": "200000000000001",
            "display_phone_number": "15550100001",
        },
    ),
    NewAccount(
        kind="messenger",
        id="100000000000002",
        name="Corner Shop",
        secrets={**_GRAPH_SECRETS, "access_token": "EAAdemo-messenger"},
        details={"app_id": "900000000000001"},
    ),
    NewAccount(
        kind="instagram",
        id="17840000000000003",
        name="Corner Shop",
        secrets={**_GRAPH_SECRETS, "access_token": "IGAAdemo-instagram"},
        details={"app_id": "900000000000003", "login": "instagram", "username": "cornershop"},
    ),
    NewAccount(
        kind="telegram",
        name="Corner Shop",
        secrets={"token": "7000000004:AAdemo-telegram-token-of-the-sandbox"},
        details={"username": "corner_shop_bot"},
    ),
    NewAccount(
        kind="zalo",
        id="1000000000000000005",
        name="Corner Shop",
        secrets={
            "app_id": "3000000000000000005",
            "app_secret": "demo-app-secret",
            "oa_secret": "demo-oa-secret",
            "access_token": "demo-zalo-access-token",
            "refresh_token": "demo-zalo-refresh-token",
        },
    ),
)
"""Of those kinds that no provider here has, none is made."""
PEOPLE = (
    {"name": "Ada Byron", "phone": "+84901000001"},
    {"name": "Minh Nguyen", "phone": "+84901000002"},
)
_BODY = {"type": "BODY", "text": "Hello {{1}}, your order {{2}} is on its way."}
_EXAMPLES = {"example": {"body_text": [["Ada", "A-17"]]}}


def furnish(world: World, providers: Sequence[Provider]) -> None:
    """Put the accounts and their people into an empty world."""
    for new in ACCOUNTS:
        provider = next((one for one in providers if new.kind in one.kinds), None)
        if provider is None:
            continue
        account = world.add_account(provider.create_account(new))
        for number, described in enumerate(PEOPLE, start=1):
            person = NewPerson(
                id=_person_id(new.kind, number), name=described["name"], phone=described["phone"]
            )
            world.add_person(account, provider.create_person(account, person))
        if isinstance(account, GraphAccount):
            # As somebody does who sets the app up at the provider; only the address is missing yet.
            account.subscribed = {"*"}
            _add_template(account)


def _person_id(kind: str, number: int) -> str | None:
    """Those of WhatsApp are phone numbers."""
    starts = {
        "messenger": 24_000_000_000_000_000,
        "instagram": 17_900_000_000_000_000,
        "telegram": 500_000_000,
    }
    if kind == "zalo":
        return str(2_000_000_000_000_000_000 + number)
    return str(starts[kind] + number) if kind in starts else None


def _add_template(account: GraphAccount) -> None:
    components: list[dict[str, Any]] = [{**_BODY, **_EXAMPLES}]
    template = Template("700000000000001", "order_on_its_way", "en_US", "UTILITY", components, "APPROVED")
    account.templates[template.id] = template
