"""Who is told what: decided when it is read, for this recipient, and for nobody whose name is like it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from api import clock, db
from api.privacy import part2
from api.privacy.effective import normalised
from tests.enrollments.deciding import decide, on_record, place, step_down
from tests.knocking import Knocker
from tests.privacy.gating import BEFORE, COURT, LATER, NOON, OUTCOME, Files, asked, facts, held

EVERYTHING = {
    "presence": True,
    "level_of_care": "iop",
    "attendance": {"attended": 9},
    "progress": "as planned",
    "referral_outcome": "admitted",
}
SECOND = timedelta(seconds=1)
Travel = Callable[[datetime], datetime]


def test_without_a_consent_nothing_is_told(files: Files, patient: Knocker) -> None:
    assert facts(files.partner(), patient.id) is None
    assert files.ledger("id") == []


def test_a_consent_releases_what_it_names_and_nothing_else(files: Files, patient: Knocker) -> None:
    partner = files.partner()
    files.sign(patient.id, partner, "presence", "referral_outcome")
    assert facts(partner, patient.id, EVERYTHING) == {"presence": True, "referral_outcome": "admitted"}


def test_what_is_not_released_is_not_even_read(files: Files, patient: Knocker) -> None:
    partner = files.partner()
    files.sign(patient.id, partner, "presence")
    subject = held(patient.id, {"presence": True})
    closed = {**subject.tell, "attendance": lambda: pytest.fail("was read")}
    found = asked(partner, type(subject)(subject.subject_id, patient.id, closed))
    assert dict(found[subject.subject_id].facts) == {"presence": True}


def test_the_notice_the_consent_and_its_scope_go_along(files: Files, patient: Knocker) -> None:
    partner = files.partner()
    consent = files.sign(patient.id, partner, "presence", "referral_outcome", "progress")
    (release,) = asked(partner, held(patient.id)).values()
    assert release.notice == part2.CURRENT and release.notice.statement.startswith("This record which has been")
    assert release.consent_id == consent and release.expires_at == LATER
    assert [(one["categories"], one["purpose"]) for one in release.scope] == [(["referral_outcome"], "treatment")]


def test_another_partner_is_told_nothing(files: Files, patient: Knocker) -> None:
    files.sign(patient.id, files.partner(), *EVERYTHING)
    assert facts(files.partner("Harbor Detox North"), patient.id, EVERYTHING) is None


def test_a_consent_for_another_patient_opens_nothing(files: Files, patient: Knocker, other_patient: Knocker) -> None:
    partner = files.partner()
    files.sign(other_patient.id, partner)
    assert facts(partner, patient.id) is None


def test_a_consent_for_a_similar_name_is_for_somebody_else(files: Files, patient: Knocker) -> None:
    partner = files.partner("Harbor Detox")
    files.sign(patient.id, partner, name="Harbour Detox")
    assert facts(partner, patient.id) is None


@pytest.mark.parametrize("written", ["harbor detox", "HARBOR  DETOX", "Harbor-Detox", "Harbor Detox."])
def test_case_and_punctuation_make_no_other_name(files: Files, patient: Knocker, written: str) -> None:
    partner = files.partner("Harbor Detox")
    files.sign(patient.id, partner, name=written)
    assert facts(partner, patient.id) == OUTCOME


def test_names_of_other_letters_stay_apart() -> None:
    assert normalised("St. Mary's") == normalised("ST MARY S") != normalised("St Marys")
    assert normalised("Clínica Uno") != normalised("Clinica Uno")
    assert normalised("Ｃｌｉｎｉｃ １") == normalised("clinic 1")
    assert normalised("Harbor 1") != normalised("Harbor 11")


def test_after_a_partner_was_renamed_the_patient_signs_anew(files: Files, patient: Knocker) -> None:
    partner = files.partner()
    files.sign(patient.id, partner)
    files.set("api_clients", partner, name="Lakeside Recovery")
    assert facts(partner, patient.id) is None
    files.sign(patient.id, partner, name="Lakeside Recovery")
    assert facts(partner, patient.id) == OUTCOME


@pytest.mark.parametrize(("ends", "told"), [(NOON - SECOND, None), (NOON, None), (NOON + SECOND, OUTCOME)])
def test_a_consent_ends_to_the_second(files: Files, patient: Knocker, ends: object, told: object) -> None:
    partner = files.partner()
    files.sign(patient.id, partner, expires_at=ends)
    assert facts(partner, patient.id) == told


def test_one_that_ends_by_an_event_counts_until_the_clinic_says_it_came(files: Files, patient: Knocker) -> None:
    partner = files.partner(kind="criminal_justice")
    told = {"attendance": {"attended": 9}}
    consent = files.sign(patient.id, partner, "attendance", expires_at=None, **COURT)
    assert facts(partner, patient.id, told, at=NOON + timedelta(days=3650)) == told
    files.set("consents", consent, ended_at=NOON, ended_reason="event_came_about")
    assert facts(partner, patient.id, told) is None


def until_discharge(files: Files, patient: Knocker, **more: object) -> UUID:
    """A partner, and a consent for it that lasts until the end of treatment."""
    partner = files.partner()
    files.sign(patient.id, partner, expires_at=None, expires_on_event="end_of_treatment", **more)
    return partner


def test_one_until_the_end_of_treatment_ends_by_itself_with_it(files: Files, patient: Knocker, clinic: Knocker) -> None:
    partner = until_discharge(files, patient)
    placed = place(clinic, patient)
    assert facts(partner, patient.id) == OUTCOME
    assert decide(clinic, placed, "discharge", reason="completed").status_code == 200
    assert facts(partner, patient.id) is None
    (shown,) = patient.get("/v1/me/consents").json["items"]
    assert (shown["state"], shown["revocable_now"]) == ("ended", False)
    assert "Ended with the treatment." in patient.get(f"/v1/me/consents/{shown['id']}/document").text


def test_a_step_or_an_end_recorded_in_error_is_no_end_of_treatment(
    files: Files, patient: Knocker, clinic: Knocker
) -> None:
    partner = until_discharge(files, patient)
    step_down(clinic, place(clinic, patient))
    assert facts(partner, patient.id) == OUTCOME
    (current,) = [one for one in on_record(clinic, patient) if one["status"] == "active"]
    decide(clinic, current, "discharge", reason="completed")
    assert facts(partner, patient.id) is None
    assert decide(clinic, current, "correct", reason="entered_in_error").status_code == 200
    assert facts(partner, patient.id) == OUTCOME


def test_what_is_signed_after_a_treatment_is_for_the_next_one(files: Files, patient: Knocker, clinic: Knocker) -> None:
    decide(clinic, place(clinic, patient), "discharge", reason="completed")
    partner = until_discharge(files, patient, signed_at=clock.now() + timedelta(hours=1))
    assert facts(partner, patient.id, at=clock.now() + timedelta(hours=2)) == OUTCOME


DAYS = timedelta(days=180)


def shown(patient: Knocker) -> tuple[str, bool, str]:
    """The state of the patient's one consent, whether it can be taken back, and what its page says of it."""
    (consent,) = patient.get("/v1/me/consents").json["items"]
    page = patient.get(f"/v1/me/consents/{consent['id']}/document").text
    return consent["state"], consent["revocable_now"], page


