"""How many messages a number may move."""

from chatwright.sandbox.clock import Clock
from chatwright.sandbox.graph.accounts import GraphAccount
from chatwright.sandbox.graph.buckets import Bucket

MESSAGES_PER_SECOND = 80.0


def number_bucket(clock: Clock, account: GraphAccount) -> Bucket:
    """What a number may send and receive a second: `details.mps`, with bursts of `details.mps_burst`."""
    rate = float(account.details.get("mps", MESSAGES_PER_SECOND))
    return account.bucket(clock, "number", rate=rate, burst=float(account.details.get("mps_burst", rate)))
