"""A patient asks that something not be told, the clinic answers, and the patient takes it back."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.knocking import Knocker
from tests.privacy.gating import OUTCOME, Files, facts
from tests.privacy.signing import NewPartner, new_partner, slug
from tests.world import freshly

__all__ = ["new_partner"]
SQL = Callable[..., list[tuple[Any, ...]]]
ASKED, ANSWERING = "/v1/me/restriction-requests", "/v1/clinic/restriction-requests"


def ask(patient: Knocker, **wish: Any) -> dict[str, Any]:
    asked = patient.post(ASKED, json=wish)
    assert asked.status_code == 201, asked.text
    found: dict[str, Any] = asked.json
    return found


def act(clinic: Knocker, asked: dict[str, Any], what: str, **said: Any) -> Any:
    return clinic.post(f"{ANSWERING}/{asked['id']}/{what}", key="", json=said)


def test_what_is_asked_changes_nothing_until_it_is_answered(patient: Knocker, new_partner: NewPartner) -> None:
    asked = ask(patient, recipient_id=new_partner(), categories=["attendance"], wish="Not my groups, please.")
    assert (asked["status"], asked["recipient_name"], asked["categories"]) == (
        "requested", "Harbor Detox", ["attendance"]
    )  # fmt: skip
    assert patient.get(ASKED).json["items"] == [asked]


def test_without_more_it_is_meant_for_anybody_and_everything(patient: Knocker, owner_sql: SQL) -> None:
    ask(patient)
    assert owner_sql("SELECT recipient_client_id, categories FROM restrictions") == [(None, None)]


def test_the_clinic_finds_what_waits_the_longest_first(
    clinic: Knocker, patient: Knocker, other_patient: Knocker
) -> None:
    waiting = [ask(patient)["id"], ask(other_patient)["id"], ask(patient)["id"]]
    act(clinic, {"id": waiting[1]}, "answer", agreed=True)
    found = clinic.get(f"{ANSWERING}?status=requested").json["items"]
    assert [one["id"] for one in found] == [waiting[0], waiting[2]]


def test_an_answer_is_read_by_the_patient_and_names_who_gave_it(clinic: Knocker, patient: Knocker) -> None:
    asked = ask(patient, categories=["presence"])
    agreed = act(clinic, asked, "answer", agreed=True, answer="We will not share this.").json
    assert (agreed["status"], agreed["answered_by"], agreed["answered_role"]) == ("agreed", "u-17", "counselor")
    (seen,) = patient.get(ASKED).json["items"]
    assert (seen["status"], seen["answer"]) == ("agreed", "We will not share this.") and "answered_by" not in seen


def test_declining_needs_words(clinic: Knocker, patient: Knocker) -> None:
    asked = ask(patient)
    assert act(clinic, asked, "answer", agreed=False).status_code == 422
    declined = act(clinic, asked, "answer", agreed=False, answer="We must report this by law.").json
    assert declined["status"] == "declined"


def test_the_same_answer_again_is_once_and_another_is_refused(clinic: Knocker, patient: Knocker) -> None:
    asked = ask(patient)
    first, second = (act(clinic, asked, "answer", agreed=True).json for _ in range(2))
    assert first == second
    assert slug(act(clinic, asked, "answer", agreed=False, answer="No.")) == (409, "already-answered")


def test_only_what_was_agreed_to_can_end(clinic: Knocker, patient: Knocker) -> None:
    asked = ask(patient)
    assert slug(act(clinic, asked, "end", reason="You asked for it.")) == (409, "not-agreed-to")
    act(clinic, asked, "answer", agreed=True)
    first, second = (act(clinic, asked, "end", reason="You asked for it.").json for _ in range(2))
    assert first == second and (first["status"], first["end_reason"]) == ("ended", "You asked for it.")


@pytest.mark.parametrize("status", ["suspended", "unknown"])
def test_a_partner_who_is_not_there_cannot_be_named(
    patient: Knocker, new_partner: NewPartner, owner_sql: SQL, status: str
) -> None:
    partner = new_partner()
    owner_sql("UPDATE api_clients SET status = 'suspended'")
    named = partner if status == "suspended" else "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e99"
    assert slug(patient.post(ASKED, json={"recipient_id": named})) == (422, "unknown-recipient")


def test_asking_twice_under_one_key_is_asking_once(patient: Knocker) -> None:
    first, second = (patient.post(ASKED, key="once", json={"categories": ["progress"]}).json for _ in range(2))
    assert first == second and len(patient.get(ASKED).json["items"]) == 1


def test_another_patient_sees_none_of_it(patient: Knocker, other_patient: Knocker) -> None:
    ask(patient)
    assert other_patient.get(ASKED).json["items"] == []


def test_every_step_raises_the_patients_version(clinic: Knocker, patient: Knocker, owner_sql: SQL) -> None:
    versions = "SELECT v.version - r.version, r.version FROM patient_versions v JOIN restrictions r USING (patient_id)"
    asked = ask(patient)
    ((behind, before),) = owner_sql(versions)
    act(clinic, asked, "answer", agreed=True)
    assert (behind, owner_sql(versions)) == (0, [(0, before + 1)])


def waiting(clinic: Knocker) -> list[tuple[str, int, str]]:
    """The tasks for requests that wait, as what they name, how often it came up, and whose it is."""
    found = clinic.get("/v1/clinic/tasks?cause=restriction_asked").json["items"]
    return [(one["subject_id"], one["times"], one["patient_external_id"]) for one in found]


def test_what_a_patient_asks_waits_in_the_clinics_queue_until_it_is_answered(clinic: Knocker, patient: Knocker) -> None:
    asked = ask(patient)
    assert waiting(clinic) == [(asked["id"], 1, patient.external_id)]
    act(clinic, asked, "answer", agreed=True)
    assert waiting(clinic) == []
    closed = clinic.get("/v1/clinic/tasks?status=cause_gone").json["items"]
    assert [one["cause"] for one in closed] == ["restriction_asked"]


def test_several_requests_are_one_task_which_names_the_oldest(clinic: Knocker, patient: Knocker) -> None:
    first, second = ask(patient), ask(patient, categories=["presence"])
    assert waiting(clinic) == [(first["id"], 2, patient.external_id)]
    act(clinic, first, "answer", agreed=False, answer="We must report this by law.")
    assert waiting(clinic) == [(second["id"], 2, patient.external_id)]
    act(clinic, second, "answer", agreed=True)
    assert waiting(clinic) == []


def test_each_patient_has_a_task_of_their_own(clinic: Knocker, patient: Knocker, other_patient: Knocker) -> None:
    asked, others = ask(patient), ask(other_patient)
    act(clinic, asked, "answer", agreed=True)
    assert waiting(clinic) == [(others["id"], 1, other_patient.external_id)]


def test_ending_what_was_agreed_to_opens_no_task(clinic: Knocker, patient: Knocker) -> None:
    asked = ask(patient)
    act(clinic, asked, "answer", agreed=True)
    act(clinic, asked, "end", reason="You asked for it.")
    assert waiting(clinic) == []


def test_asking_anew_after_staff_said_it_is_done_opens_it_anew(clinic: Knocker, patient: Knocker) -> None:
    first = ask(patient)
    (task,) = clinic.get("/v1/clinic/tasks").json["items"]
    clinic.post(f"/v1/clinic/tasks/{task['id']}/completion", json={"outcome": "Talked it through."})
    assert waiting(clinic) == []
    ask(patient)
    assert waiting(clinic) == [(first["id"], 1, patient.external_id)]


def take_back(patient: Knocker, asked: dict[str, Any]) -> Any:
    """As one who has just proved who they are."""
    return freshly(patient).post(f"{ASKED}/{asked['id']}/withdrawal", key="")


def test_what_still_waits_is_taken_back_and_its_task_closes(clinic: Knocker, patient: Knocker, owner_sql: SQL) -> None:
    asked = ask(patient)
    taken_back = take_back(patient, asked)
    assert taken_back.status_code == 200 and taken_back.json["status"] == "withdrawn"
    assert "withdrawn_at" in taken_back.json and "ended_at" not in taken_back.json
    assert waiting(clinic) == [] and patient.get(ASKED).json["items"] == [taken_back.json]
    versions = "SELECT v.version - r.version FROM patient_versions v JOIN restrictions r USING (patient_id)"
    assert owner_sql(versions) == [(0,)]


def test_taking_one_back_leaves_the_task_to_the_others(clinic: Knocker, patient: Knocker) -> None:
    first, second = ask(patient), ask(patient)
    take_back(patient, first)
    assert waiting(clinic) == [(second["id"], 2, patient.external_id)]


def test_what_was_agreed_to_is_taken_back_and_its_answer_stays(clinic: Knocker, patient: Knocker) -> None:
    asked = ask(patient)
    act(clinic, asked, "answer", agreed=True, answer="We will not share this.")
    taken_back = take_back(patient, asked).json
    assert (taken_back["status"], taken_back["answer"]) == ("withdrawn", "We will not share this.")
    (seen,) = clinic.get(f"{ANSWERING}?status=withdrawn").json["items"]
    assert (seen["id"], seen["answered_by"]) == (asked["id"], "u-17")


def test_the_gate_honours_it_at_the_next_read(files: Files, clinic: Knocker, patient: Knocker) -> None:
    partner = files.partner()
    files.sign(patient.id, partner)
    asked = ask(patient, recipient_id=str(partner))
    act(clinic, asked, "answer", agreed=True)
    assert facts(partner, patient.id) is None
    take_back(patient, asked)
    assert facts(partner, patient.id) == OUTCOME


@pytest.mark.parametrize("agreed", [False, True])
def test_whoever_only_holds_the_phone_takes_nothing_back(
    files: Files, clinic: Knocker, patient: Knocker, agreed: bool
) -> None:
    partner = files.partner()
    files.sign(patient.id, partner)
    asked = ask(patient)
    if agreed:
        act(clinic, asked, "answer", agreed=True)
    refused = freshly(patient, minutes=6).post(f"{ASKED}/{asked['id']}/withdrawal", key="")
    assert slug(refused) == (401, "step-up-required") and "withdrawn_at" not in patient.get(ASKED).json["items"][0]
    assert facts(partner, patient.id) == (None if agreed else OUTCOME)


def test_taking_back_again_is_once_and_so_is_what_the_clinic_ended(clinic: Knocker, patient: Knocker) -> None:
    asked, ended = ask(patient), ask(patient)
    first, second = (take_back(patient, asked).json for _ in range(2))
    assert first == second
    act(clinic, ended, "answer", agreed=True)
    act(clinic, ended, "end", reason="You asked for it.")
    assert take_back(patient, ended).json["status"] == "ended"


def test_what_was_declined_leaves_nothing_to_take_back(clinic: Knocker, patient: Knocker) -> None:
    asked = ask(patient)
    act(clinic, asked, "answer", agreed=False, answer="We must report this by law.")
    assert slug(take_back(patient, asked)) == (409, "nothing-to-take-back")


def test_the_clinic_learns_that_it_was_taken_back(clinic: Knocker, patient: Knocker) -> None:
    asked = ask(patient)
    take_back(patient, asked)
    assert slug(act(clinic, asked, "answer", agreed=True)) == (409, "taken-back")
    assert slug(act(clinic, asked, "end", reason="You asked for it.")) == (409, "taken-back")


def test_nobody_takes_back_what_another_asked(patient: Knocker, other_patient: Knocker) -> None:
    asked = ask(patient)
    assert take_back(other_patient, asked).status_code == 404
    assert patient.get(ASKED).json["items"] == [asked]