@pytest.mark.parametrize(("after", "told"), [(DAYS - SECOND, OUTCOME), (DAYS, None), (DAYS * 20, None)])
def test_one_until_the_end_of_treatment_waits_only_so_long_for_a_treatment(
    files: Files, patient: Knocker, after: timedelta, told: object
) -> None:
    """42 CFR 2.31(a)(7): no longer than its purpose needs."""
    partner = until_discharge(files, patient)
    assert facts(partner, patient.id, at=BEFORE + after) == told


def test_the_patient_reads_that_it_waited_in_vain(files: Files, patient: Knocker, travel: Travel) -> None:
    until_discharge(files, patient)
    travel(BEFORE + DAYS - timedelta(hours=1))
    assert shown(patient)[:2] == ("effective", True)
    travel(BEFORE + DAYS)
    state, revocable, page = shown(patient)
    assert (state, revocable) == ("expired", False)
    assert "Ended on May 22, 2027, since no treatment here had begun by then." in page


def test_a_treatment_that_begins_in_time_lets_it_last(
    files: Files, patient: Knocker, clinic: Knocker, travel: Travel
) -> None:
    partner = until_discharge(files, patient)
    travel(BEFORE + DAYS)
    place(clinic, patient)
    assert facts(partner, patient.id, at=BEFORE + DAYS * 20) == OUTCOME
    assert shown(patient)[:2] == ("effective", True)


def test_one_that_begins_too_late_does_not_bring_it_back(
    files: Files, patient: Knocker, clinic: Knocker, travel: Travel
) -> None:
    partner = until_discharge(files, patient)
    travel(BEFORE + DAYS + SECOND)
    place(clinic, patient)
    assert facts(partner, patient.id, at=BEFORE + DAYS + SECOND) is None
    assert shown(patient)[0] == "expired"


