"""Two at the desk at once: one wins, the other is told what happened."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.knocking import Knocker
from tests.referrals.desk import Sql, acting, admit, at_desk, decide, harbor, name_of, refer, tag

__all__ = ["harbor"]
REJECT = {"sub_status": "not_eligible", "reason": "Needs a higher level of care."}


@pytest.mark.parametrize("round_", range(5))
def test_of_two_decisions_at_once_one_wins(harbor: Knocker, clinic: Knocker, round_: int) -> None:
    sent = refer(harbor)
    read, gate = tag(clinic, sent), threading.Barrier(2)

    def accept() -> int:
        gate.wait()
        return decide(acting(clinic, "u-17"), sent, "accept", if_match=read).status_code

    def reject() -> int:
        gate.wait()
        return decide(acting(clinic, "u-18"), sent, "reject", if_match=read, **REJECT).status_code

    with ThreadPoolExecutor(2) as threads:
        codes = [done.result() for done in (threads.submit(accept), threads.submit(reject))]
    assert sorted(codes) == [200, 412]
    told = at_desk(clinic, sent)
    assert told["state"] == ("accepted" if codes[0] == 200 else "rejected")
    assert [one["act"] for one in told["events"]] == ["sent", "moved"]


@pytest.mark.parametrize("round_", range(3))
def test_of_two_admissions_at_once_one_takes_place(
    harbor: Knocker, clinic: Knocker, owner_sql: Sql, round_: int
) -> None:
    sent = refer(harbor)
    decide(clinic, sent, "accept")
    read, gate = tag(clinic, sent), threading.Barrier(2)

    def admitting(external_id: str) -> int:
        gate.wait()
        return admit(clinic, sent, if_match=read, patient_external_id=external_id).status_code

    with ThreadPoolExecutor(2) as threads:
        codes = sorted(threads.map(admitting, ("EHR-200301", "EHR-200302")))
    assert codes == [200, 412]
    assert owner_sql("SELECT count(*) FROM enrollments") == [(1,)]
    assert owner_sql("SELECT count(*) FROM patients") == [(1,)]


def test_who_comes_second_learns_what_the_first_has_made_of_it(harbor: Knocker, clinic: Knocker) -> None:
    sent = refer(harbor)
    read = tag(clinic, sent)
    decide(clinic, sent, "reject", if_match=read, **REJECT)
    second = decide(acting(clinic, "u-18"), sent, "accept", if_match=read)
    assert name_of(second) == "referral-decided-meanwhile"
    assert (second.json["state"], second.json["sub_status"]) == ("rejected", "not_eligible")
