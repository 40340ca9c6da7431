"""Every refusal of every protected operation says in `WWW-Authenticate` what is wrong and where to look.

RFC 6750 §3, RFC 9449 §7.1, RFC 9470 §3 and RFC 9728 §5.1, for each operation of the contract that asks for a token:
nothing is told to who sent nothing, and each attribute stands there once.
"""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from api import app as doors
from api import auth, clock, vocabulary
from api.app import Continuum
from api.contract import Operation
from tests.contract.bearers import HOUR, Bearers, Headers, address, bearers, opened
from tests.contract.situations import Told, cases, token
from tests.system import ISSUER

__all__ = ["bearers"]

PROTECTED = {one.id: one for one in doors.operations() if one.scope}
# RFC 6750 §3: the characters of error, error_description and scope.
ATTRIBUTE = re.compile(r'([a-z_]+)="([ !#-\[\]-~]*)"(?:, |$)')


@pytest.fixture(autouse=True)
def swept() -> None:
    """In place of the sweeping after each test: who asks is made once for all operations."""


@pytest.fixture
def ask(app: Continuum) -> Callable[[Operation, Headers], TestResponse]:
    def knock(operation: Operation, headers: Headers) -> TestResponse:
        return app.test_client().open(address(operation), method=operation.method, headers=headers)

    return knock


@pytest.mark.parametrize(("name", "case"), [(name, case) for name, one in PROTECTED.items() for case in cases(one)])
def test_a_refusal_says_what_is_wrong(
    name: str, case: str, bearers: Bearers, ask: Callable[[Operation, Headers], TestResponse]
) -> None:
    operation = PROTECTED[name]
    makes, told = cases(operation)[case]
    answer = ask(operation, makes(bearers, operation))
    assert (answer.status_code, answer.json["type"].rsplit("/", 1)[1]) == (told.status, told.slug), answer.text
    scheme, said = challenge(answer)
    assert scheme == (told.scheme or ("DPoP" if operation.audience == "patient" else "Bearer"))
    assert said == expected(operation, told, scheme)
    assert answer.mimetype == "application/problem+json" and answer.headers["Cache-Control"] == "no-store"
    assert len(answer.headers.getlist("DPoP-Nonce")) == (told.slug == "use-dpop-nonce")


def challenge(answer: TestResponse) -> tuple[str, dict[str, str]]:
    """Scheme and attributes of the one challenge, each at most once (RFC 9110 §11.2, RFC 6750 §3)."""
    (header,) = answer.headers.getlist("WWW-Authenticate")
    scheme, _, rest = header.partition(" ")
    pairs = ATTRIBUTE.findall(rest)
    assert ", ".join(f'{key}="{value}"' for key, value in pairs) == rest
    assert len(dict(pairs)) == len(pairs)
    return scheme, dict(pairs)


def expected(operation: Operation, told: Told, scheme: str) -> dict[str, str]:
    """The attributes in the table of RFC 6750 §3.1 and its kin."""
    weak = {"acr_values": " ".join(vocabulary.STRONG_ACRS), "max_age": "300"}
    return {
        **({"algs": "ES256"} if scheme == "DPoP" else {}),
        **({"error": told.error} if told.error else {}),
        **({"scope": operation.scope or ""} if told.error == "insufficient_scope" else {}),
        **(weak if told.slug == "step-up-required" else {}),
        "resource_metadata": auth.metadata(ISSUER, operation.audience),
    }


@pytest.mark.parametrize("kind", sorted(auth.RESOURCES))
def test_what_a_refusal_points_to_describes_the_resource(app: Continuum, kind: str) -> None:
    """RFC 9728 §3.3: the resource is the one that the address of its document is made of."""
    path = urlsplit(auth.metadata(ISSUER, kind)).path
    said = app.test_client().get(path).json
    assert said["resource"] == auth.audience(ISSUER, kind)
    assert path == f"/.well-known/oauth-protected-resource{urlsplit(said['resource']).path}"
    mine = [one for one in PROTECTED.values() if one.audience == kind]
    assert all(f"{address(one)}/".startswith(f"{auth.RESOURCES[kind]}/") for one in mine)
    assert {scope for one in mine for scope in one.scopes} <= set(said["scopes_supported"])


@pytest.mark.parametrize("name", [name for name, one in PROTECTED.items() if not one.steps_up])
def test_nothing_else_asks_for_a_fresh_sign_in(
    name: str, bearers: Bearers, ask: Callable[[Operation, Headers], TestResponse]
) -> None:
    of_patients = {"proved": None, "sid": opened(bearers.standing["patient"])}
    old = token(bearers, PROTECTED[name], **(of_patients if PROTECTED[name].audience == "patient" else {}))
    assert ask(PROTECTED[name], old).status_code != 401


@pytest.mark.parametrize("name", [name for name, one in PROTECTED.items() if one.audience == "patient"])
def test_a_slow_clock_is_helped_by_the_nonce(
    name: str, bearers: Bearers, ask: Callable[[Operation, Headers], TestResponse]
) -> None:
    operation, slow = PROTECTED[name], clock.wall() - HOUR
    held = bearers.token("patient", sid=opened(bearers.standing["patient"]))
    nonce = ask(operation, bearers.headers(operation, held, at=slow)).headers["DPoP-Nonce"]
    assert ask(operation, bearers.headers(operation, held, at=slow, nonce=nonce)).status_code != 401


def test_patients_and_the_clinic_were_asked() -> None:
    assert {one.audience for one in PROTECTED.values()} >= {"patient", "clinic"}
    assert any(one.steps_up for one in PROTECTED.values())