def test_a_treatment_before_does_not_count_and_the_one_that_goes_on_does(
    files: Files, patient: Knocker, other_patient: Knocker, clinic: Knocker, travel: Travel
) -> None:
    travel(BEFORE - DAYS)
    decide(clinic, place(clinic, patient), "discharge", reason="completed")
    place(clinic, other_patient)
    partner = files.partner()
    for whose in (patient, other_patient):
        files.sign(whose.id, partner, expires_at=None, expires_on_event="end_of_treatment")
    assert facts(partner, patient.id, at=BEFORE + DAYS) is None
    assert facts(partner, other_patient.id, at=BEFORE + DAYS) == OUTCOME


def test_a_step_after_the_wait_is_no_late_beginning(
    files: Files, patient: Knocker, clinic: Knocker, travel: Travel
) -> None:
    partner = until_discharge(files, patient)
    travel(NOON)
    placed = place(clinic, patient)
    travel(BEFORE + DAYS * 2)
    assert step_down(clinic, placed).status_code < 300
    assert facts(partner, patient.id, at=BEFORE + DAYS * 2) == OUTCOME


def test_a_day_that_was_signed_is_the_limit_itself(files: Files, patient: Knocker) -> None:
    partner = files.partner()
    files.sign(patient.id, partner, expires_at=BEFORE + DAYS * 2, expires_on_event="end_of_treatment")
    assert facts(partner, patient.id, at=BEFORE + DAYS * 2 - SECOND) == OUTCOME
    assert facts(partner, patient.id, at=BEFORE + DAYS * 2) is None


def test_what_is_signed_a_second_later_does_not_count_yet(files: Files, patient: Knocker) -> None:
    """Also what a clock that is ahead has dated: for once, too little is told rather than too much."""
    partner = files.partner()
    files.sign(patient.id, partner, signed_at=NOON + SECOND)
    assert facts(partner, patient.id, at=NOON) is None
    assert facts(partner, patient.id, at=NOON + SECOND) == OUTCOME


def test_no_clock_brings_a_revoked_consent_back(files: Files, patient: Knocker) -> None:
    partner = files.partner()
    consent = files.sign(patient.id, partner)
    files.set("consents", consent, revoked_at=NOON + timedelta(hours=1), revoked_how="app")
    for slow in (timedelta(), timedelta(minutes=90), timedelta(hours=25)):
        assert facts(partner, patient.id, at=NOON - slow) is None


def test_revoked_and_given_anew_rests_on_the_new_one(files: Files, patient: Knocker) -> None:
    partner = files.partner()
    old = files.sign(patient.id, partner)
    files.set("consents", old, revoked_at=BEFORE, revoked_how="app")
    new = files.sign(patient.id, partner, "presence", signed_at=BEFORE + SECOND)
    assert facts(partner, patient.id, EVERYTHING) == {"presence": True}
    assert files.ledger("consent_id", "categories") == [(new, ["presence"])]


def test_two_consents_add_up_and_each_category_names_its_own(files: Files, patient: Knocker) -> None:
    partner = files.partner()
    first = files.sign(patient.id, partner, "presence", "attendance")
    second = files.sign(patient.id, partner, "attendance", "progress", signed_at=BEFORE + SECOND, expires_at=NOON)
    assert facts(partner, patient.id, EVERYTHING) == {"presence": True, "attendance": {"attended": 9}}
    files.set("consents", second, expires_at=NOON + SECOND)
    (release,) = asked(partner, held(patient.id, EVERYTHING)).values()
    assert {name: by.consent_id for name, by in release.under.items()} == {
        "presence": first,
        "attendance": second,
        "progress": second,
    }
    assert release.expires_at == NOON + SECOND
    assert set(files.ledger("consent_id", "categories::text")) >= {(first, "{presence}")}


def test_a_restriction_that_was_agreed_takes_its_category_away(files: Files, patient: Knocker) -> None:
    partner = files.partner()
    files.sign(patient.id, partner, "presence", "attendance")
    restriction = files.restrict(patient.id, "attendance")
    assert facts(partner, patient.id, EVERYTHING) == {"presence": True}
    files.set("restrictions", restriction, status="ended", ended_at=NOON)
    assert facts(partner, patient.id, EVERYTHING) == {"presence": True, "attendance": {"attended": 9}}


def test_a_restriction_without_categories_takes_all(files: Files, patient: Knocker) -> None:
    partner = files.partner()
    files.sign(patient.id, partner)
    files.restrict(patient.id)
    assert facts(partner, patient.id) is None


def test_a_restriction_binds_for_the_one_it_names(files: Files, patient: Knocker) -> None:
    partner, other = files.partner(), files.partner("Lakeside Recovery")
    files.sign(patient.id, partner)
    files.sign(patient.id, other, name="Lakeside Recovery")
    files.restrict(patient.id, recipient_client_id=other)
    assert facts(partner, patient.id) == OUTCOME
    assert facts(other, patient.id) is None


