"""What is measured, beside whom, and how much is enough (the bars and aims of the brief)."""

import itertools
import json
import signal
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench import contest, generator
from tests.bench.clinics import Clinic
from tests.bench.contest import Contestant, Figure, in_turn
from tests.bench.servers import Server, serving
from tests.run.clones import Clone

OURS = "wsgi:app"
FASTAPI = "tests.bench.peers.fastapi_app:app"
BY_HAND = "tests.bench.peers.hand_written:app"
CONSTANT = "tests.bench.peers.constant:app"
SESSIONS, TODAY, PROGRAM, CHECK_INS = "/v1/me/sessions", "/v1/me/today", "/v1/programs/iop", "/v1/me/check-ins"
COMPARED = 20
ALL_CAME_SECONDS = 5.0

Measured = tuple[list[Figure], dict[str, float]]
Compete = Callable[[list[Contestant]], contest.Rounds]


def reads(clinic: Clinic, folder: Path, compete: Compete) -> Measured:
    """P1, P1b, P2, and the memory of P7: what a patient's app asks for at every start."""
    tokens = list(clinic.tokens().values())
    sessions = [generator.get(SESSIONS, Authorization=f"Bearer {token}") for token in tokens]
    today = [generator.get(TODAY, Authorization=f"Bearer {token}") for token in tokens]
    with ExitStack() as stack:
        ours, fastapi, by_hand = (
            stack.enter_context(serving(name, clinic, app, folder))
            for name, app in (("ours", OURS), ("fastapi", FASTAPI), ("by_hand", BY_HAND))
        )
        uncached = stack.enter_context(serving("uncached", clinic, OURS, folder, TOKEN_CACHE="0"))
        for peer in (fastapi, by_hand, uncached):
            refuse_difference(ours, peer, sessions[:COMPARED])
        rounds = compete(
            [
                Contestant("sessions", ours.port, in_turn(sessions)),
                Contestant("sessions, no token cache", uncached.port, in_turn(sessions)),
                Contestant("FastAPI sessions", fastapi.port, in_turn(sessions)),
                Contestant("hand-written sessions", by_hand.port, in_turn(sessions)),
                Contestant("today", ours.port, in_turn(today)),
                known(ours, "sessions 304", SESSIONS, tokens),
                known(ours, "today 304", TODAY, tokens),
            ]
        )
        rss = ours.worker_rss_mb
    faster = partial(contest.speed, rounds)
    return [
        Figure("P1", "my_sessions", faster("sessions", "FastAPI sessions"), 1.3, 2.2),
        Figure("P1", "my_sessions_by_hand", faster("sessions", "hand-written sessions"), 0.7, 1.0),
        Figure("P1", "my_sessions_no_token_cache", faster("sessions, no token cache", "FastAPI sessions")),
        Figure("P1", "my_sessions_no_token_cache_by_hand", faster("sessions, no token cache", "hand-written sessions")),
        Figure("P1b", "my_today", faster("today", "FastAPI sessions"), 0.8, 1.5),
        Figure("P2", "my_sessions_304", faster("sessions 304", "FastAPI sessions"), 2.0, 3.0),
        Figure("P2", "my_today_304", faster("today 304", "FastAPI sessions"), 2.0, 3.0),
        Figure("P7", "worker_rss_mb", rss, 150, most=True),
    ], contest.usual(rounds)


def known(server: Server, name: str, path: str, tokens: list[str]) -> Contestant:
    """Asks for what it knows already. Tags outlive the rounds, but not the hour: they are fetched at each round."""

    def fetched() -> Iterator[bytes]:
        for token in tokens:
            said = {"Authorization": f"Bearer {token}"}
            _, fields, _ = generator.answer_to(server.port, generator.get(path, **said))
            yield generator.get(path, **said, If_None_Match=fields["etag"])

    return Contestant(name, server.port, Refreshed(lambda: list(fetched())), status=304)


class Refreshed:
    """Requests in turn, made anew when the hour has changed."""

    def __init__(self, make: Callable[[], list[bytes]]) -> None:
        self._make, self._hour = make, -1
        self._turn: Iterator[bytes] = iter(())

    def prepare(self) -> None:
        if (hour := datetime.now(UTC).hour) != self._hour:
            self._hour, self._turn = hour, itertools.cycle(self._make())

    def __call__(self) -> bytes:
        return next(self._turn)


