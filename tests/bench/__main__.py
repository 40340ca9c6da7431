"""`make bench`: ours and its peers in turn, a line a figure, all of it in `.data/bench.json` and as the README's table.

A peer does the same work without row-level security and verifies every token; what it answers is compared with ours
before anything is timed. Ours has everything on: standing, policies, log line, metrics, ids, rate-limit fields. Quote
ratios, never the requests a second: those are the machine's.
"""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from api import postgres
from tests.bench import contest, generator
from tests.bench.clinics import Clinic, new_keys
from tests.bench.contest import Contestant, Figure, in_turn
from tests.bench.servers import ROOT, Server, serving

ROUNDS = int(os.environ.get("ROUNDS", "9"))
SECONDS = float(os.environ.get("SECONDS", "1.5"))
SESSIONS, TODAY, PROGRAM, CHECK_INS = "/v1/me/sessions", "/v1/me/today", "/v1/programs/iop", "/v1/me/check-ins"
FASTAPI, BY_HAND = "tests.bench.peers.fastapi_app:app", "tests.bench.peers.hand_written:app"
CONSTANT = "tests.bench.peers.constant:app"
SMALL, LARGE = 1_000, 200_000


class Bench:
    """One run: a server of its own, two clinics, and the figures as they are found."""

    def __init__(self, folder: Path, postgres_server: postgres.Server) -> None:
        self.folder, self.figures, self.rates = folder, list[Figure](), dict[str, dict[str, float]]()
        keys = new_keys(folder / "keys.json")
        self.small = Clinic(postgres_server, "small", SMALL, keys)
        self.large = Clinic(postgres_server, "large", LARGE, keys)
        self.small.load()

    def found(self, figure: Figure) -> None:
        self.figures.append(figure)
        print(figure.line(), flush=True)

    def reads(self) -> None:
        """P1, P1b, P2: the two polled reads, whole and known, against both peers; then the memory they took."""
        with (
            serving("ours", self.small, "wsgi:app", self.folder) as ours,
            serving("ours without cache", self.small, "wsgi:app", self.folder, TOKEN_CACHE="0") as uncached,
            serving("fastapi", self.small, FASTAPI, self.folder) as fastapi,
            serving("by hand", self.small, BY_HAND, self.folder) as by_hand,
        ):
            self._compare(ours, fastapi, by_hand)
            rounds = contest.compete(
                [
                    Contestant("ours", ours.port, self._asks(SESSIONS)),
                    Contestant("uncached", uncached.port, self._asks(SESSIONS)),
                    Contestant("today", ours.port, self._asks(TODAY)),
                    Contestant("known", ours.port, self._knowing(ours, SESSIONS), status=304),
                    Contestant("today known", ours.port, self._knowing(ours, TODAY), status=304),
                    Contestant("fastapi", fastapi.port, self._asks(SESSIONS)),
                    Contestant("by hand", by_hand.port, self._asks(SESSIONS)),
                ],
                rounds=ROUNDS,
                seconds=SECONDS,
            )
            rss = ours.worker_rss_mb
        self.rates["reads"] = contest.usual(rounds)
        for figure in (
            Figure("P1", "my_sessions / fastapi", contest.speed(rounds, "ours", "fastapi"), 1.3, 2.2),
            Figure("P1", "my_sessions / hand-written", contest.speed(rounds, "ours", "by hand"), 0.7, 1.0),
            Figure("P1", "my_sessions without token cache / fastapi", contest.speed(rounds, "uncached", "fastapi")),
            Figure("P1b", "my_today / fastapi's sessions", contest.speed(rounds, "today", "fastapi"), 0.8, 1.5),
            Figure("P2", "my_sessions 304 / fastapi's 200", contest.speed(rounds, "known", "fastapi"), 2.0, 3.0),
            Figure("P2", "my_today 304 / fastapi's 200", contest.speed(rounds, "today known", "fastapi"), 2.0, 3.0),
            Figure("P7", "memory of a worker process", rss, 150, most=True, unit=" MB"),
        ):
            self.found(figure)

    def catalogue(self) -> None:
        """P3: a program from the catalogue kept in memory, against bare Flask with as many bytes."""
        constant = self.folder / "constant"
        with serving("ours", self.small, "wsgi:app", self.folder) as ours:
            status, _, body = generator.answer_to(ours.port, generator.get(PROGRAM))
            assert status == 200, body
            constant.write_bytes(body)
            with serving("constant", self.small, CONSTANT, self.folder, CONSTANT_FILE=str(constant)) as bare:
                rounds = contest.compete(
                    [
                        Contestant("ours", ours.port, in_turn([generator.get(PROGRAM)])),
                        Contestant("constant", bare.port, in_turn([generator.get("/constant")])),
                    ],
                    rounds=ROUNDS,
                    seconds=SECONDS,
                )
        self.rates["catalogue"] = contest.usual(rounds)
        self.found(Figure("P3", "program / bare Flask constant", contest.speed(rounds, "ours", "constant"), 0.5, 0.7))

    def size(self) -> None:
        """P4: the same read among 200,000 patients and among 1,000."""
        self.large.load()
        with (
            serving("small", self.small, "wsgi:app", self.folder) as small,
            serving("large", self.large, "wsgi:app", self.folder) as large,
        ):
            rounds = contest.compete(
                [
                    Contestant("small", small.port, self._asks(SESSIONS)),
                    Contestant("large", large.port, self._asks(SESSIONS, self.large)),
                ],
                rounds=ROUNDS,
                seconds=SECONDS,
            )
        self.rates["size"] = contest.usual(rounds)
        worth = contest.latency(rounds, "large", "small")
        self.found(Figure("P4", "median latency, 200,000 patients / 1,000", worth, 1.2, most=True))

    def writes(self) -> None:
        """P6: a daily check-in, against a bare insert."""
        with (
            serving("ours", self.small, "wsgi:app", self.folder) as ours,
            serving("fastapi", self.small, FASTAPI, self.folder) as fastapi,
        ):
            rounds = contest.compete(
                [
                    Contestant("ours", ours.port, self._gives(), status=201),
                    Contestant("fastapi", fastapi.port, self._gives(), status=201),
                ],
                rounds=ROUNDS,
                seconds=SECONDS,
            )
        self.rates["writes"] = contest.usual(rounds)
        self.found(Figure("P6", "check-in / fastapi's insert", contest.speed(rounds, "ours", "fastapi"), 0.4, 0.8))

    def starts(self) -> None:
        """P7: the second `make run` of a folder that has its environment and data."""
        env = {**os.environ, "PORT": "8765"}
        seconds = [_start(env) for _ in range(2)][1]
        self.found(Figure("P7", "second make run ready", seconds, 5, most=True, unit=" s"))

    def _asks(self, path: str, clinic: Clinic | None = None) -> Callable[[], bytes]:
        tokens = (clinic or self.small).tokens().values()
        return in_turn([generator.get(path, Authorization=f"Bearer {token}") for token in tokens])

    def _knowing(self, ours: Server, path: str) -> Callable[[], bytes]:
        """Requests that know the answer already; a part of the patients is enough."""
        requests = []
        for token in itertools.islice(self.small.tokens().values(), 200):
            _, fields, _ = generator.answer_to(ours.port, generator.get(path, Authorization=f"Bearer {token}"))
            known = {"Authorization": f"Bearer {token}", "If_None_Match": fields["etag"]}
            requests.append(generator.get(path, **known))
        return in_turn(requests)

    def _gives(self) -> Callable[[], bytes]:
        tokens = itertools.cycle(self.small.tokens().values())
        answers = [{"item": "safe_now", "choice": "yes"}, {"item": "mood", "number": 6}]

        def give() -> bytes:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            asked = {"id": str(uuid.uuid4()), "instrument": "daily", "instrument_version": "1", "answers": answers}
            body = json.dumps({**asked, "occurred_at": now, "sent_at": now}).encode()
            return generator.post(CHECK_INS, body, Authorization=f"Bearer {next(tokens)}")

        return give

    def _compare(self, ours: Server, *peers: Server) -> None:
        """Every peer answers a patient with the very rows that ours does, twenty of them."""
        for token in itertools.islice(self.small.tokens().values(), 20):
            asked = generator.get(SESSIONS, Authorization=f"Bearer {token}")
            items = json.loads(generator.answer_to(ours.port, asked)[2])["items"]
            assert len(items) == 20
            for peer in peers:
                theirs = json.loads(generator.answer_to(peer.port, asked)[2])["items"]
                assert theirs == items, f"{peer.name} answers something else"


