"""`make bench`, or `python -m tests.bench P1 P3` for some of it."""

import argparse
import fcntl
import itertools
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg

from api import postgres
from tests.bench import access, changes, contest, due, feeds, figures, partners, table, webhooks
from tests.bench.clinics import Clinic, new_keys
from tests.bench.contest import Figure
from tests.bench.figures import Measured

ROOT = Path(__file__).resolve().parents[2]
SIZES = {"small": 1_000, "usual": 20_000, "large": 200_000}
OF_A_CLINIC: tuple[tuple[str, Callable[[Clinic, Path, figures.Compete], Measured]], ...] = (
    ("P1", figures.reads),
    ("P3", figures.programs),
    ("P6", figures.writes),
    ("P8", changes.changes),
    ("P8", feeds.feeds),
    ("S", access.access),
)
KEYS = ("P1", "P3", "P4", "P5", "P6", "P7", "P8", "R", "S")


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    asked.add_argument("figures", nargs="*", metavar="P1 P3 ...", help=f"of {', '.join(KEYS)}; all of them by default")
    asked.add_argument("--rounds", type=int, default=9)
    asked.add_argument("--seconds", type=float, default=1.0, help="of each contestant's turn in a round")
    options = asked.parse_args()
    compete = partial(contest.compete, rounds=options.rounds, seconds=options.seconds)
    with folder() as place:
        found, usual = measured(options.figures or KEYS, place, compete)
    write(found, usual, whole=not options.figures)
    return 0


@contextmanager
def folder() -> Iterator[Path]:
    """Everything that a run makes; it is gone afterwards. Only one bench at a time: two would measure each other."""
    place = ROOT / ".data" / "bench"
    place.mkdir(parents=True, exist_ok=True)
    with (ROOT / ".data" / "bench.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("A bench is running in this folder already.")
        try:
            shutil.rmtree(place)
            place.mkdir()
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)


def measured(asked: list[str], place: Path, compete: figures.Compete) -> tuple[list[Figure], dict[str, float]]:
    found: list[Figure] = []
    usual: dict[str, float] = {}
    with postgres.running(place / "postgres") as server:
        give_memory(server)
        keys = new_keys(place / "keys.json")
        reminders = [partial(due.due, server, place)] if "P5" in asked else []
        for measure in itertools.chain(parts(asked, partial(Clinic.loaded, server, keys), place, compete), reminders):
            some, about = measure()
            found, usual = [*found, *some], {**usual, **about}
            for figure in some:
                print(figure.line(), flush=True)
    return found, usual


def give_memory(server: postgres.Server) -> None:
    """A quarter of a small server's 4 GB, as its administrator would, rather than PostgreSQL's 128 MB."""
    with psycopg.connect(server.dsn(postgres.SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET shared_buffers = '1GB'")
        connection.execute("ALTER SYSTEM SET max_wal_size = '4GB'")
    server.restart("fast")


def parts(
    asked: list[str], clinic: Callable[[str, int], Clinic], place: Path, compete: figures.Compete
) -> Iterator[Callable[[], Measured]]:
    wanted = [measure for key, measure in OF_A_CLINIC if key in asked]
    if wanted or "R" in asked:
        usual = clinic("usual", SIZES["usual"])
        yield from (partial(measure, usual, place, compete) for measure in wanted)
    if "P4" in asked:
        pair = [clinic(name, SIZES[name]) for name in ("small", "large")]
        yield partial(figures.sizes, *pair, place, compete)
    if "R" in asked:
        yield from of_partners(usual, clinic, place, compete)
    if "P7" in asked:
        yield partial(figures.second_start, place)


def of_partners(
    usual: Clinic, clinic: Callable[[str, int], Clinic], place: Path, compete: figures.Compete
) -> Iterator[Callable[[], Measured]]:
    yield partial(partners.partners, usual, place, compete)
    pair = [clinic(name, SIZES["small"]) for name in ("few_partners", "many_partners")]
    yield partial(partners.many_partners, *pair, place, compete)
    yield partial(webhooks.deliveries, clinic("told_partners", SIZES["small"]))
    yield partial(webhooks.hanging, clinic("partners_beside", SIZES["small"]), place)


def write(found: list[Figure], usual: dict[str, float], *, whole: bool) -> None:
    said = [{**vars(figure), "reached": figure.reached} for figure in found]
    data = ROOT / ".data"
    (data / "bench.json").write_text(json.dumps({"figures": said, "medians": usual}, indent=1, ensure_ascii=False))
    (data / "bench.md").write_text(table.markdown(found))
    for figure in found:
        if figure.reached is False:
            print(f"{figure.key} {figure.name} misses its bar by {abs(figure.worth / (figure.bar or 1) - 1):.0%}.")
    if whole and not table.show(ROOT / "README.md", table.markdown(found)):
        print("README.md has no place for the table; it is in .data/bench.md.")


if __name__ == "__main__":
    sys.exit(main())
