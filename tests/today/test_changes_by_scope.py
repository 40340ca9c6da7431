"""Which kinds of changes are told: those whose own doors the caller's token opens, and how far a token covers them."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from api import pages, vocabulary
from api.app import operations
from api.today import changes, changes_kinds
from tests.acts import place, schedule
from tests.conftest import sign_in
from tests.knocking import Knocker
from tests.privacy.signing import OF_TREATMENT, NewPartner, given, new_partner, sure
from tests.today.syncing import CHANGES, WHOLES, Phone, everything

__all__ = ["new_partner", "sure"]
# By which operation each kind is read by itself.
DOORS = {
    "session": "listMySessions",
    "enrollment": "getMyEnrollment",
    "reminder": "listMyReminders",
    "check_in": "listMyCheckIns",
    "profile": "getMe",
    "reminder_preferences": "getMyReminderPreferences",
    "consent": "listMyConsents",
    "restriction_request": "listMyRestrictions",
    "notice_acknowledgement": "listMyNoticeAcknowledgements",
    "phone": "getMyPhone",
    "email": "getMyEmail",
    "calendar_feeds": "listMyCalendarFeeds",
}
NARROW = ("me:read", "enrollment:read")
OF_NARROW = {"profile", "phone", "enrollment"}


@pytest.fixture
def full(
    clinic: Knocker, patient: Knocker, travel: Callable[[str], Any], sure: Knocker, new_partner: NewPartner
) -> Knocker:
    """A patient of whom there is something of most kinds."""
    travel("2026-11-23T15:00:00+00:00")
    place(clinic, patient)
    schedule(clinic, patient)
    given(sure, {**OF_TREATMENT, "recipient_id": new_partner()})
    ask_for_restriction(patient)
    patient.post("/v1/me/notice-acknowledgements", key="", json={"version": "notice-1"})
    patient.post("/v1/me/calendar-feeds", json={"name": "Mine"})
    patient.put("/v1/me/phone", json={"number": "212-555-0123"})
    return patient


def ask_for_restriction(patient: Knocker) -> None:
    assert patient.post("/v1/me/restriction-requests", json={"categories": ["presence"]}).status_code == 201


def narrowed(patient: Knocker, scopes: Iterable[str] = NARROW) -> Knocker:
    """The same patient by a token of fewer scopes."""
    assert patient.id
    return sign_in(patient.app, patient.id, scopes=scopes)


def kinds(phone: Phone) -> set[str]:
    return {kind for kind, _ in phone.kept}


def read_by(knocker: Knocker, **place: Any) -> Phone:
    phone = Phone(knocker, **place)
    phone.sync()
    return phone


def test_every_kind_asks_for_the_scope_of_its_own_door() -> None:
    scopes = {one.id: one.scope for one in operations()}
    asked = {one.name: one.scope for one in (*changes_kinds.KINDS, *changes_kinds.WHOLES)}
    assert asked == {kind: scopes[operation] for kind, operation in DOORS.items()}
    assert asked.keys() == set(vocabulary.SYNCED_KINDS)


def test_a_token_of_fewer_scopes_is_told_of_fewer_kinds(full: Knocker) -> None:
    assert kinds(read_by(full)) > OF_NARROW | {"consent", "restriction_request", "notice_acknowledgement"}
    assert kinds(read_by(narrowed(full))) == OF_NARROW
    for scope in ("sessions:read", "reminders:read", "checkins:read", "privacy:read"):
        assert kinds(read_by(narrowed(full, (*NARROW, scope)))) >= OF_NARROW


@pytest.mark.parametrize("size", [1, 2])
def test_so_is_every_page_of_a_walk(full: Knocker, size: int) -> None:
    assert kinds(read_by(narrowed(full), size=size)) == OF_NARROW


def test_a_change_of_another_kind_is_not_told(full: Knocker) -> None:
    phone = read_by(narrowed(full))
    ask_for_restriction(full)
    full.post("/v1/me/calendar-feeds", json={"name": "Another"})
    assert {one["kind"] for one in phone.sync()} == WHOLES - {"calendar_feeds"}


def test_with_more_scopes_than_before_everything_is_read_afresh(full: Knocker) -> None:
    phone = read_by(narrowed(full))
    ask_for_restriction(full)
    phone.sync()
    phone.patient = full
    refused = phone.page()
    assert (refused.status_code, refused.json["type"].rsplit("/", 1)[1]) == (410, "start-afresh")
    phone.sync()
    assert phone.kept == everything(full)


def test_with_fewer_scopes_one_goes_on_and_with_the_old_ones_again_afresh(full: Knocker) -> None:
    phone = read_by(full)
    phone.patient = narrowed(full)
    ask_for_restriction(full)
    assert phone.page().status_code == 200
    phone.sync()
    phone.patient = full
    assert phone.page().status_code == 410


def test_a_walk_goes_on_under_fewer_scopes_and_not_under_more(full: Knocker) -> None:
    few = narrowed(full)
    wide = Phone(full, size=1).page().json["next_page_token"]
    assert Phone(few, size=1).page(wide).status_code == 200
    narrow = Phone(few, size=1).page().json["next_page_token"]
    assert Phone(full, size=1).page(narrow).status_code == 410


def test_an_answer_is_not_known_by_a_tag_of_other_scopes(full: Knocker) -> None:
    tag = full.get(CHANGES).headers["ETag"]
    assert full.get(CHANGES, headers={"If-None-Match": tag}).status_code == 304
    assert narrowed(full).get(CHANGES, headers={"If-None-Match": tag}).status_code == 200


def test_a_token_from_before_there_was_a_kind_starts_afresh(full: Knocker, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before:
        before.setattr(changes_kinds, "KINDS", [one for one in changes_kinds.KINDS if one.name != "consent"])
        phone = read_by(full)
        page = Phone(full, size=1).page().json["next_page_token"]
    assert "consent" not in kinds(phone)
    assert phone.page().status_code == 410
    assert Phone(full, size=1).page(page).status_code == 410
    phone.sync()
    assert "consent" in kinds(phone)


def test_a_token_that_does_not_say_what_it_covers_starts_afresh(full: Knocker) -> None:
    issued = 1795446000
    since = pages.token([1, "en", issued], bound_to=changes._walks(full.id))  # type: ignore[arg-type]
    assert full.get(f"{CHANGES}?since={since}").status_code == 410
    key = [1, 1, str(full.id), 1, "en", issued, issued]
    page = pages.token(key, bound_to=changes._pages(full.id, None))  # type: ignore[arg-type]
    assert full.get(f"{CHANGES}?page_token={page}").status_code == 410