def _start(env: dict[str, str]) -> float:
    """Seconds until `make run` says that it runs; ended again, with its whole group."""
    began = time.monotonic()
    run = subprocess.Popen(
        ["make", "run"], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert run.stdout is not None
        assert any("Continuum runs" in line for line in run.stdout), "make run did not start: see .data/"
        return time.monotonic() - began
    finally:
        os.killpg(run.pid, signal.SIGTERM)
        run.wait(30)


def table(figures: list[Figure]) -> str:
    """As the README shows it."""
    rows = ["| figure | | measured | bar | aim |", "|---|---|---|---|---|"]
    for one in figures:
        limits = ["" if limit is None else f"{'≤ ' if one.most else ''}{limit:g}" for limit in (one.bar, one.aim)]
        rows.append(f"| {one.key} | {one.name} | {one.worth:.2f}{one.unit} | {limits[0]} | {limits[1]} |")
    return "\n".join(rows)


@contextlib.contextmanager
def _prepared() -> Iterator[Bench]:
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        postgres.running(Path(folder) / "postgres") as server,
    ):
        yield Bench(Path(folder), server)


def main(wanted: list[str]) -> None:
    with _prepared() as bench:
        for name in wanted or ("reads", "catalogue", "writes", "size", "starts"):
            getattr(bench, name)()
    data = ROOT / ".data"
    data.mkdir(mode=0o700, exist_ok=True)
    kept = {"figures": [asdict(one) for one in bench.figures], "per_second": bench.rates}
    (data / "bench.json").write_text(json.dumps(kept, indent=2) + "\n")
    print(f"\n{table(bench.figures)}")


if __name__ == "__main__":
    main(sys.argv[1:])