@pytest.mark.parametrize("status", ["requested", "declined"])
def test_a_wish_that_was_not_agreed_to_takes_nothing(files: Files, patient: Knocker, status: str) -> None:
    partner = files.partner()
    files.sign(patient.id, partner)
    files.restrict(patient.id, status=status)
    assert facts(partner, patient.id) == OUTCOME


def test_restrictions_of_others_take_nothing(files: Files, patient: Knocker, other_patient: Knocker) -> None:
    partner = files.partner()
    files.sign(patient.id, partner)
    files.restrict(other_patient.id)
    assert facts(partner, patient.id) == OUTCOME


@pytest.mark.parametrize(
    ("kind", "told"), [("treating_provider", OUTCOME), ("criminal_justice", None), ("other", None)]
)
def test_a_class_matches_those_who_were_verified_to_treat(
    files: Files, patient: Knocker, kind: str, told: object
) -> None:
    files.sign(patient.id, None, name="My treating providers")
    assert facts(files.partner(kind=kind), patient.id) == told


def test_the_ledger_names_who_was_told_and_not_the_class(files: Files, patient: Knocker) -> None:
    partner = files.partner(kind="treating_provider")
    files.sign(patient.id, None, name="My treating providers")
    facts(partner, patient.id)
    assert files.ledger("recipient_name", "recipient_client_id") == [("Harbor Detox", partner)]


def test_terms_of_criminal_justice_release_attendance_and_progress(files: Files, patient: Knocker) -> None:
    court = files.partner("County Drug Court", kind="criminal_justice")
    files.sign(patient.id, court, "attendance", "progress", name="County Drug Court", **COURT)
    told = {"attendance": {"attended": 9}, "progress": "as planned"}
    assert facts(court, patient.id, EVERYTHING) == told
    assert files.ledger("purpose") == [("criminal_justice",)]


def test_they_hold_only_for_who_is_of_criminal_justice_still(files: Files, patient: Knocker) -> None:
    court = files.partner("County Drug Court", kind="criminal_justice")
    files.sign(patient.id, court, "attendance", name="County Drug Court", **COURT)
    files.set("api_clients", court, partner_kind="other")
    assert facts(court, patient.id, EVERYTHING) is None


@pytest.mark.parametrize(
    ("purpose", "kind", "told"),
    [
        ("treatment", "treating_provider", OUTCOME),
        ("treatment", "criminal_justice", None),
        ("treatment", "other", None),
        ("patient_request", "treating_provider", OUTCOME),
        ("patient_request", "criminal_justice", OUTCOME),
        ("patient_request", "other", OUTCOME),
    ],
)
def test_a_consent_counts_for_who_may_still_have_its_purpose(
    files: Files, patient: Knocker, purpose: str, kind: str, told: object
) -> None:
    """What the partner was verified to be may have changed since it was named."""
    partner = files.partner()
    files.sign(patient.id, partner, purpose=purpose)
    files.set("api_clients", partner, partner_kind=kind)
    assert facts(partner, patient.id) == told


def test_a_suspended_partner_is_told_nothing_also_by_a_worker(files: Files, patient: Knocker) -> None:
    partner = files.partner()
    files.sign(patient.id, partner)
    assert facts(partner, patient.id, caller=db.WORKER) == OUTCOME
    files.set("api_clients", partner, status="suspended")
    assert facts(partner, patient.id, caller=db.WORKER) is None


@pytest.mark.parametrize(
    ("status", "told"), [("active", OUTCOME), ("suspended", OUTCOME), ("merged", None), ("deceased", None)]
)
def test_a_record_that_was_merged_or_whose_patient_died_is_closed(
    files: Files, patient: Knocker, status: str, told: object
) -> None:
    partner = files.partner()
    files.sign(patient.id, partner)
    files.set("patients", patient.id, status=status)
    assert facts(partner, patient.id) == told


def test_a_system_of_the_clinic_is_no_recipient(files: Files, patient: Knocker, clinic: Knocker) -> None:
    assert clinic.id
    files.sign(patient.id, clinic.id, name="test record system")
    assert facts(clinic.id, patient.id, caller=db.SYSTEM) is None


def test_a_page_of_many_is_judged_one_by_one(files: Files, patient: Knocker, other_patient: Knocker) -> None:
    partner = files.partner()
    files.sign(patient.id, partner)
    subjects = [held(patient.id), held(other_patient.id), held(None), held(uuid4()), held(patient.id)]
    released = asked(partner, *subjects)
    assert list(released) == [subjects[0].subject_id, subjects[4].subject_id]
    assert {row[0] for row in files.ledger("subject_id")} == set(released)
