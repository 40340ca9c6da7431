"""`make timing`: whether the clock tells who is a patient here (ASVS 5.0 6.3.8), what is somebody else's, or what
became of somebody who was referred.

In each of 200 rounds every cause of a flow is asked once, in an order that is drawn, over the application in-process
and a PostgreSQL that waits for its disk; each is paired with the same round's "there is no such person". Of each the
difference of medians is printed with its 99 % confidence interval (bootstrap over rounds), and the bound that follows:
what the difference is at most. It is told, and the exit code is 1, when the whole interval lies beyond one millisecond
and beyond 5 % of the median: what is less drowns in a network's own jitter for as many tries as the throttles allow.
"""

import contextlib
import functools
import gc
import json
import os
import random
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import psycopg
from limits import RateLimitItemPerDay, RateLimitItemPerHour

from api import clock, config, db, demo, postgres, vocabulary
from api.access import throttles
from api.app import Continuum, create_app
from api.keys import new_key
from api.patients import service as patients
from api.programs import catalogue
from tests.access.causes import CAUSES, House
from tests.access.conftest import ADDRESS, over
from tests.conftest import add_client, migrate
from tests.knocking import Knocker
from tests.phone import Phone
from tests.referrals import timed

ROUNDS, WARM = 200, 10
RESAMPLES = 2_000
CONFIDENCE = 0.99
TELLING_MS, TELLING_SHARE = 1.0, 0.05
COMPARED = {
    "password": ("wrong password", "used code", "suspended"),
    "typed code": ("wrong secret", "used", "suspended"),
    "link": ("expired", "used", "burnt", "suspended"),
    "passkey": ("wrong signature", "of somebody else", "stale", "suspended"),
}
# What a patient asks for by an id: method, address, and how to find one of somebody else's.
BY_ID = {
    "session": ("GET", "/v1/me/sessions/{}", "SELECT session_id FROM attendances WHERE patient_id <> %s LIMIT 1"),
    "phone": ("DELETE", "/v1/me/app-sessions/{}", "SELECT id FROM app_sessions WHERE patient_id <> %s LIMIT 1"),
    "key": ("DELETE", "/v1/me/passkeys/{}", "SELECT id FROM passkeys WHERE patient_id <> %s LIMIT 1"),
}
THEIRS = "somebody else's"
EXTERNAL_ID = "EHR-timing"
# A phone and a passkey of a patient of the demo clinic.
OF_ANOTHER = f"""
    INSERT INTO app_sessions (id, patient_id, expires_at)
    SELECT gen_random_uuid(), id, now() + interval '1 day' FROM patients WHERE external_id = '{demo.PATIENT}';
    INSERT INTO passkeys (id, patient_id, credential_id, public_key, sign_count, transports, backup_eligible, backed_up)
    SELECT gen_random_uuid(), id, '\\x01', '\\x01', 0, '{{}}', false, false
    FROM patients WHERE external_id = '{demo.PATIENT}'
"""
# One code of each form serves all rounds: issuing one costs a hash.
AS_ISSUED = """
    UPDATE activation_codes SET used_at = NULL, ended_at = NULL, wrong_tries = 0, expires_at = now() + interval '1 day'
"""


@dataclass(frozen=True)
class Verdict:
    """By how much a cause differs from nobody, in milliseconds; `low` to `high` is the confidence interval."""

    difference: float
    low: float
    high: float
    median: float

    @property
    def bound(self) -> float:
        return max(abs(self.low), abs(self.high))

    @property
    def tells(self) -> bool:
        least = max(0.0, self.low, -self.high)
        return least > TELLING_MS and least > TELLING_SHARE * self.median

    def line(self, flow: str, cause: str) -> str:
        share = self.bound / self.median
        said = f"{flow:11} {cause:17} median {self.median:6.2f} ms, difference {self.difference:+6.3f} ms"
        interval = f"[{self.low:+6.3f}, {self.high:+6.3f}], at most {self.bound:5.3f} ms ({share:.1%})"
        return f"{said} {interval}{'  TELLS' if self.tells else ''}"


def judged(nobody: Sequence[float], other: Sequence[float], *, seed: int = 1) -> Verdict:
    """Of samples in milliseconds, round by round."""
    drawn, pairs = random.Random(seed), list(zip(nobody, other, strict=True))
    differences = sorted(_difference(drawn.choices(pairs, k=len(pairs))) for _ in range(RESAMPLES))
    cut = round(RESAMPLES * (1 - CONFIDENCE) / 2)
    return Verdict(_difference(pairs), differences[cut], differences[-1 - cut], statistics.median(nobody))


def _difference(pairs: Sequence[tuple[float, float]]) -> float:
    nobody, other = zip(*pairs, strict=True)
    return statistics.median(other) - statistics.median(nobody)


def measured(house: House, flow: str) -> dict[str, list[float]]:
    """Milliseconds by cause, one of each round."""
    causes, drawn = ["nobody", *COMPARED[flow]], random.Random(flow)
    taken: dict[str, list[float]] = {cause: [] for cause in causes}
    for _ in range(WARM + ROUNDS):
        for cause in drawn.sample(causes, len(causes)):
            taken[cause].append(_one(house, flow, cause))
    return {cause: taken[cause][WARM:] for cause in causes}


