"""Whether a process takes on requests: not before it is up, and not any more once it was asked to stop."""

from chatwright.infra.signals import PostgresSignals


class Duty:
    """What the probe of readiness asks. The database was migrated before there was anybody to ask."""

    def __init__(self, signals: PostgresSignals) -> None:
        self._signals = signals
        self._leaving = False

    def leave(self) -> None:
        """Take on no more, from now on."""
        self._leaving = True

    def lacks(self) -> list[str]:
        """What stands against requests."""
        signals = [] if self._signals.connected else ["signals"]
        return [*signals, *(["leaving"] if self._leaving else [])]
