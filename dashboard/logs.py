"""Logging: structlog over the standard library, one line an event, secrets masked last of all."""

from __future__ import annotations

import logging.config
import re
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

_SECRET = re.compile(r"(sk-or-v1-)[A-Za-z0-9]{6,}|(Bearer\s+)\S+")


def mask(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A last net: whatever looks like a key is masked in every string of the event, tracebacks included."""
    return {name: _masked(value) for name, value in event.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRET.sub(lambda match: f"{match[1] or match[2]}•••", value)
    if isinstance(value, dict):
        return {key: _masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    # An exception or any other object would be spelled out only after us.
    return _masked(repr(value)) if _SECRET.search(repr(value)) else value


def configure(options: dict[str, Any]) -> None:
    """Called by Django with ``settings.LOGGING``: {"level": int, "format": "console"|"json"}."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    last = (
        structlog.processors.JSONRenderer()
        if options["format"] == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, mask, last],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": options["level"]},
            # Urls of upstream calls carry no secret, but a line for each is noise.
            "loggers": {
                "urllib3": {"level": "WARNING"},
                "django.server": {"level": "WARNING"},
                # Whoever scans the net sends wrong host names; a traceback for each drowns what matters.
                "django.security.DisallowedHost": {"level": "CRITICAL"},
            },
        }
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
