"""What a partner sees of the clinic's side: what a consent releases when it is read, with what must go along."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from api import contract, db
from api.app import operations
from api.referrals import telling
from api.webhooks import checks
from tests.knocking import Knocker
from tests.privacy.gating import LATER, Files
from tests.referrals.sending import PATH, SENT, Sent, admit, decide, link, refer, said, triaged

Sql = Callable[..., list[tuple[Any, ...]]]
Consent = Callable[..., UUID]


@pytest.fixture
def admitted(partner: Knocker, patient: Knocker) -> Sent:
    referral = refer(partner)
    admit(referral, patient)
    return referral


def test_a_consent_releases_the_outcome_with_its_notice(admitted: Sent, patient: Knocker, consent: Consent) -> None:
    consent_id = consent(patient)
    told = admitted.read().json
    assert (told["state"], told["sub_status"], told["version"]) == ("completed", "admitted", 4)
    assert [one["state"] for one in told["events"]] == ["accepted", "in_progress", "completed"]
    assert told["release"]["notice_version"] == "2024" and "42 CFR part 2" in told["release"]["notice"]
    (scope,) = told["release"]["consents"]
    assert (scope["consent_id"], scope["categories"]) == (str(consent_id), ["referral_outcome"])
    assert told["release"]["expires_at"] == scope["expires_at"] == "2027-11-24T12:00:00Z"
    assert told["allowed_steps"] == ["withdraw"]


def test_each_telling_stands_in_the_ledger_a_304_too(
    admitted: Sent, patient: Knocker, consent: Consent, files: Files
) -> None:
    consent(patient)
    tag = admitted.tag()
    assert admitted.read(**{"If-None-Match": tag}).status_code == 304
    admitted.partner.get(PATH)
    ledger = files.ledger("patient_id", "recipient_client_id", "subject_id", "categories")
    assert ledger == [(patient.id, admitted.partner.id, admitted.id, ["referral_outcome"])] * 3


def test_a_refusal_that_names_what_was_released_stands_in_the_ledger(
    admitted: Sent, patient: Knocker, consent: Consent, files: Files, owner_sql: Sql
) -> None:
    consent(patient)
    tag = admitted.tag()
    before = len(files.ledger("id"))
    refused = admitted.amend(notes="Too late.", tag=tag)
    assert (refused.status_code, refused.json["state"]) == (409, "completed")
    assert refused.json["notice"] == "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
    assert "written consent of 2026-11-23 for Harbor Detox" in refused.json["scope"]
    assert admitted.amend(notes="Too late.", tag='"1"').status_code == 412
    assert len(files.ledger("id")) == before + 2
    audited = owner_sql("SELECT outcome, problem FROM audit_events WHERE operation = 'amendReferral' ORDER BY id")
    assert audited == [("refused", "referral-step-not-allowed"), ("refused", "precondition-failed")]


def test_a_refusal_that_tells_that_nothing_has_changed_stands_in_the_ledger(
    partner: Knocker, patient: Knocker, consent: Consent, files: Files
) -> None:
    """A tag that still fits is a 304 by another name."""
    referral = refer(partner)
    link(referral, patient)
    unfit = {"program": "no-such-program"}
    assert referral.amend(**unfit).status_code == 422 and files.ledger("id") == []
    consent(patient)
    tag = referral.tag()
    before = len(files.ledger("id"))
    assert referral.amend(**unfit, tag=tag).status_code == 422
    assert len(files.ledger("id")) == before + 1


def test_what_a_refusal_tells_besides_is_in_the_contract(admitted: Sent, patient: Knocker, consent: Consent) -> None:
    consent(patient)
    refused = admitted.amend(notes="Too late.").json
    assert {"state", "notice", "scope"} <= set(refused)
    steps = ("amendReferral", "cancelReferral", "withdrawReferral", "putReferralDocument")
    assert [step for step in steps if not set(refused) <= declared(step, "409")] == []


def declared(operation_id: str, status: str) -> set[str]:
    """The members that the contract gives this answer."""
    written = contract.document(operations())
    found = [one for path in written["paths"].values() for one in path.values() if one["operationId"] == operation_id]
    response = written["components"]["responses"][named(found[0]["responses"][status])]
    (content,) = response["content"].values()
    return set(written["components"]["schemas"][named(content["schema"])]["properties"])


def named(reference: dict[str, str]) -> str:
    return reference["$ref"].rpartition("/")[2]


def test_without_a_release_a_refusal_has_nothing_to_go_along(partner: Knocker) -> None:
    referral = refer(partner)
    referral.withdraw()
    refused = referral.amend(notes="Too late.")
    assert (refused.status_code, refused.json["state"]) == (409, "entered_in_error")
    assert not {"notice", "scope"} & set(refused.json)


def test_the_reason_is_told_only_where_it_was_written_for_the_partner(
    partner: Knocker, patient: Knocker, consent: Consent
) -> None:
    consent(patient)
    told, kept = refer(partner), refer(partner, own_identifier="X-2")
    for referral, tell in ((told, True), (kept, False)):
        link(referral, patient)
        decide(referral, "reject", sub_status="not_eligible", reason="Needs a higher level of care.", tell_partner=tell)
    assert told.read().json["state_reason"] == "Needs a higher level of care."
    assert "state_reason" not in kept.read().json and "reason" not in kept.read().json["events"][0]


@pytest.mark.parametrize(
    "taken_away",
    [
        {"revoked_at": LATER - timedelta(days=365), "revoked_how": "app"},
        {"expires_at": datetime.fromisoformat("2026-11-24T12:00:00+00:00")},
        {"recipient_name": "Harbour Detox"},
    ],
    ids=["revoked", "expired now", "for another name"],
)
def test_what_a_consent_no_longer_releases_reads_as_it_did_before(
    admitted: Sent, patient: Knocker, consent: Consent, files: Files, taken_away: dict[str, Any]
) -> None:
    before = admitted.read()
    consent_id = consent(patient)
    assert admitted.read().json["state"] == "completed"
    files.set("consents", consent_id, **taken_away)
    after = admitted.read()
    assert (said(after), after.json, after.headers["ETag"]) == (said(before), before.json, before.headers["ETag"])


SESSIONS = """
    WITH made AS (
        INSERT INTO care_sessions (id, kind, modality, time_zone, status, title, starts_at, ends_at, exception,
            revision, version)
        SELECT gen_random_uuid(), 'group', 'in_person', 'America/New_York', 'scheduled', 'Evening group', day,
            day + interval '3 hours', false, 1, 1
        FROM unnest(ARRAY['2026-11-19T14:00Z', '2026-11-23T14:00Z', '2026-11-25T14:00Z']::timestamptz[]) AS day
        RETURNING id, starts_at, ends_at)
    INSERT INTO attendances (patient_id, session_id, starts_at, ends_at, status, mark, minutes, marked_at, version)
    SELECT %s, id, starts_at, ends_at, 'booked', 'present', 170, now(), 1 FROM made"""


def test_a_consent_for_attendance_alone_leaves_the_referral_where_it_was_sent(
    admitted: Sent, patient: Knocker, consent: Consent, files: Files, owner_sql: Sql
) -> None:
    owner_sql(SESSIONS, patient.id)
    consent(patient, "attendance", "progress")
    told = admitted.read().json
    assert (told["state"], told["version"], told["events"]) == ("received", 1, [])
    assert [one["starts_at"][:10] for one in told["care"]["sessions"]] == ["2026-11-19", "2026-11-23"]
    week = {"sessions_planned": 1, "sessions_attended": 1, "minutes_attended": 170}
    assert told["care"]["weeks"] == [{"starts_on": f"2026-11-{day}", **week} for day in (16, 23)]
    assert set(told["care"]) == {"categories", "sessions", "weeks"} and "Evening" not in str(told)
    assert files.ledger("categories") == [(["attendance", "progress"],)]


def test_presence_and_level_are_told_apart_from_the_outcome(admitted: Sent, patient: Knocker, consent: Consent) -> None:
    consent(patient, "presence", "level_of_care")
    told = admitted.read().json
    assert told["care"]["in_treatment"] is True and told["care"]["level_of_care"]["program"] == "iop"
    assert (told["state"], told["care"]["categories"]) == ("received", ["level_of_care", "presence"])
    assert not {"sessions", "weeks"} & set(told["care"])


def test_a_tag_from_before_a_revocation_never_fits_something_else(
    admitted: Sent, patient: Knocker, consent: Consent, files: Files
) -> None:
    consent_id = consent(patient)
    told = admitted.read()
    files.set("consents", consent_id, revoked_at=LATER - timedelta(days=365), revoked_how="app")
    for number in range(3):
        assert admitted.amend(notes=f"Change {number}.").status_code == 200
    now = admitted.read(**{"If-None-Match": told.headers["ETag"]})
    assert (now.status_code, now.json["version"], told.json["version"]) == (200, 4, 4)


def test_a_replayed_key_shows_what_may_be_seen_today(
    partner: Knocker, patient: Knocker, consent: Consent, files: Files
) -> None:
    first = partner.post(PATH, key="one", json=SENT)
    referral = Sent(partner, UUID(first.json["id"]))
    admit(referral, patient)
    consent_id = consent(patient)
    told = partner.post(PATH, key="one", json=SENT)
    assert (told.headers["Idempotency-Replayed"], told.json["state"]) == ("true", "completed")
    assert len(files.ledger("id")) == 1
    files.set("consents", consent_id, revoked_at=LATER - timedelta(days=365), revoked_how="app")
    again = partner.post(PATH, key="one", json=SENT)
    assert (again.json, again.headers["ETag"]) == (first.json, first.headers["ETag"])


def test_a_cancellation_that_comes_too_late_undoes_nothing_and_is_looked_at(
    admitted: Sent, owner_sql: Sql, patient: Knocker, consent: Consent
) -> None:
    answer = admitted.cancel("The person went elsewhere.")
    assert (answer.status_code, answer.json["state"]) == (200, "cancelled")
    stands = owner_sql("SELECT state, sub_status, late_withdrawal, admitted_at IS NOT NULL FROM referral_triage")
    assert stands == [("completed", "admitted", "cancelled", True)]
    assert owner_sql("SELECT count(*) FROM enrollments WHERE patient_id = %s", patient.id) == [(1,)]
    consent(patient)
    told = admitted.read().json
    assert (told["state"], told["withdrawn"], told["allowed_steps"]) == ("completed", "cancelled", ["withdraw"])


def test_a_cancellation_in_time_settles_the_triage(partner: Knocker, patient: Knocker, owner_sql: Sql) -> None:
    referral = refer(partner)
    triaged(referral, patient)
    referral.cancel("The person went elsewhere.")
    stands = owner_sql("SELECT state, sub_status, reason, late_withdrawal FROM referral_triage")
    assert stands == [("cancelled", "closed", "The person went elsewhere.", None)]
    last = owner_sql("SELECT act, actor_kind, state FROM referral_events WHERE act = 'withdrawn'")
    assert last == [("withdrawn", "partner", "cancelled")]


def test_another_partners_consent_releases_nothing_here(
    admitted: Sent, patient: Knocker, new_partner: Callable[..., Knocker], files: Files
) -> None:
    assert patient.id
    files.sign(patient.id, new_partner("Harbor Detox North").id, name="Harbor Detox North")
    assert admitted.read().json["state"] == "received"


def may_tell(referral: Sent, version: int, at: datetime) -> bool:
    with db.transaction(db.WORKER):
        return telling.may_tell(client_id=referral.partner.id, subject_id=referral.id, version=version, at=at)


def test_a_webhook_says_only_what_a_read_would(
    admitted: Sent, patient: Knocker, consent: Consent, files: Files, noon: datetime
) -> None:
    assert not may_tell(admitted, 4, noon)
    consent_id = consent(patient)
    assert may_tell(admitted, 4, noon) and not may_tell(admitted, 5, noon)
    consent(patient, "attendance", "presence")
    assert may_tell(admitted, 4, noon)
    assert files.ledger("categories") == [(["referral_outcome"],)] * 3
    files.set("consents", consent_id, revoked_at=noon, revoked_how="app")
    assert not may_tell(admitted, 4, noon)
    with db.transaction(db.WORKER):
        assert not telling.may_tell(client_id=patient.id, subject_id=admitted.id, version=1, at=noon)


def test_where_a_consent_is_dated_later_than_now_it_cannot_be_said_yet(
    admitted: Sent, patient: Knocker, consent: Consent, noon: datetime
) -> None:
    consent(patient, signed_at=noon + telling.CLOCKS_APART)
    with pytest.raises(checks.NotYet):
        may_tell(admitted, 4, noon)
    assert not may_tell(admitted, 4, noon - timedelta(seconds=1))


def test_what_is_written_down_to_be_told_names_ids_alone(
    partner: Knocker, patient: Knocker, consent: Consent, owner_sql: Sql
) -> None:
    consent(patient)
    referral = refer(partner)
    decide(referral, "accept")
    told = "SELECT type, subject_id, version, check_name FROM webhook_events ORDER BY id"
    assert owner_sql(told) == [("referral.received", referral.id, 1, None)]
    link(referral, patient)
    decide(referral, "schedule_assessment")
    referral.cancel()
    changes = [("referral.updated", referral.id, version, "referral.updated") for version in (2, 3)]
    assert owner_sql(told)[1:] == changes
