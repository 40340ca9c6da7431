"""What an answer by text means for sessions: "1" says that the patient will come, "2" that they cannot.

It answers the session of which the last text spoke, at the time that the text named; so a "1" to a session that has
moved since is refused, as it would be in the app, and the patient is told to look. ``SUBSCRIPTIONS`` is for ``app.py``.
"""

from collections.abc import Callable
from typing import Any

from api.messages.events import TextAnswered, TextConfirmed, TextDeclined
from api.sessions import replies


def on_confirmed(text: TextConfirmed) -> None:
    """Raises ``errors.NotFound``, ``replies.SessionHasChanged``."""
    _reply(text, "attending")


def on_declined(text: TextDeclined) -> None:
    """Raises ``errors.NotFound``."""
    _reply(text, "not_attending")


def _reply(text: TextAnswered, answer: str) -> None:
    replies.reply(
        patient_id=text.patient_id,
        session_id=text.subject_id,
        answer=answer,
        starts_at=text.starts_at,
        at=text.at,
    )


SUBSCRIPTIONS: tuple[tuple[type[Any], Callable[[Any], None]], ...] = (
    (TextConfirmed, on_confirmed),
    (TextDeclined, on_declined),
)
