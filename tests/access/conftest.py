"""Phones that knock at the application itself, and activation codes for their patients."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from api.app import Continuum
from tests.knocking import Knocker
from tests.phone import Answer, Headers, Phone, Transport

ADDRESS = "http://127.0.0.1:8000"


def over(app: Flask, *, remote: str = "127.0.0.1") -> Transport:
    """A transport that hands requests to the application, as if from the address `remote`."""

    def ask(method: str, url: str, headers: Headers, body: bytes | None) -> Answer:
        path = url.removeprefix(ADDRESS)
        told = app.test_client().open(
            path, method=method, headers=dict(headers), data=body, environ_base={"REMOTE_ADDR": remote}
        )
        return Answer(told.status_code, {name.lower(): value for name, value in told.headers.items()}, told.data)

    return ask


@pytest.fixture
def new_phone(app: Continuum) -> Callable[..., Phone]:
    """Makes phones that hold nothing yet; `remote` is the address they come from."""
    return lambda remote="127.0.0.1": Phone(ADDRESS, over(app, remote=remote))


@pytest.fixture
def invite(clinic: Knocker) -> Callable[..., str]:
    """Has the clinic issue an activation code for a patient; gives its typed form."""

    def issue(patient: Knocker, form: str = "code", **asked: Any) -> str:
        path = f"/v1/clinic/patients/{patient.external_id}/activation-codes"
        told = clinic.post(path, json={"handed_over": "in_person", **asked})
        assert told.status_code == 201, told.text
        return str(told.json[form])

    return issue


@pytest.fixture
def phone(new_phone: Callable[..., Phone], invite: Callable[..., str], patient: Knocker) -> Iterator[Phone]:
    """The patient's phone, signed in by a passkey."""
    made = new_phone()
    made.activate(invite(patient))
    yield made
