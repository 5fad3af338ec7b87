"""The status of a message made of its parts, quiet hours, reply windows."""

from datetime import UTC, datetime, time, timedelta

import pytest

from chatwright.features.messaging.deliveries.models import QuietHours
from chatwright.features.messaging.deliveries.rules import PartStatus, message_status, quiet_until
from chatwright.features.messaging.deliveries.windows import lets_pass, window_of
from chatwright.ports.channel import ReplyWindow

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["sent"], "sent"),
        (["read", "delivered"], "delivered"),
        (["read", "queued"], "sending"),
        (["queued", "queued"], "queued"),
        (["sent", "held"], "held"),
        (["sent", "failed", "cancelled"], "failed"),
        (["sent", "unknown"], "unknown"),
        (["unknown", "queued"], "sending"),
        (["cancelled", "cancelled"], "cancelled"),
        (["sent", "sending"], "sending"),
    ],
)
def test_a_message_is_as_far_as_its_slowest_part(statuses: list[str], expected: str) -> None:
    parts = [PartStatus(number, 1, status) for number, status in enumerate(statuses, start=1)]
    assert message_status(parts) == expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("unknown", "queued", "queued"),
        ("failed", "sent", "sent"),
        ("delivered", "cancelled", "delivered"),
        ("delivered", "sent", "delivered"),
        ("sent", "read", "read"),
    ],
)
def test_a_part_counts_by_its_latest_round_unless_an_earlier_one_arrived(
    first: str, second: str, expected: str
) -> None:
    assert message_status([PartStatus(1, 1, first), PartStatus(1, 2, second)]) == expected


class TestQuietHours:
    NIGHT = QuietHours(start=time(21), end=time(8), time_zone="Asia/Ho_Chi_Minh")

    def test_they_go_over_midnight_by_the_inbox_s_own_clock(self) -> None:
        until = quiet_until(self.NIGHT, NOW)
        assert until is not None
        assert until.astimezone(UTC) == datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
        early = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
        until = quiet_until(self.NIGHT, early)
        assert until is not None
        assert until.astimezone(UTC) == datetime(2026, 11, 23, 1, 0, tzinfo=UTC)

    def test_outside_of_them_nobody_waits(self) -> None:
        assert quiet_until(self.NIGHT, datetime(2026, 11, 22, 1, 0, tzinfo=UTC)) is None
        assert quiet_until(None, NOW) is None

    def test_the_same_hour_twice_is_always_quiet(self) -> None:
        always = QuietHours(start=time(0), end=time(0), time_zone="UTC")
        assert quiet_until(always, NOW) == datetime(2026, 11, 23, 0, 0, tzinfo=UTC)


class TestWindows:
    META = ReplyWindow(timedelta(hours=24), human_for=timedelta(days=7), templates=True)

    def opened(self, hours: float) -> datetime:
        return NOW - timedelta(hours=hours)

    @pytest.mark.parametrize(
        ("hours", "person", "template", "passes"),
        [
            (1, False, False, True),
            (25, True, False, True),
            (25, False, False, False),
            (25, False, True, True),
            (24 * 8, True, False, False),
            (24 * 8, True, True, True),
        ],
    )
    def test_who_may_write_when(self, *, hours: float, person: bool, template: bool, passes: bool) -> None:
        opened = self.opened(hours)
        window = window_of(self.META, opened, opened + timedelta(hours=24), NOW)
        rule = lets_pass(window, by_person=person, template=template, comment=False)
        assert (rule is not None) is passes

    def test_a_window_that_never_opened_is_closed_but_a_comment_may_be_answered(self) -> None:
        window = window_of(self.META, None, None, NOW)
        assert window.now == "closed"
        assert lets_pass(window, by_person=True, template=False, comment=True)

    def test_a_channel_without_windows_takes_anything(self) -> None:
        assert lets_pass(window_of(None, None, None, NOW), by_person=False, template=False, comment=False)