def refuse_difference(ours: Server, peer: Server, requests: list[bytes]) -> None:
    """The peer does the same work: its answers are the same JSON."""
    for request in requests:
        answers = [json.loads(generator.answer_to(one.port, request)[2]) for one in (ours, peer)]
        if answers[0] != answers[1] or len(answers[0]["items"]) != 20:
            raise generator.WrongAnswer(f"{peer.name} answers differently: {answers}")


def programs(clinic: Clinic, folder: Path, compete: Compete) -> Measured:
    """P3: a page of the catalogue against a constant of its size."""
    request = generator.get(PROGRAM)
    with serving("ours", clinic, OURS, folder) as ours:
        constant = folder / "constant.json"
        constant.write_bytes(generator.answer_to(ours.port, request)[2])
        with serving("constant", clinic, CONSTANT, folder, CONSTANT_FILE=str(constant)) as peer:
            rounds = compete(
                [
                    Contestant("program", ours.port, lambda: request),
                    Contestant("constant", peer.port, lambda: generator.get("/constant")),
                ]
            )
    return [Figure("P3", "program", contest.speed(rounds, "program", "constant"), 0.5, 0.7)], contest.usual(rounds)


def sizes(small: Clinic, large: Clinic, folder: Path, compete: Compete) -> Measured:
    """P4: does a patient of a large clinic wait longer? Everybody was there before: what is read for the first time
    comes from the disk, in a small clinic too. The rounds are twice as many, since two near figures are compared."""
    with ExitStack() as stack:
        contestants = []
        for clinic in (small, large):
            server = stack.enter_context(serving(clinic.name, clinic, OURS, folder))
            asked = [generator.get(SESSIONS, Authorization=f"Bearer {token}") for token in clinic.tokens().values()]
            generator.load(server.port, in_turn(asked), status=200, seconds=ALL_CAME_SECONDS)
            contestants.append(Contestant(f"{clinic.patients} patients", server.port, in_turn(asked)))
        rounds = compete(contestants) + compete(contestants)
    names = [one.name for one in contestants]
    return [Figure("P4", "latency_of_size", contest.latency(rounds, names[1], names[0]), 1.2, most=True)], {
        f"{name}, ms": round(1e3 * sorted(one[name].median for one in rounds)[len(rounds) // 2], 2) for name in names
    }


def writes(clinic: Clinic, folder: Path, compete: Compete) -> Measured:
    """P6: the daily check-in, with all that goes with it, against a bare insert into the same table."""
    with serving("ours", clinic, OURS, folder) as ours, serving("fastapi", clinic, FASTAPI, folder) as fastapi:
        tokens = itertools.cycle(clinic.tokens().values())
        rounds = compete(
            [
                Contestant(name, server.port, lambda: check_in(next(tokens)), status=201)
                for name, server in (("check-in", ours), ("FastAPI check-in", fastapi))
            ]
        )
    speed = contest.speed(rounds, "check-in", "FastAPI check-in")
    return [Figure("P6", "check_in", speed, 0.4, 0.8)], contest.usual(rounds)


def check_in(token: str) -> bytes:
    """What a phone sends once a day."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    answers: list[dict[str, Any]] = [
        {"item": "safe_now", "choice": "yes"},
        {"item": "mood", "number": 6},
        {"item": "slept_hours", "number": 7},
        {"item": "craving", "number": 2},
        {"item": "used", "choice": "no"},
        {"item": "note", "text": "A calm day, and a walk by the river."},
    ]
    said = {"id": str(uuid.uuid4()), "instrument": "daily", "instrument_version": "1", "answers": answers}
    body = json.dumps({**said, "occurred_at": now, "sent_at": now}).encode()
    return generator.post(CHECK_INS, body, Authorization=f"Bearer {token}")


def second_start(folder: Path) -> Measured:
    """P7: how long `make run` takes on a clone that has run before."""
    with cloned(folder / "clone") as clone:
        seconds = [started(clone) for _ in range(4)]
    again = sorted(seconds[1:])[1]
    return [Figure("P7", "second_start_seconds", again, 5.0, most=True)], {"first start, s": round(seconds[0], 1)}


@contextmanager
def cloned(folder: Path) -> Iterator[Clone]:
    clone = Clone(folder)
    try:
        yield clone
    finally:
        clone.remove()


def started(clone: Clone) -> float:
    seconds = clone.start()
    clone.end(signal.SIGINT)
    return seconds
