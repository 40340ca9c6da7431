"""What waits too long is marked, and what led nowhere is erased with all that belongs to it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from api import db
from api.referrals import service, triage, visible, worker
from tests.knocking import Knocker
from tests.referrals.desk import DESK, PARTNERS, Sql, admit, at_desk, decide, harbor, link, refer, send_document, verify

__all__ = ["harbor"]
SENT = datetime(2026, 11, 23, 15, tzinfo=UTC)
Travel = Callable[[str | datetime], datetime]


@pytest.fixture(autouse=True)
def terms() -> Iterator[None]:
    worker.use(overdue_hours=24, kept_days=30)
    yield
    worker.use(overdue_hours=24, kept_days=180)


def turn(travel: Travel, after: timedelta) -> None:
    travel(SENT + after)
    worker.run()


def overdue(clinic: Knocker) -> list[str]:
    return [one["id"] for one in clinic.get(f"{DESK}?overdue=true").json["items"]]


def test_what_nobody_moved_for_a_day_is_overdue(harbor: Knocker, clinic: Knocker, travel: Travel) -> None:
    travel(SENT)
    sent = refer(harbor)
    turn(travel, timedelta(hours=23, minutes=59))
    assert overdue(clinic) == []
    turn(travel, timedelta(hours=24))
    worker.run()
    assert overdue(clinic) == [sent]
    assert [one["act"] for one in at_desk(clinic, sent)["events"]] == ["sent", "overdue"]
    decide(clinic, sent, "accept")
    assert overdue(clinic) == []


def test_who_was_moved_on_has_another_day(harbor: Knocker, clinic: Knocker, travel: Travel) -> None:
    travel(SENT)
    sent = refer(harbor)
    travel(SENT + timedelta(hours=20))
    decide(clinic, sent, "contact_attempted")
    turn(travel, timedelta(hours=30))
    assert overdue(clinic) == []
    turn(travel, timedelta(hours=45))
    assert overdue(clinic) == [sent]


def test_who_waits_as_planned_is_not_overdue(harbor: Knocker, clinic: Knocker, travel: Travel) -> None:
    travel(SENT)
    waits, assessed, ended = refer(harbor), refer(harbor), refer(harbor)
    for one in (waits, assessed):
        decide(clinic, one, "accept")
    decide(clinic, waits, "waitlist")
    decide(clinic, assessed, "schedule_assessment")
    decide(clinic, ended, "reject", sub_status="at_capacity", reason="Full.")
    turn(travel, timedelta(days=5))
    assert overdue(clinic) == []


def test_what_led_nowhere_is_erased_with_its_notice_document_and_history(
    harbor: Knocker, clinic: Knocker, travel: Travel, owner_sql: Sql
) -> None:
    travel(SENT)
    sent = refer(harbor, part2_notice="42 CFR part 2 prohibits unauthorized use or disclosure of these records.")
    send_document(harbor, sent)
    decide(clinic, sent, "reject", sub_status="declined_by_patient", reason="Chose another place.")
    turn(travel, timedelta(days=29, hours=23))
    assert owner_sql("SELECT part2_notice IS NOT NULL FROM referrals") == [(True,)]
    assert harbor.get(f"{PARTNERS}/{sent}").status_code == 200
    turn(travel, timedelta(days=30))
    for table in ("referrals", "referral_documents", "referral_triage", "referral_events"):
        assert owner_sql(f"SELECT count(*) FROM {table}") == [(0,)], table
    assert harbor.get(f"{PARTNERS}/{sent}").status_code == 404
    assert clinic.get(f"{DESK}/{sent}").status_code == 404


def test_the_time_counts_from_the_last_thing_that_happened(harbor: Knocker, clinic: Knocker, travel: Travel) -> None:
    travel(SENT)
    sent = refer(harbor)
    travel(SENT + timedelta(days=20))
    decide(clinic, sent, "contact_attempted")
    turn(travel, timedelta(days=45))
    assert clinic.get(f"{DESK}/{sent}").status_code == 200
    turn(travel, timedelta(days=51))
    assert clinic.get(f"{DESK}/{sent}").status_code == 404


def test_an_admission_is_kept(harbor: Knocker, clinic: Knocker, travel: Travel) -> None:
    travel(SENT)
    sent = refer(harbor)
    decide(clinic, sent, "accept")
    assert admit(clinic, sent).status_code == 200
    turn(travel, timedelta(days=400))
    assert at_desk(clinic, sent)["state"] == "completed"


def test_a_document_that_a_consent_rests_on_is_kept(
    harbor: Knocker, clinic: Knocker, patient: Knocker, travel: Travel, owner_sql: Sql
) -> None:
    travel(SENT)
    sent = refer(harbor)
    send_document(harbor, sent)
    link(clinic, sent, str(patient.external_id))
    digest = at_desk(clinic, sent)["document_sha256"]
    assert verify(clinic, sent, digest).status_code == 200
    turn(travel, timedelta(days=400))
    assert owner_sql("SELECT count(*) FROM referral_documents") == [(1,)]


def test_many_are_erased_in_batches(
    harbor: Knocker, travel: Travel, owner_sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "BATCH", 2)
    travel(SENT)
    for _ in range(3):
        refer(harbor)
    travel(SENT + timedelta(days=31))
    assert worker.run() is True
    assert owner_sql("SELECT count(*) FROM referrals") == [(1,)]
    worker.run()
    assert owner_sql("SELECT count(*) FROM referrals") == [(0,)]


def test_nobody_but_the_worker_erases(harbor: Knocker) -> None:
    refer(harbor)
    for caller in (db.SYSTEM, db.Caller(kind="partner", client_id=harbor.id)):
        with db.transaction(caller) as session, pytest.raises(db.exc.ProgrammingError):
            db.preview()
            session.execute(db.sa.text("DELETE FROM referrals"))


def at_once(act: Callable[[], object]) -> object:
    """Done on another connection, while the one of this test is in the middle of something. It waits for nothing."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(act).result(5)


