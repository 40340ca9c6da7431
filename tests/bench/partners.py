"""What partners cost: referring a person, reading what a consent releases, and being one of many."""

import itertools
import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

from api import auth, keys, vocabulary
from tests.bench import contest, figures, generator
from tests.bench.clinics import ISSUER, Clinic
from tests.bench.contest import Contestant, Figure, in_turn
from tests.bench.servers import Server, serving

REFERRALS = "/v1/partner/referrals"
RELEASED = 500
COMPARED = 50
LIVED_SECONDS = 2.0
PARTNERS = """
INSERT INTO api_clients (id, kind, name, scopes, status, partner_kind)
SELECT gen_random_uuid(), 'partner', 'Partner ' || n, %(scopes)s, 'active', 'treating_provider'
FROM generate_series(1, %(partners)s) n RETURNING id
"""
SENT = """
CREATE TEMP TABLE sent AS SELECT gen_random_uuid() AS id, partner, n,
  date_trunc('second', now()) - n * interval '1 minute' AS at
FROM unnest(%(partners)s::uuid[]) AS partner, generate_series(1, %(each)s) n;
INSERT INTO referrals (id, client_id, origin, own_identifier, given_name, family_name, name_key, contact_preference,
  language, reason, created_at, changed_at)
SELECT id, partner, 'partner', 'OWN-' || n, 'Avery', 'Example', 'avery example ' || n, 'may_contact', 'en',
  'Finishing a program.', at, at FROM sent;
"""
TRIAGED = """
INSERT INTO referral_triage (referral_id, state, sub_status, patient_id, admitted_at, changed_at)
SELECT id, CASE WHEN patient IS NULL THEN 'received' ELSE 'completed' END,
  CASE WHEN patient IS NOT NULL THEN 'admitted' END, patient, CASE WHEN patient IS NOT NULL THEN at END, at
FROM sent LEFT JOIN (SELECT row_number() OVER () AS n, patient FROM unnest(%(patients)s::uuid[]) AS patient) AS one
  USING (n);
INSERT INTO consents (id, patient_id, patient_name, discloser, recipient_client_id, recipient_name, categories, purpose,
  terms, revocable, expires_on_event, form_version, language, text, text_hash, signer, signer_name, signed_how,
  signed_at, created_at, version)
SELECT gen_random_uuid(), patient_id, 'Avery Example', 'The clinic', partner, api_clients.name,
  '{presence,level_of_care,referral_outcome}', 'treatment', 'usual', 'any_time', 'end_of_treatment', 'release-1', 'en',
  'x', sha256('x'), 'patient', 'Avery Example', 'app', at, at, 1
FROM sent JOIN referral_triage ON referral_id = sent.id JOIN api_clients ON api_clients.id = partner
WHERE patient_id IS NOT NULL;
"""
SUBSCRIBED = """
INSERT INTO webhook_endpoints (id, client_id, url, event_types, status, secret, secret_made_by)
SELECT gen_random_uuid(), %(partner)s, 'https://hooks.example.org/', '{referral.received}', 'active', 'x', 'x'
"""


class Partner:
    """One partner of a clinic, with a fresh token and its referrals, the released ones first."""

    def __init__(self, clinic: Clinic, client_id: UUID, referrals: Sequence[UUID]) -> None:
        issuer = auth.Tokens(keys.KeyFile(clinic.keys).current, issuer=ISSUER, remembered=0)
        self.client_id, self.referrals = client_id, referrals
        self.token = issuer.issue(
            kind="partner", subject=client_id, client_id=str(client_id), scopes=vocabulary.PARTNER_SCOPES
        )

    def get(self, path: str) -> bytes:
        return generator.get(path, Authorization=f"Bearer {self.token}")

    def reads(self) -> list[bytes]:
        return [self.get(f"{REFERRALS}/{one}") for one in self.referrals]

    def refer(self) -> bytes:
        """What a detox unit sends."""
        said = {
            "own_identifier": str(uuid.uuid4()),
            "given_name": "Avery",
            "family_name": "Example",
            "contact_preference": "may_contact",
            "phone": "+12025550143",
            "language": "en",
            "reason": "Finishing our program on Friday.",
            "urgency": "soon",
            "program": "iop",
        }
        key = str(uuid.uuid4())
        return generator.post(
            REFERRALS, json.dumps(said).encode(), Authorization=f"Bearer {self.token}", Idempotency_Key=key
        )


