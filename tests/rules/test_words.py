"""No name, number, answer, program or token reaches a log line, whatever is asked and whatever goes wrong."""

import json
import re
from typing import Any

import pytest

from api import app as house
from api import clock, demo
from api.contract import Operation
from tests.knocking import Knocker
from tests.world import Find

QUENTIN = "Quentin Quarterbridge"
SECRET = ("Quentin", "Quarterbridge", demo.PATIENT, "eyJ", "Bearer", "u-17", "iop", "phq", "safe_now", "Evening group")
# These sign the patient out, so they come last.
ENDING = ("putPatientStatus", "deleteMyAppSession", "deleteMyAppSessions")
OPERATIONS = sorted(
    (one for one in house.operations() if one.audience in ("patient", "clinic")), key=lambda one: one.id in ENDING
)


def told(line: bytes) -> list[str]:
    """What of the secret words stands in a line of the log, its route aside: that is the same for everybody."""
    said = json.loads(line)
    said.pop("route", None)
    return [word for word in SECRET if word.lower() in json.dumps(said).lower()]


def example(operation: Operation, there: Find) -> dict[str, Any]:
    path = re.sub(r"\{(\w+)\}", lambda found: str(there(found[1]) or "nobodys"), operation.path)
    query = (
        "?" + "&".join(f"{key}={value}" for key, value in operation.query.example.items()) if operation.query else ""
    )
    return {
        "method": operation.method,
        "path": path + query,
        "json": operation.asks.example if operation.asks else None,
    }


def test_no_operation_leaves_a_person_in_the_log(
    sam: Knocker, clinic: Knocker, there: Find, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    clinic.put(f"/v1/clinic/patients/{demo.PATIENT}", json={"preferred_name": QUENTIN})
    for operation in OPERATIONS:
        knocker = sam if operation.audience == "patient" else clinic
        knocker.request(**example(operation, there), headers={"Idempotency-Key": operation.id, "If-Match": '"1"'})
    lines = capfdbinary.readouterr().out.splitlines()
    assert len(lines) > len(OPERATIONS)
    assert {line: told(line) for line in lines if told(line)} == {}


def test_a_defect_leaves_no_words_of_its_own(
    sam: Knocker, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError(f"(preferred_name)=({QUENTIN}) already exists") from KeyError(QUENTIN)

    monkeypatch.setattr(clock, "now", broken)
    assert sam.get("/v1/me/reminders").status_code == 500
    lines = capfdbinary.readouterr().out.splitlines()
    assert any(b"RuntimeError" in line and b"KeyError" in line for line in lines), lines
    assert [told(line) for line in lines if told(line)] == []


def test_a_person_in_the_log_is_noticed() -> None:
    assert told(b'{"event": "request", "problem": "not-found", "path": "/v1/clinic/patients/EHR-100234"}')
    assert told(json.dumps({"event": "failed", "exception": [{"exc_value": f"no {QUENTIN}"}]}).encode())
