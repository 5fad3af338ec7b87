"""What can go wrong between a caller and a running server."""

from chatwright.kernel.errors import Problem

UNREACHABLE_STATUS = 503


class CallFailed(Exception):
    """A call that gave no result: what the server said of it, or why it could not be asked."""

    def __init__(self, status: int, problem: Problem) -> None:
        super().__init__(f"{problem.code}: {problem.message}")
        self.status = status
        """The HTTP status, or the one that fits best where no answer came."""
        self.problem = problem


class ServerUnreachable(CallFailed):
    """No answer came. The server may have done the call all the same."""

    def __init__(self, url: str, reason: str) -> None:
        problem = Problem(
            code="SERVER_UNREACHABLE",
            message=f"No answer from {url}: {reason}",
            retryable=True,
            hint="Is it running? Start it with 'chatwright up', or name another server with --profile.",
        )
        super().__init__(UNREACHABLE_STATUS, problem)
