"""What every channel promises, as tests: subclass `ChannelContract` in `tests/channels/<name>/`.

A channel brings its samples; the contract asks of them what the product relies on.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast, get_args
from uuid import UUID

import orjson
import pytest
from hypothesis import given, strategies as st
from pydantic import BaseModel

from chatwright.kernel.errors import Forbidden, Unauthenticated
from chatwright.kernel.ids import new_id
from chatwright.ports.channel import AnyChannel, HookRequest, InboxView
from chatwright.ports.content import Content
from chatwright.ports.inbound import InboundMessage, InboundUnknown, RawEvent
from chatwright.ports.secret_settings import destination_names, joined, public_part, secret_part
from chatwright.ports.sending import Outgoing
from tests.channels.door import AtTheDoor

OTHERS: Sequence[object] = (None, 0, "", list[object](), dict[str, object]())
KINDS = {kind.model_fields["type"].default for kind in get_args(get_args(Content)[0])}

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


class ChannelContract(AtTheDoor, ABC):
    """The promises. Everything below `channel`, `inbox`, `samples` and `forgeries` is the same for all."""

    @abstractmethod
    def channel(self) -> AnyChannel:
        """The channel under test."""

    @abstractmethod
    def inbox(self) -> InboxView[Any]:
        """An inbox of the channel."""

    @abstractmethod
    def samples(self) -> Sequence[HookRequest]:
        """Calls as the provider makes them, each with other events, at least one of them a message."""

    @abstractmethod
    def forgeries(self) -> Mapping[str, HookRequest]:
        """Calls that must be refused: altered, unsigned, signed by somebody else, of another inbox."""

    @abstractmethod
    def outgoing(self) -> Outgoing:
        """A message that the provider would take."""

    def events_of(self, request: HookRequest) -> Sequence[RawEvent]:
        channel, inbox = self.channel(), self.inbox()
        return channel.split(inbox, request, channel.verify(inbox, request))

    def test_its_name_is_a_word_that_fits_into_a_path(self) -> None:
        assert self.channel().name.isidentifier()
        assert self.channel().name.islower()

    def test_every_setting_is_explained_in_words(self) -> None:
        properties = _settings_of(self.channel()).model_json_schema()["properties"]
        assert {name for name, schema in properties.items() if not schema.get("description")} == set()

    def test_a_misspelt_setting_is_refused(self) -> None:
        settings = self.inbox().settings
        settings = public_part(settings) | secret_part(settings) | {"no_such_setting": 1}
        with pytest.raises(ValueError, match="no_such_setting"):
            _settings_of(self.channel()).model_validate(settings)

    def test_settings_survive_being_stored(self) -> None:
        settings = self.inbox().settings
        public, secret = (
            orjson.loads(orjson.dumps(part)) for part in (public_part(settings), secret_part(settings))
        )
        assert joined(_settings_of(self.channel()), public, secret) == settings

    def test_no_secret_is_shown(self) -> None:
        settings = self.inbox().settings
        shown = orjson.dumps(public_part(settings)).decode() + repr(settings)
        secrets = [str(secret) for secret in secret_part(settings).values() if secret]
        assert [secret for secret in secrets if secret in shown] == []

    def test_settings_that_say_where_secrets_go_are_marked(self) -> None:
        settings = _settings_of(self.channel())
        addresses = {name for name in settings.model_fields if name.endswith(("_url", "_host"))}
        assert addresses == destination_names(settings)

    def test_it_names_only_contents_there_are(self) -> None:
        assert self.channel().capabilities.contents <= KINDS
        assert "text" in self.channel().capabilities.contents

    def test_forgeries_are_refused(self) -> None:
        assert self.forgeries()
        for name, request in self.forgeries().items():
            with pytest.raises((Unauthenticated, Forbidden)):
                pytest.fail(f"{name} was taken for {self.channel().verify(self.inbox(), request)}")

    def test_copies_of_a_call_have_the_same_keys(self) -> None:
        for request in self.samples():
            first, again = self.events_of(request), self.events_of(replace(request))
            assert [event.dedupe_key for event in first] == [event.dedupe_key for event in again]
            assert [event.lane for event in first] == [event.lane for event in again]

    def test_different_events_have_different_keys(self) -> None:
        keys = [event.dedupe_key for request in self.samples() for event in self.events_of(request)]
        assert len(keys) > 1
        assert len(set(keys)) == len(keys)

    def test_payloads_survive_being_stored_and_say_the_same_then(self) -> None:
        for event in self._sample_events():
            stored = orjson.loads(orjson.dumps(dict(event.payload)))
            assert stored == event.payload
            parse = self.channel().parse
            assert parse(self.inbox(), stored) == parse(self.inbox(), event.payload) != []

    def test_a_message_has_an_id_an_address_and_a_lane_of_its_own(self) -> None:
        messages = [
            inbound
            for event in self._sample_events()
            for inbound in self.channel().parse(self.inbox(), event.payload)
            if isinstance(inbound, InboundMessage)
        ]
        assert messages
        for message in messages:
            assert message.external_id
            assert all(message.person.identities.items())
            assert message.person.identities
        assert len({message.external_id for message in messages}) == len(messages)

    def test_a_sample_cut_anywhere_is_read_without_an_exception(self) -> None:
        for event in self._sample_events():
            for path in _paths(event.payload):
                for other in OTHERS:
                    self.channel().parse(self.inbox(), _with(event.payload, path, other))

    def test_a_sample_with_anything_in_it_is_read_without_an_exception(self) -> None:
        events = list(self._sample_events())

        @given(data=st.data())
        def reads(data: st.DataObject) -> None:
            payload = data.draw(st.sampled_from(events)).payload
            path = data.draw(st.sampled_from(list(_paths(payload))))
            self.channel().parse(self.inbox(), _with(payload, path, data.draw(ANY_JSON)))

        reads()

    def test_anything_is_read_without_an_exception(self) -> None:
        # Hypothesis wants a function of its own for every channel that inherits this.
        @given(payload=st.dictionaries(st.text(max_size=8), ANY_JSON, max_size=4))
        def reads(payload: dict[str, Any]) -> None:
            self.channel().parse(self.inbox(), payload)

        reads()

    def test_what_nobody_knows_is_said_to_be_unknown(self) -> None:
        found = self.channel().parse(self.inbox(), {"zzz": 1})
        assert found
        assert all(isinstance(inbound, InboundUnknown) for inbound in found)

    async def test_a_message_goes_out_under_an_id(self) -> None:
        outcome = await self.channel().send(self.inbox(), self.outgoing())
        assert outcome.reaction is None
        assert outcome.external_id

    def _sample_events(self) -> Iterator[RawEvent]:
        for request in self.samples():
            yield from self.events_of(request)


def an_inbox(settings: BaseModel, *, inbox_id: UUID | None = None, **more: Any) -> InboxView[Any]:
    """An inbox that exists only for a test."""
    return InboxView(inbox_id or new_id(), new_id(), settings, **more)


def _settings_of(channel: AnyChannel) -> type[BaseModel]:
    return channel.Settings


Path = tuple[str | int, ...]


def _paths(value: Any, at: Path = ()) -> Iterator[Path]:
    """Where every part of a JSON value is, the whole of it left out."""
    items: Mapping[str | int, Any] = {}
    if isinstance(value, dict):
        items = cast("dict[str | int, Any]", value)
    elif isinstance(value, list):
        items = dict(enumerate(cast("list[Any]", value)))
    for key, part in items.items():
        yield (*at, key)
        yield from _paths(part, (*at, key))


def _with(payload: Mapping[str, Any], path: Path, other: object) -> dict[str, Any]:
    """The payload with one part exchanged."""
    copy = orjson.loads(orjson.dumps(dict(payload)))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = other
    return copy
