"""The operator's log: one line of JSON an event, on standard error, with nothing personal in it."""

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

import orjson

_FRAMES = 8
"""Of where an error came from: above these is the framework."""


def write_logs(level: str) -> None:
    """Send what is logged in this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLine())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


class _JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage().strip(),
        }
        if record.exc_info and record.exc_info[1] is not None:
            # Its text may quote what somebody sent, so an unknown error is told by its kind and place alone.
            error = record.exc_info[1]
            line["error"] = type(error).__name__
            line["where"] = [
                f"{one.filename}:{one.lineno} {one.name}"
                for one in traceback.extract_tb(error.__traceback__)[-_FRAMES:]
            ]
        return orjson.dumps(line).decode()
