"""A patient signs in on the app's own screens, and the phone stays signed in."""

from collections.abc import Callable

from tests.knocking import Knocker
from tests.phone import Phone


def test_an_activation_code_and_a_passkey_let_a_patient_in(
    new_phone: Callable[..., Phone], invite: Callable[..., str], patient: Knocker
) -> None:
    phone = new_phone()
    tokens = phone.activate(invite(patient))
    assert (tokens["token_type"], tokens["expires_in"]) == ("DPoP", 600)
    assert phone.get("/v1/me").json["preferred_name"] == "Sam"
    assert phone.get("/v1/me/today").status == 200


def test_later_the_passkey_alone_does(phone: Phone) -> None:
    before = phone.tokens
    phone.sign_in()
    assert phone.tokens["access_token"] != before["access_token"]
    assert phone.get("/v1/me/sessions").status == 200


def test_a_refresh_token_gives_the_next_one(phone: Phone) -> None:
    before = phone.tokens
    phone.refresh()
    assert phone.tokens["refresh_token"] != before["refresh_token"]
    assert phone.get("/v1/me").status == 200
