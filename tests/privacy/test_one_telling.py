"""One answer tells once: a partner's act that is answered by what was released is one row of the ledger."""

from collections.abc import Callable
from datetime import datetime

import pytest
from werkzeug.test import TestResponse

from api import db, vocabulary
from api.app import Continuum
from api.privacy import gate
from tests.knocking import Knocker
from tests.privacy.gating import NOON, Files, as_partner, held
from tests.referrals.sending import Sent, client, link, refer

Travel = Callable[[datetime], datetime]
ACTS: dict[str, Callable[[Sent, str], TestResponse]] = {
    "amend": lambda sent, tag: sent.amend(notes="Prefers mornings.", tag=tag),
    "cancel": lambda sent, tag: sent.cancel(tag=tag),
    "withdraw": lambda sent, tag: sent.withdraw(tag=tag),
    "send a document": lambda sent, tag: sent.attach(),
}


@pytest.fixture
def sent(app: Continuum, files: Files, patient: Knocker, travel: Travel) -> Sent:
    """A referral that is known to be this patient's."""
    travel(NOON)
    referral = refer(client(app, files.partner(), vocabulary.PARTNER_SCOPES))
    link(referral, patient)
    return referral


@pytest.mark.parametrize("act", ACTS)
def test_a_partners_act_is_one_row_and_its_answer_tells_what_the_row_says(
    files: Files, patient: Knocker, sent: Sent, act: str
) -> None:
    consent = files.sign(patient.id, sent.partner.id)
    tag, before = sent.tag(), len(files.ledger("id"))
    answer = ACTS[act](sent, tag)
    assert answer.status_code == 200 and answer.json["release"]
    told = files.ledger("consent_id", "categories", "subject_id")[before:]
    assert told == [(consent, ["referral_outcome"], sent.id)]


@pytest.mark.parametrize("act", ACTS)
def test_without_a_consent_it_is_none(files: Files, sent: Sent, act: str) -> None:
    assert "release" not in ACTS[act](sent, sent.tag()).json
    assert files.ledger("id") == []


def test_two_acts_are_two_rows(files: Files, patient: Knocker, sent: Sent) -> None:
    files.sign(patient.id, sent.partner.id)
    tag, before = sent.tag(), len(files.ledger("id"))
    amended = ACTS["amend"](sent, tag)
    ACTS["cancel"](sent, amended.headers["ETag"])
    assert len(files.ledger("id")) == before + 2


def test_what_comes_to_what_was_told_for_an_answer_is_written_down_too(files: Files, patient: Knocker) -> None:
    """A consent that is signed between the two questions of one act."""
    partner = files.partner()
    files.sign(patient.id, partner)
    subject = held(patient.id, {"referral_outcome": "admitted", "presence": True})
    recipient = gate.Recipient(partner)
    with db.transaction(as_partner(partner)):
        first = gate.release(recipient, held=lambda: [subject], at=NOON)
        more = files.sign(patient.id, partner, "presence")
        second = gate.release(recipient, held=lambda: [subject], already=first, at=NOON)
    assert set(second[subject.subject_id].facts) == {"referral_outcome", "presence"}
    assert [told for (told,) in files.ledger("categories")] == [["referral_outcome"], ["presence"]]
    assert files.ledger("consent_id")[1] == (more,)


def test_what_was_told_of_somebody_else_excuses_nothing(files: Files, patient: Knocker, other_patient: Knocker) -> None:
    partner = files.partner()
    one, other = held(patient.id), held(other_patient.id)
    for whose in (patient, other_patient):
        files.sign(whose.id, partner)
    with db.transaction(as_partner(partner)):
        first = gate.release(gate.Recipient(partner), held=lambda: [one], at=NOON)
        gate.release(gate.Recipient(partner), held=lambda: [one, other], already=first, at=NOON)
    assert [told for (told,) in files.ledger("patient_id")] == [patient.id, other_patient.id]
