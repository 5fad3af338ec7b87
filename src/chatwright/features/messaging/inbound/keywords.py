"""Words that people write to be left alone, or to be written to again. Data, and one rule: the whole message."""

import unicodedata
from typing import Final

from chatwright.features.contacts.models import ConsentState

_OPT_OUT: Final = (
    "stop",
    "stop all",
    "stopall",
    "unsubscribe",
    "cancel subscription",
    "opt out",
    "opt-out",
    "remove me",
    # Vietnamese
    "dừng",
    "dừng lại",
    "dừng nhận tin",
    "ngừng nhận tin",
    "hủy đăng ký",
    "huỷ đăng ký",
    "từ chối nhận tin",
    "không nhận tin nữa",
    # as it is typed without accents, where that means nothing else
    "huy dang ky",
    "tu choi nhan tin",
    "ngung nhan tin",
    # the word that Vietnamese carriers ask for (Decree 91/2020)
    "tc",
)
_OPT_IN: Final = (
    "unstop",
    "subscribe",
    "opt in",
    "opt-in",
    "đăng ký nhận tin",
    "dang ky nhan tin",
    "nhận tin lại",
)
_AROUND: Final = " \t\r\n.!?,;:'\"()[]*_~\N{HORIZONTAL ELLIPSIS}"


def _plain(text: str) -> str:
    words = unicodedata.normalize("NFC", text).casefold().strip(_AROUND)
    return " ".join(words.split())


_STATES: Final[dict[str, ConsentState]] = {
    **{_plain(word): "opted_out" for word in _OPT_OUT},
    **{_plain(word): "opted_in" for word in _OPT_IN},
}
_LONGEST: Final = 2 * max(map(len, _STATES))


def consent_in(text: str) -> ConsentState | None:
    """What a message says about being written to, if that is all it says."""
    return _STATES.get(_plain(text)) if len(text) <= _LONGEST else None
