"""One-time codes by the clock: the vectors of the standard, a window of one step, constant in what they say."""

import base64
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest

from api.access import totp

# RFC 6238 appendix B, SHA-1: the last six of its eight digits.
SECRET = base64.b32encode(b"12345678901234567890").decode()
VECTORS = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 20000000000: "353130"}
AT = datetime(2026, 11, 2, 15, 0, 10, tzinfo=UTC)
STEP = int(AT.timestamp()) // 30


def code(step: int) -> str:
    return pyotp.TOTP(SECRET).generate_otp(step)


@pytest.mark.parametrize(("seconds", "typed"), VECTORS.items())
def test_the_vectors_of_the_standard(seconds: int, typed: str) -> None:
    assert totp.step_of(SECRET, typed, datetime.fromtimestamp(seconds, UTC)) == seconds // 30


@pytest.mark.parametrize("moved", [-1, 0, 1])
def test_a_code_of_the_window_names_its_step(moved: int) -> None:
    assert totp.step_of(SECRET, code(STEP + moved), AT) == STEP + moved


@pytest.mark.parametrize("moved", [-3, -2, 2, 3])
def test_a_code_outside_the_window_is_none(moved: int) -> None:
    assert totp.step_of(SECRET, code(STEP + moved), AT) is None


def test_the_window_moves_with_the_clock() -> None:
    typed = code(STEP)
    edges = {seconds: totp.step_of(SECRET, typed, AT + timedelta(seconds=seconds)) for seconds in (-41, -40, 49, 50)}
    assert edges == {-41: None, -40: STEP, 49: STEP, 50: None}


@pytest.mark.parametrize("spaced", ["{0}{1}", "{0} {1}", " {0} {1} "])
def test_spaces_as_apps_show_them_are_fine(spaced: str) -> None:
    typed = code(STEP)
    assert totp.step_of(SECRET, spaced.format(typed[:3], typed[3:]), AT) == STEP


def test_sixteen_characters_are_read_and_no_more() -> None:
    assert totp.step_of(SECRET, code(STEP).rjust(16), AT) == STEP
    assert totp.step_of(SECRET, code(STEP).rjust(17), AT) is None


def test_every_changed_digit_is_wrong() -> None:
    typed = code(STEP)
    near = {code(STEP + moved) for moved in (-1, 0, 1)}
    wrong = {typed[:at] + digit + typed[at + 1 :] for at in range(6) for digit in "0123456789"} - near
    assert len(wrong) > 50 and {totp.step_of(SECRET, one, AT) for one in wrong} == {None}


@pytest.mark.parametrize("form", ["", "{}0", "0{}", "{}\0", "-{}", "{}é", "{}" * 50, " " * 100_000 + "{}"])
def test_what_is_no_code_is_none(form: str) -> None:
    assert totp.step_of(SECRET, form.replace("{}", code(STEP)), AT) is None


def test_digits_of_other_scripts_are_none() -> None:
    arabic = code(STEP).translate({ord("0") + digit: 0x0660 + digit for digit in range(10)})
    assert totp.step_of(SECRET, arabic, AT) is None


def test_a_code_that_two_steps_share_counts_as_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyotp.TOTP, "generate_otp", lambda self, step: "123456" if step != STEP else "654321")
    assert totp.step_of(SECRET, "123456", AT) == STEP + 1


def test_secrets_are_long_and_never_the_same() -> None:
    secrets = {totp.new_secret() for _ in range(50)}
    assert len(secrets) == 50 and {len(base64.b32decode(one)) for one in secrets} == {20}


def test_the_address_says_what_apps_need_and_nothing_of_the_clinic() -> None:
    address = urlsplit(totp.uri(SECRET, label="Clinic app account"))
    assert (address.scheme, address.netloc, address.path) == ("otpauth", "totp", "/Clinic%20app%20account")
    assert parse_qs(address.query)["secret"] == [SECRET] and "issuer" not in parse_qs(address.query)
    assert not re.search("trinity|continuum|wellness", address.geturl(), re.IGNORECASE)


def test_an_app_that_reads_the_address_makes_the_same_codes() -> None:
    app = pyotp.parse_uri(totp.uri(SECRET, label="Clinic app account"))
    assert isinstance(app, pyotp.TOTP) and totp.step_of(SECRET, app.at(AT), AT) == STEP