def partners(clinic: Clinic, folder: Path, compete: figures.Compete) -> figures.Measured:
    """R1, R2: referring with an endpoint subscribed, and reading what is released, beside FastAPI's insert and read."""
    with (
        serving("ours", clinic, figures.OURS, folder) as ours,
        serving("fastapi", clinic, figures.FASTAPI, folder) as peer,
    ):
        tokens = clinic.tokens()
        one = sent(clinic, partners=1, each=RELEASED, patients=list(tokens)[:RELEASED])[0]
        subscribe(clinic, one)
        refuse_silence(ours, one)
        live(clinic, ours, one)
        sessions = [generator.get(figures.SESSIONS, Authorization=f"Bearer {token}") for token in tokens.values()]
        phones = itertools.cycle(tokens.values())
        rounds = compete(
            [
                Contestant("referral", ours.port, one.refer, status=201),
                Contestant("FastAPI insert", peer.port, lambda: figures.check_in(next(phones)), status=201),
                Contestant("referral read", ours.port, in_turn(one.reads())),
                Contestant("FastAPI sessions", peer.port, in_turn(sessions)),
            ]
        )
    return [
        Figure("R1", "referral", contest.speed(rounds, "referral", "FastAPI insert"), 0.3),
        Figure("R2", "referral_read", contest.speed(rounds, "referral read", "FastAPI sessions"), 0.3),
    ], contest.usual(rounds)


def many_partners(small: Clinic, large: Clinic, folder: Path, compete: figures.Compete) -> figures.Measured:
    """R3: does a partner wait longer where there are many, with many referrals each?"""
    with ExitStack() as stack:
        contestants: list[Contestant] = []
        for clinic, count, each in ((small, 2, 50), (large, 200, 5_000)):
            server = stack.enter_context(serving(clinic.name, clinic, figures.OURS, folder))
            some = sent(clinic, partners=count, each=each, patients=[])[:20]
            contestants += contending(clinic.name, server, some)
        rounds = compete(contestants)
    return [
        Figure("R3", name, contest.latency(rounds, f"{what}, {large.name}", f"{what}, {small.name}"), 1.3, most=True)
        for name, what in (("referrals_list_of_size", "list"), ("referral_read_of_size", "read"))
    ], contest.usual(rounds)


def contending(name: str, server: Server, some: Sequence[Partner]) -> Iterator[Contestant]:
    reads = [request for one in some for request in one.reads()[:COMPARED]]
    yield Contestant(f"list, {name}", server.port, in_turn([one.get(REFERRALS) for one in some]))
    yield Contestant(f"read, {name}", server.port, in_turn(reads))


def sent(clinic: Clinic, *, partners: int, each: int, patients: Sequence[UUID]) -> list[Partner]:
    """So many partners with `each` referrals; of the first ones became these `patients`, who allow what is released."""
    with clinic.unhindered() as connection:
        connection.execute("SET session_replication_role = replica")
        made = connection.execute(
            PARTNERS, {"scopes": list(vocabulary.PARTNER_SCOPES), "partners": partners}
        ).fetchall()
        values: dict[str, Any] = {"partners": [one for (one,) in made], "each": each, "patients": list(patients)}
        for script in (SENT, TRIAGED):
            for statement in script.split(";\n"):
                if statement.strip():
                    connection.execute(statement.encode(), values if "%(" in statement else None)
        connection.execute("VACUUM ANALYZE")
        rows = connection.execute("SELECT partner, id FROM sent WHERE n <= %s ORDER BY n", (RELEASED,))
        found: dict[UUID, list[UUID]] = {}
        for partner, referral in rows:
            found.setdefault(partner, []).append(referral)
    return [Partner(clinic, client_id, referrals) for client_id, referrals in found.items()]


def subscribe(clinic: Clinic, partner: Partner) -> None:
    with clinic.unhindered() as connection:
        connection.execute(SUBSCRIBED, {"partner": partner.client_id})


def live(clinic: Clinic, server: Server, partner: Partner) -> None:
    """Some have been referred before, and the statistics know of it, as autovacuum sees to within a minute: until then
    PostgreSQL reads tables that were empty a moment ago from end to end."""
    generator.load(server.port, partner.refer, status=201, seconds=LIVED_SECONDS)
    with clinic.unhindered() as connection:
        connection.execute("VACUUM ANALYZE")


def refuse_silence(server: Server, partner: Partner) -> None:
    """The gate releases something, or it is not what is measured. Raises `generator.WrongAnswer`."""
    _, _, body = generator.answer_to(server.port, partner.reads()[0])
    if json.loads(body).get("sub_status") != "admitted":
        raise generator.WrongAnswer(f"nothing is released: {body[:300]!r}")
