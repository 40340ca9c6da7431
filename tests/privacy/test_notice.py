"""The privacy notice can be read by anybody, is acknowledged in the app, and holds up nothing."""

import hashlib
from collections.abc import Callable
from typing import Any

from api.privacy import notice_texts
from tests.knocking import Knocker

SQL = Callable[..., list[tuple[Any, ...]]]
NOTICE, SEEN = "/v1/privacy-notice", "/v1/me/notice-acknowledgements"
# Frozen: what a patient has acknowledged stays what it said. Other words are another version.
FROZEN = {
    ("notice-1", "en"): "e8e96ac87505280a6a5d176dae9a970cae0669b0829b8a27f13bb702e805b0be",
    ("notice-1", "es"): "b6e36ae2ad9578c0c46a5135269614de973310df72bd546ee2547722f2f47a0f",
}


def test_anybody_reads_it_in_their_language(visitor: Knocker) -> None:
    english, spanish = (visitor.get(NOTICE, headers={"Accept-Language": one}) for one in ("en", "es-MX"))
    assert english.json["title"] == "Notice of Privacy Practices of Trinity Wellness Group"
    assert spanish.json["title"].startswith("Aviso de prácticas") and spanish.headers["Content-Language"] == "es"
    assert english.json["version"] == spanish.json["version"] == notice_texts.CURRENT


def test_it_says_what_the_rule_lists(visitor: Knocker) -> None:
    found = visitor.get(NOTICE).json
    said = " ".join((found["header"], *(one["text"] for one in found["sections"])))
    for part in ("how to file a complaint", "past three years", "breached", "retaliate", "medical emergency"):
        assert part in said
    assert "{" not in said


def test_no_number_is_made_up(visitor: Knocker) -> None:
    assert "discuss it with our office if you have any questions" in visitor.get(NOTICE).json["header"]


def test_it_is_asked_again_without_being_sent_again(visitor: Knocker) -> None:
    first = visitor.get(NOTICE)
    assert first.headers["Cache-Control"].startswith("public")
    assert visitor.get(NOTICE, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_the_app_learns_its_version_before_anybody_signs_in(visitor: Knocker) -> None:
    assert visitor.get("/v1/app-config").json["privacy_notice_version"] == notice_texts.CURRENT


def test_having_seen_it_is_noted_once_at_its_first_time(
    patient: Knocker, travel: Callable[[str], Any], owner_sql: SQL
) -> None:
    travel("2026-11-23T15:00:00Z")
    first = patient.post(SEEN, key="", json={"version": "notice-1"}).json
    travel("2026-11-24T15:00:00Z")
    assert patient.post(SEEN, key="", json={"version": "notice-1"}).json == first
    assert first == {"version": "notice-1", "acknowledged_at": "2026-11-23T15:00:00Z"}
    assert patient.get(SEEN).json["items"] == [first]
    assert owner_sql("SELECT a.version = v.version FROM notice_acknowledgements a JOIN patient_versions v USING"
                     " (patient_id)") == [(True,)]  # fmt: skip


def test_a_version_that_never_was_cannot_be_acknowledged(patient: Knocker) -> None:
    refused = patient.post(SEEN, key="", json={"version": "notice-0"})
    assert (refused.status_code, refused.json["type"].rpartition("/")[2]) == (422, "unknown-notice")


def test_without_it_crisis_help_is_there(patient: Knocker, visitor: Knocker) -> None:
    assert patient.get(SEEN).json["items"] == []
    assert visitor.get("/v1/app-config").json["crisis"]
    assert patient.get("/v1/me/check-ins/due").status_code == 200


def test_a_version_is_never_edited() -> None:
    found = {key: hashlib.sha256(repr(wording).encode()).hexdigest() for key, wording in notice_texts.NOTICES.items()}
    assert found == FROZEN
