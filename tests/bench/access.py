"""What signing in costs: bound reads beside unbound ones, refreshing, reads beside sign-ins, and how soon a revocation
is seen by another worker."""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from api.children import Child
from tests.bench import contest, generator, phones
from tests.bench.clinics import Clinic
from tests.bench.contest import Contestant, Figure, in_turn
from tests.bench.phones import SESSIONS, Phone
from tests.bench.servers import ROOT, Server, command_of, serving

OURS = "wsgi:app"
MOST_READS = 8_000
REVOCATIONS = 1_000
SIGN_IN_ROUNDS = 5
# Each round signs in for this long, a little longer than reads are measured beside it.
SIGN_IN_SECONDS = 3.0

Measured = tuple[list[Figure], dict[str, float]]
Compete = Callable[[list[Contestant]], contest.Rounds]


def access(clinic: Clinic, folder: Path, compete: Compete) -> Measured:
    """S1 to S4."""
    held = phones.phones(clinic)
    bearers = list(clinic.tokens().values())
    with serving("ours", clinic, OURS, folder, ADDRESS_TRIES_PER_HOUR="10000000") as ours:
        rounds = compete(
            [
                Contestant("bearer", ours.port, in_turn([_read(token) for token in bearers])),
                Contestant("bound", ours.port, phones.reads(held, most=MOST_READS)),
                Contestant("refresh", ours.port, phones.refreshes(clinic, held)),
            ]
        )
        grown, signed_in = _beside_sign_ins(clinic, ours, folder, held, bearers)
        seen = _revocations_seen(clinic, ours, folder, phones.phones(clinic))
    return [
        Figure("S1", "bound_read", contest.speed(rounds, "bound", "bearer"), 0.5),
        Figure("S2", "refresh", contest.speed(rounds, "refresh", "bearer"), 0.1),
        Figure("S3", "latency_beside_sign_ins", grown, 2.0, most=True),
        Figure("S3", "sign_ins_a_second", signed_in, 10.0),
        Figure("S4", "revocations_seen", seen, REVOCATIONS),
    ], contest.usual(rounds)


def _read(token: str) -> bytes:
    return generator.get(SESSIONS, Authorization=f"Bearer {token}")


def _beside_sign_ins(
    clinic: Clinic, server: Server, folder: Path, held: list[Phone], bearers: list[str]
) -> tuple[float, float]:
    """How much the median latency of my sessions grows while eight clients sign in, and how many of them succeed."""
    accounts = phones.give_passwords(clinic, held)
    share = len(accounts) // SIGN_IN_ROUNDS
    asks, grown, rates = in_turn([_read(token) for token in bearers]), [], []
    for number in range(SIGN_IN_ROUNDS):
        alone = _load(server, asks)
        with _signing_in(server, folder, accounts[number * share : (number + 1) * share]) as rate:
            beside = _load(server, asks)
            rates.append(rate())
        grown.append(beside.median / alone.median)
    return statistics.median(grown), statistics.median(rates)


def _load(server: Server, asks: Callable[[], bytes]) -> generator.Outcome:
    return generator.load(server.port, asks, status=200, seconds=2.0)


@contextmanager
def _signing_in(server: Server, folder: Path, accounts: list[tuple[str, str]]) -> Iterator[Callable[[], float]]:
    """Eight clients that sign in without pause; gives how many succeeded a second since they began."""
    file = folder / "accounts"
    file.write_text("\n".join(" ".join(one) for one in accounts))
    log = folder / "signers.log"
    child = Child("signers", command_of("tests.bench.signers", server.port, file), env=server.env, cwd=ROOT, log=log)
    try:
        while "." not in log.read_text():
            if not child.is_up():
                raise generator.WrongAnswer(f"The signers ended: {child.last_words()}")
            time.sleep(0.02)
        before, since = log.read_text().count("."), time.perf_counter()
        yield lambda: _succeeded(log, before) / phones.passed(since)
    finally:
        child.stop(5)


def _succeeded(log: Path, before: int) -> int:
    said = log.read_text()
    if "!" in said:
        raise generator.WrongAnswer(f"A sign-in failed: {said[said.index('!') :][:300]}")
    return said.count(".") - before


def _revocations_seen(clinic: Clinic, first: Server, folder: Path, held: list[Phone]) -> float:
    """How many tokens that were just revoked at one process are refused by another at the next request."""
    seen = 0
    with serving("another", clinic, OURS, folder) as second:
        for phone in itertools.islice(held, REVOCATIONS):
            _expect(200, second, phone.read())
            _expect(200, first, phone.form("/oauth/revoke", token=phone.token, client_id=phones.APP))
            seen += generator.answer_to(second.port, phone.read())[0] == 401
    return float(seen)


def _expect(status: int, server: Server, request: bytes) -> None:
    answered, _, body = generator.answer_to(server.port, request)
    if answered != status:
        raise generator.WrongAnswer(f"Expected {status}, and heard {answered}: {body[:300].decode(errors='replace')}")
