"""How these tests answer questionnaires, and read what the clinic was told."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from werkzeug.test import TestResponse

from api import clock
from tests.knocking import Knocker

MONDAY = "2026-11-23T15:00:00+00:00"
SAFE = {"item": "safe_now", "choice": "yes"}
NOT_SAFE = {"item": "safe_now", "choice": "no"}
MOOD = {"item": "mood", "number": 6}


def phq9(*numbers: int | None) -> list[dict[str, Any]]:
    """Answers to items 1 to 9, in order; None leaves one out."""
    return [
        {"item": f"phq9_{place}", "number": number} for place, number in enumerate(numbers, 1) if number is not None
    ]


LOW = phq9(1, 1, 0, 0, 0, 0, 0, 0, 0)
ITEM_9 = phq9(0, 0, 0, 0, 0, 0, 0, 0, 1)


def body(instrument: str = "daily", answers: Any = (SAFE, MOOD), **asked: Any) -> dict[str, Any]:
    now = clock.now()
    return {
        "id": str(uuid.uuid4()),
        "instrument": instrument,
        "instrument_version": "1",
        "answers": list(answers),
        "occurred_at": told(now - timedelta(minutes=1)),
        "sent_at": told(now),
        **asked,
    }


def told(at: datetime) -> str:
    return at.isoformat()


def give(patient: Knocker, instrument: str = "daily", answers: Any = (SAFE, MOOD), **asked: Any) -> TestResponse:
    return patient.post("/v1/me/check-ins", json=body(instrument, answers, **asked), key="")


def given(patient: Knocker, *args: Any, **asked: Any) -> dict[str, Any]:
    answer = give(patient, *args, **asked)
    assert answer.status_code == 201, answer.json
    found: dict[str, Any] = answer.json
    return found


def alerts(clinic: Knocker) -> list[dict[str, Any]]:
    answer = clinic.get("/v1/clinic/alerts")
    assert answer.status_code == 200, answer.json
    found: list[dict[str, Any]] = answer.json["items"]
    return found


def tasks(clinic: Knocker) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = clinic.get("/v1/clinic/tasks").json["items"]
    return found
