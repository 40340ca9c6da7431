"""Signed-in phones for measuring: keys, bound tokens, refresh tokens and passwords of the same patients every time."""

import base64
import hashlib
import itertools
import secrets
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from api import auth, config, db, keys, vocabulary
from api.access import authenticators, hashing, sealing, totp
from tests.bench import generator
from tests.bench.clinics import ISSUER, Clinic
from tests.dpop import Key

APP = "continuum-app"
PASSWORD = "plum-rivet-sparrow-41"
SESSIONS = "/v1/me/sessions"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Phone:
    """A patient's phone with its key and an access token that is bound to it."""

    patient_id: UUID
    app_session_id: UUID
    key: Key
    token: str

    def read(self) -> bytes:
        proof = self.key.proof("GET", ISSUER + SESSIONS, token=self.token)
        return generator.get(SESSIONS, Authorization=f"DPoP {self.token}", DPoP=proof)

    def form(self, path: str, **form: str) -> bytes:
        body = urllib.parse.urlencode(form).encode()
        return generator.post(path, body, Content_Type=FORM, DPoP=self.key.proof("POST", ISSUER + path))


def phones(clinic: Clinic) -> list[Phone]:
    """Phones of the patients whose tokens are measured; their app sessions have learnt the phones' keys."""
    issuer = auth.Tokens(keys.KeyFile(clinic.keys).current, issuer=ISSUER, remembered=0)
    made = []
    with clinic.unhindered() as connection:
        rows = connection.execute(
            "SELECT patient_id, id FROM app_sessions WHERE patient_id = ANY(%s)", [list(clinic.tokens())]
        ).fetchall()
        for patient, app_session in rows:
            key = Key()
            _bind(connection, app_session, key)
            token = issuer.issue(
                kind="patient",
                subject=patient,
                client_id=APP,
                scopes=vocabulary.PATIENT_SCOPES,
                sid=app_session,
                key=key.thumbprint,
            )
            made.append(Phone(patient, app_session, key, token))
    return made


def _bind(connection: psycopg.Connection[Any], app_session: UUID, key: Key) -> None:
    connection.execute(
        "UPDATE app_sessions SET key_thumbprint = %s, client_id = %s, scopes = %s, acr = 'phr', amr = '{hwk,user}',"
        " authenticated_at = now(), expires_at = now() + interval '1 day' WHERE id = %s",
        [key.thumbprint, APP, list(vocabulary.PATIENT_SCOPES), app_session],
    )


class Fresh:
    """Requests that can be sent once, made before each round; `make` gives as many as one may need."""

    def __init__(self, make: Callable[[], Iterator[bytes]]) -> None:
        self._make = make
        self._left: Iterator[bytes] = iter(())

    def prepare(self) -> None:
        self._left = iter(list(self._make()))

    def __call__(self) -> bytes:
        return next(self._left)


def reads(held: list[Phone], *, most: int) -> Fresh:
    """Reads of my sessions, each with a proof of its own."""
    return Fresh(lambda: (one.read() for one in itertools.islice(itertools.cycle(held), most)))


def refreshes(clinic: Clinic, held: list[Phone]) -> Fresh:
    """One refresh of each phone, by a token that begins its lineage."""

    def make() -> Iterator[bytes]:
        with clinic.unhindered() as connection:
            for one in held:
                token = secrets.token_urlsafe(32)
                connection.execute(
                    "INSERT INTO refresh_tokens (id, app_session_id, patient_id, hash) VALUES (%s, %s, %s, %s)",
                    [db.uuid7(), one.app_session_id, one.patient_id, hashlib.sha256(token.encode()).digest()],
                )
                yield one.form("/oauth/token", grant_type="refresh_token", refresh_token=token, client_id=APP)

    return Fresh(make)


def give_passwords(clinic: Clinic, held: list[Phone]) -> list[tuple[str, str]]:
    """Names and TOTP secrets of the phones' patients, all with one password: its hash is what takes time."""
    sealing.use(config.read(clinic.settings()).access_secret)
    stored, made = hashing.hashed(sealing.peppered(PASSWORD)), []
    with clinic.unhindered() as connection:
        for number, one in enumerate(held):
            name, secret = f"bench.{number}-0000", totp.new_secret()
            connection.execute(
                "INSERT INTO sign_in_accounts (patient_id, user_handle, name_index, password_hash, totp_secret)"
                " VALUES (%s, %s, %s, %s, %s)",
                [
                    one.patient_id,
                    secrets.token_bytes(64),
                    sealing.index(name),
                    stored,
                    sealing.seal(secret.encode(), place=authenticators.TOTP_PLACE, row=one.patient_id),
                ],
            )
            made.append((name, secret))
    return made


def challenge_of(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def passed(since: float) -> float:
    return time.perf_counter() - since
