"""Messages and addresses for the tests of push."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from api import clock, db
from api.messages.gateway import Address, Message
from api.messages.push_parts import Clocks

REMINDER = UUID("0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e05")
TEXT = "You have an appointment tomorrow at 6:00 PM. Open the app for details."
# Asked anew each time, so that a test may move either.
CLOCKS = Clocks(lambda: clock.now(), lambda: clock.wall())
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def message(**more: Any) -> Message:
    usual: dict[str, Any] = {
        "key": f"{REMINDER}:1",
        "channel": "push",
        "recipient": "",
        "text": TEXT,
        "language": "en",
        "subject_id": REMINDER,
        "expires_at": clock.now() + timedelta(hours=2),
        "collapse_id": "c" * 64,
    }
    return Message(**usual | more)


def address(provider: str, target: str, *, registered_at: datetime = LONG_AGO, **details: str) -> Address:
    return Address(db.uuid7(), "push", provider, target, registered_at, details)
