"""A word of crisis in a text becomes a safety alert, as an answer of a questionnaire does. ``SUBSCRIPTIONS`` is for
``app.py``. The words themselves are not kept: whoever is on duty calls.
"""

from collections.abc import Callable
from typing import Any

from api.messages.events import CrisisWordReceived
from api.staff import service as staff

HIT = staff.SafetyAnswer(instrument="text", item="words", answer="crisis")


def on_crisis_word(text: CrisisWordReceived) -> None:
    staff.raise_alert(
        patient_id=text.patient_id,
        answers=[HIT],
        source=text.source,
        at=text.at,
        circumstances=["shared_number"] if text.shared else [],
        occurred_at=text.at,
    )


SUBSCRIPTIONS: tuple[tuple[type[Any], Callable[[Any], None]], ...] = ((CrisisWordReceived, on_crisis_word),)
