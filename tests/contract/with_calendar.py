"""A private calendar feed, read by somebody else's calendar library. `make contract` runs this."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.contract import node
from tests.knocking import Knocker
from tests.sessions.calendars import AT, by_the_api, feed_of, fill, times

SCRIPT = Path(__file__).parent / "calendar" / "read.js"
Sql = Callable[..., list[tuple[Any, ...]]]


def read(text: str) -> dict[str, Any]:
    ran = subprocess.run([*node.node(), str(SCRIPT)], input=text, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return dict(json.loads(ran.stdout))


def test_a_year_with_both_changes_of_the_clocks_is_what_the_api_says(
    patient: Knocker, visitor: Knocker, owner_sql: Sql, travel: Callable[[str], Any]
) -> None:
    travel(AT)
    fill(owner_sql, patient)
    told = read(feed_of(patient, visitor))
    assert times(told["events"]) == times(by_the_api(patient))
    assert all(one["brought"] for one in told["events"])
    assert {one["title"] for one in told["events"]} == {"Appointment"}
    assert {one["sequence"] for one in told["events"]} == {0, 1, 2}
    assert told["zones"] == ["America/Havana", "America/New_York", "America/Phoenix", "Europe/Dublin"]
    assert told["refresh"] == "PT6H"


def test_a_feed_without_sessions_is_read(patient: Knocker, visitor: Knocker) -> None:
    assert read(feed_of(patient, visitor)) == {"zones": ["America/New_York"], "events": [], "refresh": "PT6H"}
