"""How people are named outside of Zalo, so that an address alone says how to write to them.

| address | who |
|---|---|
| `2512523625412515` | somebody who wrote to, or follows, the account: their id with it |
| `a1b2c3/9f8e7d` | somebody who is not logged in, in one conversation |
| `+84901234567` | whoever has this number, who gets templates alone |
"""

import re
from dataclasses import dataclass

USER = "zalo"
ANONYMOUS = "zalo_anonymous"
_WORD = r"[A-Za-z0-9_-]{1,100}"
_ADDRESS = re.compile(
    rf"\+(?P<phone>\d{{8,15}})|(?P<user>{_WORD})|(?P<anonymous>{_WORD})/(?P<conversation>{_WORD})"
)


@dataclass(frozen=True, slots=True)
class UserAddress:
    user_id: str

    @property
    def recipient(self) -> dict[str, str]:
        """As sends name them."""
        return {"user_id": self.user_id}


@dataclass(frozen=True, slots=True)
class AnonymousAddress:
    anonymous_id: str
    conversation_id: str

    @property
    def recipient(self) -> dict[str, str]:
        """As sends name them."""
        return {"anonymous_id": self.anonymous_id, "conversation_id": self.conversation_id}


@dataclass(frozen=True, slots=True)
class PhoneAddress:
    phone: str
    """With the country's code, without the plus, as Zalo writes it."""


Address = UserAddress | AnonymousAddress | PhoneAddress


def read_address(text: str) -> Address | None:
    """Who is meant; None when it is no address of Zalo's."""
    found = _ADDRESS.fullmatch(text)
    if found is None:
        return None
    if found["phone"]:
        return PhoneAddress(found["phone"])
    if found["user"]:
        return UserAddress(found["user"])
    return AnonymousAddress(found["anonymous"], found["conversation"])