def purged(after: timedelta = timedelta(days=30)) -> int:
    with db.transaction(db.WORKER):
        return worker.purge(at=SENT + after)


def amending(harbor: Knocker, sent: str) -> Callable[..., Any]:
    return partial(
        service.amend,
        client_id=harbor.id,
        referral_id=UUID(sent),
        changes={"notes": "Prefers evenings."},
        expected=service.Expected(None, ()),
    )


def test_what_its_sender_is_changing_is_left_for_the_next_turn(harbor: Knocker, travel: Travel) -> None:
    travel(SENT)
    sent, other = refer(harbor), refer(harbor)
    with db.transaction(db.Caller(kind="partner", client_id=harbor.id)):
        visible.find(UUID(sent), client_id=harbor.id, locked=True)
        assert at_once(purged) == 1
        amending(harbor, sent)(at=SENT + timedelta(days=1))
    assert harbor.get(f"{PARTNERS}/{other}").status_code == 404
    assert harbor.get(f"{PARTNERS}/{sent}").json["notes"] == "Prefers evenings."
    assert (purged(), purged(timedelta(days=31))) == (0, 1)


def test_what_the_clinic_is_deciding_is_left_for_the_next_turn(harbor: Knocker, travel: Travel) -> None:
    travel(SENT)
    sent = refer(harbor)
    with db.transaction(db.SYSTEM):
        claimed(sent)
        assert at_once(purged) == 0
    assert purged() == 0


def test_the_clinic_does_not_wait_for_a_sender_who_will_wait_for_it(harbor: Knocker, travel: Travel) -> None:
    travel(SENT)
    sent = refer(harbor)
    with db.transaction(db.Caller(kind="partner", client_id=harbor.id)):
        visible.find(UUID(sent), client_id=harbor.id, locked=True)
        at_once(lambda: in_transaction(claimed, sent))
        assert at_once(lambda: in_transaction(worker.mark_overdue, at=SENT + timedelta(days=2), as_=db.WORKER)) == 1
        amending(harbor, sent)(at=SENT)


def claimed(sent: str) -> None:
    triage.claim(referral_id=UUID(sent), by="u-17", role="counselor", at=SENT + timedelta(days=1))


def in_transaction(act: Callable[..., Any], *given: Any, as_: db.Caller = db.SYSTEM, **named: Any) -> Any:
    with db.transaction(as_):
        return act(*given, **named)
