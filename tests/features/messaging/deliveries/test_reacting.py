"""The nine reactions and the unknown, each acted on in one place."""

from dataclasses import replace
from typing import Any

import pytest

from chatwright.features.messaging.deliveries.reacting import (
    LONGEST_IN_ALL_SECONDS,
    LONGEST_PAUSE_SECONDS,
    MOST_TRIES,
    Next,
    SoFar,
    judge,
    judge_late,
)
from chatwright.ports.sending import Reaction, SendOutcome

FIRST = SoFar(
    tries=0, seconds=0.0, repeatable=False, renewable=False, waits_for_window=False, pause_seconds=None
)


def refused(reaction: Reaction, **facts: Any) -> SendOutcome:
    return replace(SendOutcome(reaction=reaction, code="X1", detail="no"), **facts)


class TestEach:
    def test_success_is_done(self) -> None:
        assert judge(SendOutcome(external_id="1"), FIRST).next is Next.DONE

    def test_retry_waits_longer_each_time_and_ends(self) -> None:
        waits = [judge(refused(Reaction.RETRY), replace(FIRST, tries=n)) for n in range(MOST_TRIES)]
        assert [verdict.next for verdict in waits] == [Next.AGAIN] * (MOST_TRIES - 1) + [Next.FAILED]
        assert [verdict.again_in for verdict in waits[:4]] == [5.0, 10.0, 20.0, 40.0]
        assert all(verdict.counts for verdict in waits[:-1])

    @pytest.mark.parametrize("scope", ["inbox", "pair"])
    def test_retry_after_blocks_and_eats_no_try(self, scope: str) -> None:
        outcome = refused(Reaction.RETRY_AFTER, retry_after=7.0, scope=scope)
        verdict = judge(outcome, replace(FIRST, tries=MOST_TRIES))
        assert (verdict.next, verdict.again_in, verdict.blocks) == (Next.AGAIN, 7.0, scope)
        assert not verdict.counts

    def test_a_day_is_enough(self) -> None:
        outcome = refused(Reaction.RETRY_AFTER, retry_after=7.0)
        assert judge(outcome, replace(FIRST, seconds=LONGEST_IN_ALL_SECONDS)).next is Next.FAILED

    def test_a_token_is_renewed_once(self) -> None:
        outcome = refused(Reaction.REFRESH_TOKEN)
        assert judge(outcome, replace(FIRST, renewable=True)).next is Next.RENEW
        verdict = judge(outcome, FIRST)
        assert (verdict.next, verdict.health) == (Next.HELD_FOR_INBOX, "reconnect")

    def test_reconnect_holds_for_the_inbox(self) -> None:
        verdict = judge(refused(Reaction.RECONNECT), FIRST)
        assert (verdict.next, verdict.health) == (Next.HELD_FOR_INBOX, "reconnect")

    def test_a_pause_doubles_after_each_probe_in_vain_up_to_four_hours(self) -> None:
        outcome, pause = refused(Reaction.PAUSE_CHANNEL, retry_after=1800.0), None
        seen: list[float | None] = []
        for _ in range(6):
            pause = judge(outcome, replace(FIRST, pause_seconds=pause)).pause_seconds
            seen.append(pause)
        assert seen == [1800.0, 3600.0, 7200.0, *[LONGEST_PAUSE_SECONDS] * 3]

    def test_a_pause_without_a_time_waits_for_a_person(self) -> None:
        verdict = judge(refused(Reaction.PAUSE_CHANNEL), FIRST)
        assert (verdict.next, verdict.health, verdict.pause_seconds) == (Next.HELD_FOR_INBOX, "paused", None)

    def test_a_closed_window_fails_or_waits_as_its_sender_likes(self) -> None:
        outcome = refused(Reaction.WINDOW_CLOSED)
        assert judge(outcome, FIRST).next is Next.FAILED
        assert judge(outcome, replace(FIRST, waits_for_window=True)).next is Next.HELD_FOR_WINDOW

    def test_the_rest_fail_and_say_what_else_follows(self) -> None:
        assert judge(refused(Reaction.OPTED_OUT), FIRST).opts_out
        assert judge(refused(Reaction.UNREACHABLE), FIRST).unreachable
        verdict = judge(refused(Reaction.BAD_PAYLOAD), FIRST)
        assert (verdict.next, verdict.words) == (Next.FAILED, "X1: no")

    def test_the_unknown_is_repeated_only_where_that_is_harmless(self) -> None:
        outcome = refused(Reaction.UNKNOWN)
        assert judge(outcome, FIRST).next is Next.UNKNOWN
        assert judge(outcome, replace(FIRST, repeatable=True)).next is Next.AGAIN
        assert judge(outcome, replace(FIRST, repeatable=True, tries=MOST_TRIES)).next is Next.UNKNOWN

    def test_somebody_who_moved_is_written_to_at_once(self) -> None:
        verdict = judge(refused(Reaction.RETRY, moved_to="-100"), FIRST)
        assert (verdict.next, verdict.again_in) == (Next.AGAIN, 0.0)


@pytest.mark.parametrize("reaction", Reaction)
def test_a_failure_that_comes_late_stays_one(reaction: Reaction) -> None:
    assert judge_late(refused(reaction)).next is Next.FAILED
