"""What ends a sign-in stops it at the next request: on this worker, and on every other (RFC 7009; HOUSE decision 5)."""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.access.ways import problem, refusal
from tests.faults.house import House, beside, served
from tests.knocking import Knocker
from tests.phone import APP, Answer, Headers, Phone, over_http

SQL = Callable[..., list[tuple[Any, ...]]]
TRIES = 20
ACTING = {"Acting-User": '"u-17";role=counselor'}


def revoke(phone: Phone, token: str, **more: str) -> Answer:
    return phone.form("/oauth/revoke", {"token": token, "client_id": APP, **more})


@pytest.fixture
def second(new_phone: Callable[..., Phone], invite: Callable[..., str], patient: Knocker, phone: Phone) -> Phone:
    """Another phone of the same patient."""
    made: Phone = new_phone()
    made.activate(invite(patient, "link_code"), keep_authenticators="true")
    return made


@pytest.mark.parametrize("token", ["refresh_token", "access_token"])
@pytest.mark.parametrize("hint", ["", "refresh_token", "access_token", "a_word_of_nobody"])
def test_either_token_ends_the_sign_in_at_once_and_twice_is_once(
    phone: Phone, second: Phone, owner_sql: SQL, token: str, hint: str
) -> None:
    for _ in range(2):
        answer = revoke(phone, phone.tokens[token], token_type_hint=hint)
        assert (answer.status, answer.body) == (200, b"")
    assert (phone.get("/v1/me").status, problem(phone.get("/v1/me"))) == (401, "session-ended")
    form = {"grant_type": "refresh_token", "refresh_token": phone.tokens["refresh_token"], "client_id": APP}
    assert refusal(phone.form("/oauth/token", form)) == (400, "invalid_grant")
    assert second.get("/v1/me").status == 200
    assert owner_sql("SELECT count(*) FROM audit_events WHERE operation = 'revokeToken'") == [(1,)]


def test_a_phone_that_lost_an_answer_signs_out_with_what_it_has(phone: Phone) -> None:
    old = phone.tokens["refresh_token"]
    phone.refresh()
    assert revoke(phone, old).status == 200
    assert phone.get("/v1/me").status == 401


@pytest.mark.parametrize("token", ["never-given", "a.b.c", "x" * 8192])
def test_a_token_that_is_none_is_answered_alike(phone: Phone, token: str) -> None:
    assert (revoke(phone, token).status, phone.get("/v1/me").status) == (200, 200)


def test_a_token_is_revoked_by_its_own_client_alone(phone: Phone, owner_sql: SQL) -> None:
    assert refusal(revoke(phone, phone.tokens["refresh_token"], client_id="another")) == (401, "invalid_client")
    owner_sql("UPDATE app_sessions SET client_id = 'another-release'")
    for token in ("refresh_token", "access_token"):
        assert refusal(revoke(phone, phone.tokens[token])) == (400, "unauthorized_client")
    assert phone.get("/v1/me").status == 200


def test_signing_out_everywhere_stops_every_phone_and_the_way_back_is_open(phone: Phone, second: Phone) -> None:
    assert second.request("DELETE", "/v1/me/app-sessions").status == 204
    for one in (phone, second):
        assert problem(one.get("/v1/me")) == "session-revoked"
        form = {"grant_type": "refresh_token", "refresh_token": one.tokens["refresh_token"], "client_id": APP}
        assert problem(one.form("/oauth/token", form)) == "session-revoked"
        one.sign_in()
        assert one.get("/v1/me").status == 200


@pytest.mark.parametrize(
    ("status", "slug"), [("suspended", "session-ended"), ("deceased", "session-revoked"), ("merged", "session-revoked")]
)
def test_an_account_that_is_not_active_any_more_stops_its_phones(
    phone: Phone, clinic: Knocker, patient: Knocker, status: str, slug: str
) -> None:
    _change(clinic, patient, status)
    assert (phone.get("/v1/me").status, problem(phone.get("/v1/me"))) == (401, slug)
    form = {"grant_type": "refresh_token", "refresh_token": phone.tokens["refresh_token"], "client_id": APP}
    assert (refusal(phone.form("/oauth/token", form))) == (400, "invalid_grant")
    if status == "suspended":
        _change(clinic, patient, "active")
        assert phone.get("/v1/me").status == 401
        phone.sign_in()
        assert phone.get("/v1/me").status == 200


