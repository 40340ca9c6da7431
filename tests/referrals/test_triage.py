"""The clinic's desk: what waits there, who has it, and what is decided."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import psycopg
import pytest

from api import vocabulary
from api.app import Continuum
from api.referrals import states, triage
from schemas.referral_requests import ReferralRequestAsk
from schemas.triage import TriagedReferralAnswer
from tests.knocking import Knocker
from tests.referrals.desk import DESK, PARTNERS, Sql, acting, at_desk, decide, harbor, name_of, new_partner, refer, tag

__all__ = ["harbor"]
Travel = Callable[[str | datetime], datetime]
NO_BED = {"sub_status": "at_capacity", "reason": "No place before January."}


def listed(clinic: Knocker, query: str = "") -> list[str]:
    answer = clinic.get(f"{DESK}{query}")
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json["items"]]


def test_the_soonest_and_then_the_oldest_come_first(harbor: Knocker, clinic: Knocker, travel: Travel) -> None:
    travel("2026-11-23T15:00:00Z")
    old = refer(harbor)
    travel("2026-11-24T15:00:00Z")
    soon = refer(harbor, urgency="soon")
    later = refer(harbor)
    assert listed(clinic) == [soon, old, later]


def test_pages_follow_each_other(harbor: Knocker, clinic: Knocker) -> None:
    sent = [refer(harbor, urgency=urgency) for urgency in ("routine", "soon", "routine", "soon", "routine")]
    found: list[str] = []
    query = "?page_size=2"
    while query:
        page = clinic.get(f"{DESK}{query}").json
        found += [one["id"] for one in page["items"]]
        query = f"?page_size=2&page_token={page['next_page_token']}" if "next_page_token" in page else ""
    assert found == [sent[1], sent[3], sent[0], sent[2], sent[4]]


def test_requests_of_people_themselves_wait_in_the_same_list(
    harbor: Knocker, clinic: Knocker, visitor: Knocker
) -> None:
    partners = refer(harbor)
    assert visitor.post("/v1/referral-requests", json=ReferralRequestAsk.example).status_code == 202
    own = listed(clinic, "?origin=self")
    assert len(own) == 1 and set(listed(clinic)) == {partners, *own}
    assert at_desk(clinic, own[0])["called"] == "Sam"
    assert decide(clinic, own[0], "accept").status_code == 200


def test_everything_that_was_sent_is_read_at_the_desk(harbor: Knocker, clinic: Knocker) -> None:
    sent = refer(harbor, own_identifier="DTX-1", notes="Uses a wheelchair.", part2_notice="42 CFR part 2 applies.")
    told = at_desk(clinic, sent)
    assert not TriagedReferralAnswer().validate(told)
    assert (told["partner_name"], told["partner_kind"]) == ("Harbor Detox", "treating_provider")
    assert (told["given_name"], told["born_on"], told["phone"]) == ("Avery", "1990-01-01", "+12125550143")
    assert (told["notes"], told["part2_notice"]) == ("Uses a wheelchair.", "42 CFR part 2 applies.")
    assert [(one["act"], one["actor_kind"], one["actor"]) for one in told["events"]] == [
        ("sent", "partner", str(harbor.id))
    ]


def test_what_a_sender_amends_is_not_lost(harbor: Knocker, clinic: Knocker) -> None:
    sent = refer(harbor, notes="Uses a cane.")
    changed = harbor.patch(f"{PARTNERS}/{sent}", headers={"If-Match": "*"}, json={"notes": "Uses a wheelchair."})
    assert changed.status_code == 200, changed.text
    told = at_desk(clinic, sent)
    assert (told["notes"], told["events"][1]["act"]) == ("Uses a wheelchair.", "amended")
    assert told["events"][1]["replaced"] == [{"member": "notes", "value": "Uses a cane."}]


def test_an_earlier_number_of_somebody_not_to_be_contacted_is_not_shown(harbor: Knocker, clinic: Knocker) -> None:
    sent = refer(harbor)
    for changes in ({"phone": "+12125550199"}, {"contact_preference": "do_not_contact"}):
        assert harbor.patch(f"{PARTNERS}/{sent}", headers={"If-Match": "*"}, json=changes).status_code == 200
    assert len(at_desk(clinic, sent)["events"]) == 3
    assert "+1212555" not in clinic.get(f"{DESK}/{sent}").text


def test_a_claim_names_the_person_and_holds_against_others(harbor: Knocker, clinic: Knocker) -> None:
    sent = refer(harbor)
    claim = f"{DESK}/{sent}/claim"
    assert clinic.post(claim, json={}).json["claimed_by"] == "u-17"
    assert clinic.post(claim, json={}).status_code == 200
    other = acting(clinic, "u-18", "intake")
    assert name_of(other.post(claim, json={})) == "referral-taken"
    assert other.post(claim, json={"take_over": True}).json["claimed_by"] == "u-18"
    assert clinic.delete(claim).status_code == 204
    assert at_desk(clinic, sent)["claimed_by"] == "u-18"
    assert other.delete(claim).status_code == 204
    told = at_desk(clinic, sent)
    assert "claimed_by" not in told
    assert [one["act"] for one in told["events"]] == ["sent", "claimed", "claimed", "released"]


def test_every_decision_is_an_event_with_who_took_it(harbor: Knocker, clinic: Knocker, travel: Travel) -> None:
    travel("2026-11-24T15:00:00Z")
    sent = refer(harbor)
    acts = (("accept", {}), ("schedule_assessment", {}), ("assessment_no_show", {}), ("hold", {"reason": "Ill."}))
    for decision, more in acts:
        assert decide(acting(clinic, "u-18", "intake"), sent, decision, **more).status_code == 200
    moved = [one for one in at_desk(clinic, sent)["events"] if one["act"] == "moved"]
    assert [(one["state"], one.get("sub_status")) for one in moved] == [
        ("accepted", None),
        ("in_progress", "assessment_scheduled"),
        ("in_progress", "assessment_no_show"),
        ("on_hold", None),
    ]
    assert {(one["actor"], one["actor_role"], one["at"]) for one in moved} == {
        ("u-18", "intake", "2026-11-24T15:00:00Z")
    }


def test_to_reject_needs_words_and_says_which_kind_it_is(harbor: Knocker, clinic: Knocker) -> None:
    sent = refer(harbor)
    assert decide(clinic, sent, "reject", reason="No.").status_code == 422
    assert name_of(decide(clinic, sent, "reject", sub_status="at_capacity")) == "referral-reason-missing"
    assert name_of(decide(clinic, sent, "reject", sub_status="admitted", reason="No.")) == (
        "referral-sub-status-does-not-fit"
    )
    told = decide(clinic, sent, "reject", **NO_BED).json
    assert (told["state"], told["sub_status"], told["reason"]) == ("rejected", "at_capacity", NO_BED["reason"])
    assert told["decisions"] == []


def test_what_has_ended_takes_no_decision_and_says_so(harbor: Knocker, clinic: Knocker) -> None:
    sent = refer(harbor)
    decide(clinic, sent, "reject", **NO_BED)
    refused = decide(clinic, sent, "accept")
    assert (refused.status_code, name_of(refused)) == (409, "referral-step-not-allowed")
    assert refused.json["state"] == "rejected"


@pytest.mark.parametrize("state", vocabulary.REFERRAL_STATES)
def test_possible_decisions_are_those_that_the_states_allow(state: str) -> None:
    """Each decision leads where the clinic may go, with a sub-status that goes with it; all others are refused."""
    for decision in vocabulary.TRIAGE_DECISIONS:
        leads = triage.LEADS[decision]
        stays = leads.to is None or state in leads.stays
        to = state if stays else leads.to
        allowed = state in states.OPEN if stays else to in states.next_states(state, actor=states.CLINIC)
        fits = leads.sub_status is None or leads.sub_status in states.SUB_STATUSES[str(to)]
        assert (decision in triage.possible(state)) == (allowed and fits), decision


def test_every_decision_of_the_contract_leads_somewhere() -> None:
    assert set(triage.LEADS) == set(vocabulary.TRIAGE_DECISIONS)
    assert all(any(decision in triage.possible(state) for state in states.OPEN) for decision in triage.LEADS)


def test_a_decision_on_an_old_reading_is_told_how_it_stands(harbor: Knocker, clinic: Knocker) -> None:
    sent = refer(harbor)
    read = tag(clinic, sent)
    assert decide(clinic, sent, "accept", if_match=read).status_code == 200
    refused = decide(acting(clinic, "u-18"), sent, "reject", if_match=read, **NO_BED)
    assert (refused.status_code, name_of(refused)) == (412, "referral-decided-meanwhile")
    assert (refused.json["state"], at_desk(clinic, sent)["state"]) == ("accepted", "accepted")
    assert clinic.post(f"{DESK}/{sent}/decisions", json={"decision": "accept"}).status_code == 428


def test_a_decision_sent_again_is_one(harbor: Knocker, clinic: Knocker) -> None:
    sent = refer(harbor)
    headers = {"If-Match": tag(clinic, sent)}
    ask = {"key": "once-1", "headers": headers, "json": {"decision": "accept"}}
    first, again = (clinic.post(f"{DESK}/{sent}/decisions", **ask) for _ in range(2))
    assert (first.status_code, again.status_code, again.headers["Idempotency-Replayed"]) == (200, 200, "true")
    assert first.json == again.json


def test_the_partner_sees_none_of_it(harbor: Knocker, clinic: Knocker) -> None:
    sent = refer(harbor)
    before = harbor.get(f"{PARTNERS}/{sent}")
    clinic.post(f"{DESK}/{sent}/claim", json={})
    decide(clinic, sent, "accept")
    decide(clinic, sent, "schedule_assessment")
    after = harbor.get(f"{PARTNERS}/{sent}")
    assert (after.data, after.headers["ETag"]) == (before.data, before.headers["ETag"])


def test_a_cancelled_referral_leaves_the_list(harbor: Knocker, clinic: Knocker) -> None:
    sent = refer(harbor)
    cancelled = harbor.post(
        f"{PARTNERS}/{sent}/cancellation", headers={"If-Match": "*"}, json={"reason": "Moved away."}
    )
    assert cancelled.status_code == 200, cancelled.text
    assert listed(clinic) == []
    told = at_desk(clinic, sent)
    assert (told["state"], told["withdrawn"], told["withdrawn_reason"]) == ("cancelled", "cancelled", "Moved away.")
    assert "late_withdrawal" not in told


def test_a_partner_cannot_reach_the_desk(
    app: Continuum, superuser: psycopg.Connection[Any], harbor: Knocker, patient: Knocker
) -> None:
    sent = refer(harbor)
    other = new_partner(app, superuser, "Elm Street Hospital")
    assert {one.get(f"{DESK}/{sent}").status_code for one in (harbor, other, patient)} == {401}


def test_the_audit_names_the_referral_and_who_acted(harbor: Knocker, clinic: Knocker, owner_sql: Sql) -> None:
    sent = refer(harbor)
    decide(clinic, sent, "accept")
    rows = owner_sql(
        "SELECT acting_user, acting_role, resource_id FROM audit_events WHERE operation = 'decideReferral'"
    )
    assert [(user, role, str(about)) for user, role, about in rows] == [("u-17", "counselor", sent)]
