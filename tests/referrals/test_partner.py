"""A partner refers somebody: what it may send, change and take back, and what it is told without a consent."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api import db
from tests.knocking import Knocker
from tests.referrals import sending
from tests.referrals.sending import PATH, PDF, SENT, Sent, refer

Sql = Callable[..., list[tuple[Any, ...]]]


def test_a_referral_is_received_and_says_how_to_reach_help(partner: Knocker) -> None:
    answer = partner.post(PATH, json=SENT)
    assert answer.status_code == 201 and answer.headers["Location"] == f"{PATH}/{answer.json['id']}"
    assert answer.json.items() >= {**SENT, "state": "received", "version": 1, "events": []}.items()
    assert answer.json["about"]["crisis"]["resources"][0]["number"] == "911"
    assert "not an emergency service" in answer.json["about"]["not_an_emergency_service"]
    assert "release" not in answer.json and "intake_phone" not in answer.json["about"]


def test_what_surrounds_it_is_said_in_spanish_too(partner: Knocker) -> None:
    answer = partner.post(PATH, json=SENT, headers={"Accept-Language": "es"})
    assert "no es un servicio de emergencia" in answer.json["about"]["not_an_emergency_service"]
    assert answer.headers["Content-Language"] == "es"


def test_there_is_no_emergency_urgency(partner: Knocker) -> None:
    answer = partner.post(PATH, json={**SENT, "urgency": "emergency"})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/urgency")


@pytest.mark.parametrize("preference", ["through_partner", "do_not_contact"])
def test_whoever_is_not_to_be_contacted_leaves_no_number_here(
    partner: Knocker, preference: str, owner_sql: Sql
) -> None:
    refused = partner.post(PATH, json={**SENT, "contact_preference": preference})
    assert refused.status_code == 422 and refused.json["type"].endswith("/not-to-be-contacted")
    referral = refer(partner)
    changed = referral.amend(contact_preference=preference).json
    assert not {"phone", "email", "best_time"} & set(changed) and changed["voicemail_allowed"] is False
    assert owner_sql("SELECT was FROM referral_events WHERE act = 'amended'") == [
        ({"contact_preference": "may_contact"},)
    ]


def test_somebody_who_may_be_contacted_can_be_reached(partner: Knocker) -> None:
    nowhere = {name: value for name, value in SENT.items() if name != "phone"}
    answer = partner.post(PATH, json=nowhere)
    assert (answer.status_code, answer.json["type"].rsplit("/", 1)[1]) == (422, "no-way-to-reach")


def test_a_program_is_one_of_the_catalogue_or_none(partner: Knocker) -> None:
    assert partner.post(PATH, json={**SENT, "program": "nowhere"}).status_code == 422
    assert "program" not in partner.post(PATH, json={key: SENT[key] for key in SENT if key != "program"}).json


def test_an_amendment_keeps_what_it_replaced(partner: Knocker, owner_sql: Sql) -> None:
    referral = refer(partner)
    answer = referral.amend(notes=None, urgency="routine")
    assert (answer.status_code, answer.json["version"], "notes" in answer.json) == (200, 2, False)
    kept = owner_sql("SELECT act, actor_kind, actor, was FROM referral_events ORDER BY act")
    assert kept[0] == ("amended", "partner", str(partner.id), {"notes": SENT["notes"], "urgency": "soon"})
    assert kept[1][:3] == ("sent", "partner", str(partner.id))


def test_a_change_names_the_version_that_was_read(partner: Knocker) -> None:
    referral = refer(partner)
    old = referral.tag()
    assert referral.amend(notes="A first change.", tag=old).status_code == 200
    assert referral.amend(notes="A second change.", tag=old).status_code == 412
    assert referral.cancel(tag=old).status_code == 412
    assert partner.patch(referral.path, json={"notes": "?"}).status_code == 428


def test_a_tag_of_the_other_language_names_the_same_version(partner: Knocker) -> None:
    referral = refer(partner)
    spanish = referral.read(**{"Accept-Language": "es"}).headers["ETag"]
    assert spanish != referral.tag()
    assert referral.amend(notes="A change.", tag=spanish).status_code == 200


def test_what_has_not_changed_is_not_sent_again(partner: Knocker) -> None:
    referral = refer(partner)
    assert referral.read(**{"If-None-Match": referral.tag()}).status_code == 304


def test_a_cancelled_referral_says_so_once(partner: Knocker) -> None:
    referral = refer(partner)
    first = referral.cancel("No longer needed.")
    assert (first.status_code, first.json["state"], first.json["allowed_steps"]) == (200, "cancelled", ["withdraw"])
    again = referral.cancel("No longer needed.", tag='"1"')
    assert (again.status_code, again.json) == (200, first.json)
    other = referral.cancel("Another reason.")
    assert (other.status_code, other.json["state"]) == (409, "cancelled")
    assert referral.amend(notes="Too late.").json["state"] == "cancelled"


def test_what_was_sent_in_error_can_always_be_taken_back(partner: Knocker) -> None:
    referral = refer(partner)
    referral.cancel()
    answer = referral.withdraw(reason="Somebody else was meant.")
    assert (answer.status_code, answer.json["state"], answer.json["allowed_steps"]) == (200, "entered_in_error", [])
    assert referral.cancel("It ended.").status_code == 409


def test_a_second_referral_of_the_same_person_is_pointed_out(
    partner: Knocker, new_partner: Callable[..., Knocker]
) -> None:
    first = refer(partner, own_identifier="A-1")
    same_name = refer(partner, own_identifier="A-2", given_name="ÁVERY", family_name="Ex ample")
    same_case = refer(partner, own_identifier="A-1", given_name="Robin", born_on="1980-05-05")
    other_day = refer(partner, own_identifier="A-3", born_on="1991-01-01")
    elsewhere = refer(new_partner("Another Unit"), own_identifier="A-1")
    pointed = {one.id: one.read().json["possible_duplicates"] for one in (first, same_name, same_case)}
    assert pointed == {first.id: [], same_name.id: [str(first.id)], same_case.id: [str(first.id)]}
    assert other_day.read().json["possible_duplicates"] == elsewhere.read().json["possible_duplicates"] == []


@pytest.mark.parametrize(("other", "alike"), [("–", True), ("...", False), ("– –", False)])
def test_names_of_signs_alone_are_one_only_if_they_are_written_alike(partner: Knocker, other: str, alike: bool) -> None:
    first = refer(partner, own_identifier=None, given_name="–", family_name="–")
    second = refer(partner, own_identifier=None, given_name=other, family_name="–")
    assert second.read().json["possible_duplicates"] == ([str(first.id)] if alike else [])


def test_without_an_identifier_two_people_are_not_one(partner: Knocker) -> None:
    refer(partner, own_identifier=None)
    other = refer(partner, own_identifier=None, given_name="Robin", born_on="1980-05-05")
    assert other.read().json["possible_duplicates"] == []


def test_who_is_corrected_resembles_somebody_else(partner: Knocker) -> None:
    first, second = refer(partner, own_identifier="B-1"), refer(partner, own_identifier="B-2", given_name="Robin")
    assert second.amend(given_name="Avery").json["possible_duplicates"] == [str(first.id)]
    assert second.amend(notes="Not the person.").json["possible_duplicates"] == [str(first.id)]


def test_a_document_is_sealed_and_known_by_its_hash(partner: Knocker, owner_sql: Sql) -> None:
    referral = refer(partner)
    first = referral.attach()
    assert (first.status_code, first.json["document"]["size"], first.json["version"]) == (200, len(PDF), 2)
    assert referral.attach().json["version"] == 2
    assert referral.attach(PDF + b"%%EOF\n").json["version"] == 3
    ((sealed,), _) = owner_sql("SELECT sealed FROM referral_documents ORDER BY id")
    assert PDF not in bytes(sealed) and b"%PDF" not in bytes(sealed)


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"GIF89a" + PDF, "application/pdf", 422),
        (b"%PDF-1.7 cut off", "application/pdf", 422),
        (b"", "application/pdf", 422),
        (PDF, "application/octet-stream", 415),
        (PDF, "application/json", 415),
        (b"%PDF-1.7" + b"0" * 1_000_000 + b"%%EOF", "application/pdf", 413),
        (b"%PDF-1.7" + b"0" * 1_100_000 + b"%%EOF", "application/pdf", 413),
    ],
)
def test_what_is_no_pdf_of_a_megabyte_is_refused(
    partner: Knocker, content: bytes, media_type: str, status: int, owner_sql: Sql
) -> None:
    assert refer(partner).attach(content, media_type).status_code == status
    assert owner_sql("SELECT count(*) FROM referral_documents") == [(0,)]


def test_documents_come_to_an_end(partner: Knocker) -> None:
    referral = refer(partner)
    statuses = [referral.attach(PDF + b" " * number).status_code for number in range(6)]
    assert statuses == [200] * 5 + [409]


@pytest.mark.parametrize("knock", [Sent.attach, lambda one: one.cancel(tag="*")], ids=["document", "cancellation"])
def test_sent_twice_at_once_is_sent_once(partner: Knocker, owner_sql: Sql, knock: Callable[[Sent], Any]) -> None:
    referral, together = refer(partner), threading.Barrier(4)

    def send(_: int) -> tuple[int, Any]:
        together.wait()
        answer = knock(referral)
        return answer.status_code, answer.json.get("version")

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(send, range(4))) == {(200, 2)}
    assert owner_sql("SELECT count(*) FROM referral_events WHERE act <> 'sent'") == [(1,)]


def test_the_list_is_in_the_order_of_sending_whatever_changes(partner: Knocker) -> None:
    sent = [refer(partner, own_identifier=f"C-{number}") for number in range(3)]
    sent[0].amend(notes="Changed last.")
    page = partner.get(f"{PATH}?page_size=2").json
    rest = partner.get(f"{PATH}?page_size=2&page_token={page['next_page_token']}").json
    assert [one["id"] for one in page["items"] + rest["items"]] == [str(one.id) for one in sent]
    assert "next_page_token" not in rest and "about" not in page["items"][0] and page["about"]["crisis"]
    (found,) = partner.get(f"{PATH}?own_identifier=C-1").json["items"]
    assert found["id"] == str(sent[1].id)


def test_nobody_elses_referral_is_there(
    partner: Knocker, new_partner: Callable[..., Knocker], patient: Knocker, owner_sql: Sql
) -> None:
    theirs = refer(new_partner("Another Unit"))
    ids = (theirs.id, patient.id, partner.id, uuid.uuid4())
    answers = [sending.said(partner.get(f"{PATH}/{one}")) for one in ids]
    assert answers == [answers[0]] * 4 and answers[0][0] == 404
    for one in ids:
        stranger = sending.Sent(partner, one)
        changed = (stranger.amend(notes="?", tag='"1"'), stranger.cancel(tag='"1"'), stranger.withdraw(tag='"1"'))
        assert {answer.status_code for answer in (*changed, stranger.attach())} == {404}
    assert owner_sql("SELECT own_version FROM referrals") == [(1,)]


def test_a_partner_suspended_between_two_pages_reads_no_further(partner: Knocker, owner_sql: Sql) -> None:
    for number in range(3):
        refer(partner, own_identifier=f"D-{number}")
    token = partner.get(f"{PATH}?page_size=2").json["next_page_token"]
    owner_sql("UPDATE api_clients SET status = 'suspended' WHERE id = %s", partner.id)
    assert partner.get(f"{PATH}?page_size=2&page_token={token}").status_code == 401


def test_a_page_token_of_another_partner_is_worth_nothing(
    partner: Knocker, new_partner: Callable[..., Knocker]
) -> None:
    for number in range(3):
        refer(partner, own_identifier=f"E-{number}")
    token = partner.get(f"{PATH}?page_size=2").json["next_page_token"]
    assert new_partner("Another Unit").get(f"{PATH}?page_size=2&page_token={token}").status_code == 400


def test_the_partners_role_reaches_nothing_that_the_clinic_writes(partner: Knocker) -> None:
    referral = refer(partner)
    for table in ("referral_triage", "referral_events", "patients", "enrollments", "consents", "disclosures"):
        with (
            pytest.raises(db.exc.ProgrammingError, match="permission denied"),
            db.transaction(db.Caller(kind="partner", client_id=partner.id)) as session,
        ):
            session.execute(db.sa.text(f"SELECT * FROM {table}"))
    assert referral.read().status_code == 200