def measured_by_id(house: House, kind: str) -> dict[str, list[float]]:
    """Milliseconds for an id of nobody's and for one of somebody else's, one of each round."""
    method, address, find = BY_ID[kind]
    ((theirs,),) = house.sql(find, house.patient_id)
    house.phone.sign_in()
    drawn, taken = random.Random(kind), dict[str, list[float]]({"nobody": [], THEIRS: []})
    for _ in range(WARM + ROUNDS):
        for whose in drawn.sample(list(taken), 2):
            path = address.format(theirs if whose == THEIRS else uuid.uuid4())
            began = time.perf_counter()
            answer = house.phone.request(method, path)
            taken[whose].append((time.perf_counter() - began) * 1000)
            assert answer.status == 404, (kind, whose, answer.json)
    return {whose: times[WARM:] for whose, times in taken.items()}


def measured_for_partners(partners: timed.Partners, flow: str) -> dict[str, list[float]]:
    """Milliseconds of a partner's knocks by cause, one of each round."""
    causes, drawn = ["nobody", *timed.CAUSES[flow]], random.Random(flow)
    taken: dict[str, list[float]] = {cause: [] for cause in causes}
    for _ in range(WARM + ROUNDS):
        for cause in drawn.sample(causes, len(causes)):
            knock = partners.knock(flow, cause)
            began = time.perf_counter()
            answer = knock()
            taken[cause].append((time.perf_counter() - began) * 1000)
            assert answer.status_code in (200, 201, 304), (flow, cause, answer.text)
    return {cause: times[WARM:] for cause, times in taken.items()}


def _one(house: House, flow: str, cause: str) -> float:
    knock = CAUSES[flow][cause](house)
    began = time.perf_counter()
    answer = knock()
    took = time.perf_counter() - began
    assert (answer.status, answer.json["error"]) == (400, "access_denied"), (flow, cause, answer.json)
    house.status("active")
    house.sql(AS_ISSUED)
    return took * 1000


@contextlib.contextmanager
def a_house(folder: Path) -> Iterator[tuple[House, timed.Partners]]:
    keys = folder / "keys.json"
    keys.write_text(json.dumps({"keys": [new_key()]}))
    with postgres.running(folder / "postgres", durable=True) as server:
        postgres.prepare(server, "continuum")
        migrate(server, "continuum")
        app = create_app(_settings(server, keys))
        with psycopg.connect(server.dsn("postgres", "continuum"), autocommit=True) as owner:
            yield _furnished(app, owner), timed.Partners(app, owner)
        db.engine().dispose()


def _settings(server: postgres.Server, keys: Path) -> config.Config:
    return config.read(
        {
            "CONTINUUM_ENV": "development",
            "DATABASE_URL": server.url("continuum_app", "continuum"),
            "TOKEN_KEYS_FILE": str(keys),
            "CURSOR_SECRET": "0123456789abcdef" * 2,
            "ACCESS_SECRET": "fedcba9876543210" * 2,
            "ENCRYPTION_KEYS": "k1:" + "0123456789abcdef" * 4,
            "REQUESTS_PER_MINUTE": "1000000",
            "DUTY_CONTACTS": "duty-1",
        }
    )


def _furnished(app: Continuum, owner: psycopg.Connection[Any]) -> House:
    """A patient, the clinic's own system to invite them, and tries without end."""
    many = RateLimitItemPerHour(10_000_000)
    account = many, RateLimitItemPerDay(10_000_000)
    throttles.use(throttles.Tries(account=account, address=many, device=many))
    with db.transaction(db.SYSTEM):
        catalogue.load(at=datetime.now(UTC))
    demo.load(app.settings)
    owner.execute(OF_ANOTHER)
    with db.transaction(db.SYSTEM):
        patient = patients.upsert(external_id=EXTERNAL_ID, at=clock.now())
    return House(
        lambda remote="127.0.0.1": Phone(ADDRESS, over(app, remote=remote)),
        patient.id,
        _inviting(app, owner),
        lambda statement, *values: _run(owner, statement, values),
    )


def _inviting(app: Continuum, owner: psycopg.Connection[Any]) -> Any:
    client = add_client(owner, kind="clinic", name="record system", scopes=vocabulary.CLINIC_SCOPES)

    @functools.cache
    def invite(form: str) -> str:
        token = app.extensions["tokens"].issue(
            kind="clinic", subject=client, client_id=str(client), scopes=vocabulary.CLINIC_SCOPES
        )
        clinic = Knocker(app, {"Authorization": f"Bearer {token}", "Acting-User": '"u-17";role=counselor'})
        path = f"/v1/clinic/patients/{EXTERNAL_ID}/activation-codes"
        return str(clinic.post(path, json={"handed_over": "in_person"}).json[form])

    return invite


def _run(owner: psycopg.Connection[Any], statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    cursor = owner.execute(statement, values)
    return cursor.fetchall() if cursor.description else []


def _apart_from_the_log() -> TextIO:
    """Where this tool speaks; the log of the requests goes nowhere."""
    out, nowhere = os.fdopen(os.dup(1), "w"), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    return out


def main(flows: list[str]) -> int:
    """The exit code; all flows where none is named."""
    telling, out = False, _apart_from_the_log()
    with tempfile.TemporaryDirectory() as folder, a_house(Path(folder)) as (house, partners):
        gc.disable()
        for flow in flows or (*COMPARED, *BY_ID, *timed.CAUSES):
            if flow in timed.CAUSES:
                taken = measured_for_partners(partners, flow)
            else:
                taken = measured_by_id(house, flow) if flow in BY_ID else measured(house, flow)
            for cause in (COMPARED | timed.CAUSES).get(flow, (THEIRS,)):
                verdict = judged(taken["nobody"], taken[cause])
                telling |= verdict.tells
                print(verdict.line(flow, cause), file=out, flush=True)
            gc.collect()
    return int(telling)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
