"""No answer tells whether the clinic knows the person, or how far it has come (42 CFR 2.13(c)(2)).

Whoever is referred, whatever the clinic has done meanwhile: the same status, headers, bytes and statements, also of
conditional and repeated requests. `make timing` asks the clock the same question.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from api.programs import shelf
from api.referrals import worker
from tests.knocking import Knocker
from tests.referrals.sending import DONE, PATH, SENT, Sent, admit, alike, refer, said
from tests.statements import watched

Knock = Callable[[Sent], TestResponse]
# What its sender may ask of a referral, each of a fresh one.
KNOCKS: dict[str, Knock] = {
    "read": lambda one: one.read(),
    "read again": lambda one: one.read(**{"If-None-Match": one.tag()}),
    "read what it never had": lambda one: one.read(**{"If-None-Match": '"123456789012345678"'}),
    "amend": lambda one: one.amend(notes="Please call our unit."),
    "amend an older version": lambda one: one.amend(notes="Please call our unit.", tag='"1"'),
    "amend any version": lambda one: one.amend(notes="Please call our unit.", tag="*"),
    "amend without a version": lambda one: one.partner.patch(one.path, json={"notes": "?"}),
    "cancel": lambda one: one.cancel(),
    "cancel twice": lambda one: (one.cancel(), one.cancel())[1],
    "cancel for another reason": lambda one: (one.cancel(), one.cancel("Another."))[1],
    "amend what was cancelled": lambda one: (one.cancel(), one.amend(notes="?"))[1],
    "withdraw": lambda one: one.withdraw(reason="Somebody else was meant."),
    "withdraw what was cancelled": lambda one: (one.cancel(), one.withdraw())[1],
    "send a document": lambda one: one.attach(),
    "send it twice": lambda one: (one.attach(), one.attach())[1],
    "list": lambda one: one.partner.get(f"{PATH}?own_identifier={SENT['own_identifier']}"),
    "send it anew by the same key": lambda one: one.partner.post(PATH, key="first", json=SENT),
    "send something else by the same key": lambda one: one.partner.post(PATH, key="first", json={**SENT, "notes": "?"}),
    "refer the person again": lambda one: one.partner.post(PATH, json=SENT),
}


@pytest.fixture(autouse=True)
def warm(app: Any, visitor: Knocker, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The catalogue is kept in every process; when it is asked for anew has nothing to do with anybody."""
    kept = visitor.get("/v1/programs")
    assert kept.status_code == 200
    monkeypatch.setattr(shelf, "_fresh", lambda: shelf._stock)
    yield


def sent(partner: Knocker) -> Sent:
    answer = partner.post(PATH, key="first", json=SENT)
    assert answer.status_code == 201
    return Sent(partner, answer.json["id"])


def looked(knock: Knock, referral: Sent) -> tuple[Any, list[str]]:
    with watched() as asked:
        answer = knock(referral)
    return said(answer), asked


@pytest.mark.parametrize("name", KNOCKS)
def test_untouched_triaged_and_admitted_referrals_are_answered_alike(
    new_partner: Callable[..., Knocker], new_patient: Callable[..., Knocker], noon: Any, name: str
) -> None:
    seen = {}
    for number, (done, act) in enumerate(DONE.items()):
        referral = sent(new_partner(f"Unit {'ABC'[number]}"))
        act(referral, new_patient(preferred_name="Avery"))
        seen[done] = looked(KNOCKS[name], referral)
    assert seen["triaged"] == seen["untouched"]
    assert seen["admitted"] == seen["untouched"]


# When its time is over; any version, since there is none to read.
LATE_KNOCKS: dict[str, Knock] = {
    "read": lambda one: one.read(),
    "amend": lambda one: one.amend(notes="?", tag="*"),
    "cancel": lambda one: one.cancel(tag="*"),
    "withdraw": lambda one: one.withdraw(tag="*"),
    "send a document": lambda one: one.attach(),
    **{name: KNOCKS[name] for name in ("list", "send it anew by the same key", "refer the person again")},
}


@pytest.mark.parametrize("name", LATE_KNOCKS)
def test_when_its_time_is_over_an_admission_is_not_told_from_what_was_erased(
    new_partner: Callable[..., Knocker],
    new_patient: Callable[..., Knocker],
    noon: datetime,
    travel: Callable[[datetime], datetime],
    owner_sql: Callable[..., Any],
    name: str,
) -> None:
    cases = [(sent(new_partner(f"Unit {'ABC'[number]}")), act) for number, act in enumerate(DONE.values())]
    for referral, act in cases:
        act(referral, new_patient(preferred_name="Avery"))
    travel(noon + timedelta(days=180))
    worker.run()
    assert owner_sql("SELECT id FROM referrals") == [(UUID(str(cases[-1][0].id)),)]
    seen = [looked(LATE_KNOCKS[name], referral) for referral, _ in cases]
    assert seen[0] == seen[1] == seen[2]


def test_what_a_consent_releases_is_read_beyond_that_time(
    partner: Knocker, patient: Knocker, consent: Callable[..., Any], noon: datetime, travel: Callable[..., Any]
) -> None:
    referral = sent(partner)
    admit(referral, patient)
    consent(patient)
    travel(noon + timedelta(days=180))
    assert referral.read().json["state"] == "completed" and partner.get(PATH).json["items"] == []


def test_a_known_person_is_taken_as_an_unknown_one(
    new_partner: Callable[..., Knocker], new_patient: Callable[..., Knocker], noon: Any
) -> None:
    """The first was a patient already, by another partner's referral, under the very same name."""
    admit(refer(new_partner("Elsewhere")), new_patient(preferred_name="Avery"))
    names = ({}, {"given_name": "Oakly", "family_name": "Unknown"})
    seen = []
    for number, changed in enumerate(names):
        partner = new_partner(f"Unit {'AB'[number]}")
        with watched() as asked:
            answer = partner.post(PATH, json={**SENT, **changed})
        status, headers, body = said(answer)
        for value in changed.values():
            body = body.replace(value, "Avery" if value == "Oakly" else "Example")
        headers.pop("Content-Length")
        seen.append((status, headers, body, asked))
    assert seen[0] == seen[1]


def test_a_partner_with_other_referrals_is_answered_as_one_with_none(
    new_partner: Callable[..., Knocker], new_patient: Callable[..., Knocker], noon: Any
) -> None:
    many, none = new_partner("Unit A"), new_partner("Unit B")
    for number in range(3):
        admit(refer(many, own_identifier=f"M-{number}", given_name="Robin"), new_patient())
    seen = []
    for partner in (many, none):
        with watched() as asked:
            answer = partner.post(PATH, json=SENT)
        seen.append((said(answer), asked))
    assert seen[0] == seen[1]


def test_the_pairs_notice_what_is_released(
    partner: Knocker, patient: Knocker, consent: Callable[..., Any], noon: Any
) -> None:
    """The same comparison tells the two apart where a consent lets it."""
    referral = sent(partner)
    before = looked(KNOCKS["read"], referral)
    admit(referral, patient)
    assert looked(KNOCKS["read"], referral) == before
    consent(patient)
    after = looked(KNOCKS["read"], referral)
    assert after[0] != before[0] and len(after[1]) > len(before[1])
    assert alike('"123456789012345678"') == '"tag"'
