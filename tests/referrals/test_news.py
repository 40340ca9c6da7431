"""A consent is news to the partner whom it names: of what the clinic did before it, once, and of nothing else."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import RFC_4122, UUID

import psycopg
import pytest

from api import db, events
from api.privacy.events import ConsentGiven
from api.referrals import telling
from api.referrals import worker as referrals
from schemas.consents import PaperConsentAsk
from tests.knocking import Knocker
from tests.privacy.gating import Files
from tests.privacy.signing import OF_TREATMENT, given
from tests.referrals.sending import Sent, admit, link, refer, triaged
from tests.statements import watched
from tests.webhooks.conftest import due, open_endpoint, receiver, receivers, work
from tests.webhooks.receiver import Receiver
from tests.world import freshly

__all__ = ["due", "open_endpoint", "receiver", "receivers", "work"]
Sql = Callable[..., list[tuple[Any, ...]]]
Consent = Callable[..., UUID]
Work = Callable[[], None]
TOLD = "SELECT version, check_name FROM webhook_events WHERE type = 'referral.updated' ORDER BY id"
WAITING = "SELECT task_name, args FROM jobs.procrastinate_jobs WHERE status = 'todo' AND task_name = 'referrals-opened'"


@pytest.fixture
def admitted(partner: Knocker, patient: Knocker) -> Sent:
    referral = refer(partner)
    admit(referral, patient)
    return referral


@pytest.fixture
def listening(partner: Knocker, receiver: Receiver, open_endpoint: Callable[..., Any]) -> Receiver:
    open_endpoint(partner, receiver.url)
    return receiver


@pytest.fixture
def no_jobs_left(superuser: psycopg.Connection[Any]) -> Iterator[None]:
    yield
    superuser.execute("DELETE FROM jobs.procrastinate_jobs")


def hear(patient: Knocker, recipient: UUID | None) -> UUID:
    """As the patient's own transaction does; gives the consent's id."""
    assert patient.id
    consent_id = db.uuid7()
    with db.transaction(db.Caller(kind="patient", patient_id=patient.id)):
        events.announce(ConsentGiven(patient.id, consent_id, recipient, datetime.fromisoformat("2026-11-24T12:00Z")))
    return consent_id


def test_what_was_done_before_a_consent_is_told_when_it_is_given(
    listening: Receiver, admitted: Sent, patient: Knocker, work: Work
) -> None:
    work()
    assert listening.of("referral.updated") == []
    wanted = {**OF_TREATMENT, "categories": ["referral_outcome"], "recipient_id": str(admitted.partner.id)}
    given(freshly(patient), wanted)
    work()
    (said,) = listening.of("referral.updated")
    assert said.said["data"] == {"id": str(admitted.id), "version": 4}


def test_a_paper_that_the_clinic_records_is_news_too(
    listening: Receiver, admitted: Sent, patient: Knocker, clinic: Knocker, work: Work
) -> None:
    work()
    body = {**PaperConsentAsk.example, "categories": ["referral_outcome"]}
    recorded = clinic.post(f"/v1/clinic/patients/{patient.external_id}/consents", json=body)
    assert recorded.status_code == 201, recorded.text
    work()
    (said,) = listening.of("referral.updated")
    assert said.said["data"] == {"id": str(admitted.id), "version": 4}


def test_a_consent_that_opens_no_outcome_is_no_news(
    listening: Receiver, admitted: Sent, patient: Knocker, work: Work
) -> None:
    given(freshly(patient), {**OF_TREATMENT, "categories": ["presence"], "recipient_id": str(admitted.partner.id)})
    work()
    assert listening.of("referral.updated") == []


@pytest.mark.parametrize(("to", "told"), [("them", 1), ("a class", 1), ("another", 0)])
def test_it_is_news_to_whom_it_names(
    admitted: Sent,
    patient: Knocker,
    new_partner: Callable[..., Knocker],
    owner_sql: Sql,
    work: Work,
    to: str,
    told: int,
) -> None:
    before = owner_sql(TOLD)
    hear(patient, {"them": admitted.partner.id, "a class": None, "another": new_partner("Harbor North").id}[to])
    work()
    assert owner_sql(TOLD)[len(before) :] == [(4, "referral.updated")] * told


@pytest.mark.parametrize("done", ["nothing", "linked"])
def test_of_a_referral_in_which_nothing_was_done_there_is_no_news(
    partner: Knocker, patient: Knocker, owner_sql: Sql, work: Work, done: str
) -> None:
    referral = refer(partner)
    if done == "linked":
        link(referral, patient)
    before = owner_sql(TOLD)
    hear(patient, partner.id)
    work()
    assert owner_sql(TOLD) == before


def test_a_job_that_runs_twice_tells_once(admitted: Sent, patient: Knocker, owner_sql: Sql) -> None:
    before, consent_id = owner_sql(TOLD), db.uuid7()
    assert patient.id
    for _ in range(2):
        referrals.tell_of_consent(patient_id=patient.id, consent_id=consent_id, recipient_id=admitted.partner.id)
    assert owner_sql(TOLD)[len(before) :] == [(4, "referral.updated")]
    referrals.tell_of_consent(patient_id=patient.id, consent_id=db.uuid7())
    assert len(owner_sql(TOLD)) == len(before) + 2


def test_its_id_is_one_for_each_referral_and_as_old_as_the_consent(
    partner: Knocker, patient: Knocker, owner_sql: Sql
) -> None:
    for number in ("1", "2"):
        triaged(refer(partner, own_identifier=number), patient)
    assert patient.id
    consent_id, of_steps = db.uuid7(), owner_sql("SELECT id FROM webhook_events")
    referrals.tell_of_consent(patient_id=patient.id, consent_id=consent_id)
    news: list[UUID] = [row[0] for row in owner_sql("SELECT id FROM webhook_events") if row not in of_steps]
    assert [(id.version, id.variant, id.int >> 64) for id in news] == [(7, RFC_4122, consent_id.int >> 64)] * 2


@pytest.mark.parametrize("behind", [timedelta(seconds=1), telling.CLOCKS_APART])
def test_a_worker_whose_clock_is_behind_tells_it_once_it_is_that_late_there_too(
    listening: Receiver,
    admitted: Sent,
    patient: Knocker,
    files: Files,
    work: Work,
    due: Work,
    travel: Callable[[datetime], datetime],
    noon: datetime,
    behind: timedelta,
) -> None:
    work()
    given(freshly(patient), {**OF_TREATMENT, "recipient_id": str(admitted.partner.id)})
    travel(noon - behind)
    work()
    assert (listening.of("referral.updated"), files.ledger("id")) == ([], [])
    travel(noon)
    due()
    work()
    assert len(listening.of("referral.updated")) == 1 and files.ledger("disclosed_at") == [(noon,)]


def test_taking_it_back_is_no_news(listening: Receiver, admitted: Sent, patient: Knocker, work: Work) -> None:
    work()
    wanted = {**OF_TREATMENT, "categories": ["referral_outcome"], "recipient_id": str(admitted.partner.id)}
    consent = given(freshly(patient), wanted)
    work()
    patient.post(f"/v1/me/consents/{consent['id']}/revocation", key="")
    work()
    assert len(listening.of("referral.updated")) == 1


def test_a_consent_taken_back_before_it_was_told_tells_nothing(
    listening: Receiver, admitted: Sent, patient: Knocker, work: Work
) -> None:
    wanted = {**OF_TREATMENT, "categories": ["referral_outcome"], "recipient_id": str(admitted.partner.id)}
    consent = given(freshly(patient), wanted)
    patient.post(f"/v1/me/consents/{consent['id']}/revocation", key="")
    work()
    assert listening.of("referral.updated") == []


def test_a_consent_costs_the_same_whether_or_not_anybody_was_referred(
    admitted: Sent, patient: Knocker, new_patient: Callable[..., Knocker], owner_sql: Sql, no_jobs_left: None
) -> None:
    asked = []
    for one in (patient, new_patient()):
        with watched() as seen:
            hear(one, admitted.partner.id)
        asked.append(list(seen))
    assert asked[0] == asked[1]
    jobs = owner_sql(WAITING)
    assert [set(args) for _, args in jobs] == [{"patient_id", "consent_id", "recipient_id"}] * 2
