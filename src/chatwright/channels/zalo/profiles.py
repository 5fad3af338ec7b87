"""Who somebody is: events carry an id alone, and the profile has the name (GET /v3.0/oa/user/detail)."""

from chatwright.channels.zalo.addresses import USER
from chatwright.net.reading import as_text, dig
from chatwright.ports.inbound import Person


def person_told(user_id: str, profile: object) -> Person:
    """Somebody as their profile tells; name and phone that they shared with the account count more."""
    shared = dig(profile, "shared_info")
    return Person(
        {USER: user_id},
        name=as_text(dig(shared, "name")) or as_text(dig(profile, "display_name")),
        phone=as_text(dig(shared, "phone")),
    )