def _change(clinic: Knocker, patient: Knocker, status: str) -> None:
    path = f"/v1/clinic/patients/{patient.external_id}/status"
    assert clinic.put(path, json={"status": status}).status_code == 200


class Elsewhere:
    """Two processes of one API: the one at the address that everybody knows, and another that answers for it."""

    def __init__(self, house: House, port: int) -> None:
        self.house, self.address = house, f"http://127.0.0.1:{house.port}"
        self._other = f"http://127.0.0.1:{port}"

    def phone(self) -> Phone:
        return Phone(self.address, over_http)

    def there(self, phone: Phone, path: str = "/v1/me") -> Answer:
        """What the other process answers the phone."""
        here, phone.transport = phone.transport, self._over
        try:
            return phone.get(path)
        finally:
            phone.transport = here

    def clinic(self, method: str, path: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.house.clinic}", "Content-Type": "application/json", **ACTING}
        headers |= {"Idempotency-Key": str(uuid.uuid4())} if method == "POST" else {}
        answer = over_http(method, f"{self.address}/v1/clinic/patients/{path}", headers, json.dumps(body).encode())
        assert answer.status in (200, 201), answer.body
        return answer.json

    def patient(self, external_id: str) -> Phone:
        """A new patient's phone, signed in by a passkey."""
        self.clinic("PUT", external_id, {})
        asked = {"handed_over": "in_person"}
        code = self.clinic("POST", f"{external_id}/activation-codes", asked)["link_code"]
        made = self.phone()
        made.activate(code)
        return made

    def _over(self, method: str, url: str, headers: Headers, body: bytes | None) -> Answer:
        return over_http(method, url.replace(self.address, self._other), headers, body)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    folder = tmp_path_factory.mktemp("two")
    with served(folder, threads=4) as house, beside(house, folder / "other.log") as port:
        yield Elsewhere(house, port)


def sign_out(phone: Phone, number: int) -> None:
    """One way or another."""
    if number % 3 == 0:
        phone.revoke()
    elif number % 3 == 1:
        assert phone.request("DELETE", "/v1/me/app-sessions").status == 204
    else:
        (own,) = (one for one in phone.get("/v1/me/app-sessions").json["items"] if one["current"])
        assert phone.request("DELETE", f"/v1/me/app-sessions/{own['id']}").status == 204


def test_another_process_refuses_at_the_next_request(elsewhere: Elsewhere) -> None:
    phone, answers = elsewhere.patient("EHR-2001"), []
    for number in range(TRIES):
        phone.sign_in()
        before = elsewhere.there(phone).status
        sign_out(phone, number)
        answers.append((before, elsewhere.there(phone).status))
    assert answers == [(200, 401)] * TRIES


@pytest.mark.parametrize("status", ["suspended", "deceased", "merged"])
@pytest.mark.parametrize("path", ["/v1/me", "/v1/me/today"])
def test_another_process_refuses_whose_account_is_not_active(elsewhere: Elsewhere, status: str, path: str) -> None:
    external_id = f"EHR-{status}-{len(path)}"
    phone = elsewhere.patient(external_id)
    assert elsewhere.there(phone, path).status == 200
    elsewhere.clinic("PUT", f"{external_id}/status", {"status": status})
    assert elsewhere.there(phone, path).status == 401


def test_a_proof_that_one_process_saw_is_spent_for_the_other(elsewhere: Elsewhere) -> None:
    """RFC 9449 §11.1."""
    phone = elsewhere.patient("EHR-2002")
    token, url = phone.tokens["access_token"], f"{elsewhere.address}/v1/me/today"
    proved = {"Authorization": f"DPoP {token}", "DPoP": phone.key.proof("GET", url, token=token)}
    assert over_http("GET", url, proved, None).status == 200
    again = elsewhere._over("GET", url, proved, None)
    assert (again.status, problem(again)) == (401, "invalid-dpop-proof")
