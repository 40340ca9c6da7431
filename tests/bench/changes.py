"""What it costs that phones ask what has changed: most of them, most of the time, have nothing new to read."""

import json
from contextlib import ExitStack
from pathlib import Path

from tests.bench import contest, figures, generator
from tests.bench.clinics import Clinic
from tests.bench.contest import Contestant, Figure, in_turn
from tests.bench.servers import Server, serving

CHANGES = "/v1/me/changes"


def changes(clinic: Clinic, folder: Path, compete: figures.Compete) -> figures.Measured:
    """P8: nothing new, told by an empty page and by a 304, beside FastAPI's read of 20 sessions."""
    tokens = list(clinic.tokens().values())
    sessions = [generator.get(figures.SESSIONS, Authorization=f"Bearer {token}") for token in tokens]
    with ExitStack() as stack:
        ours = stack.enter_context(serving("ours", clinic, figures.OURS, folder))
        fastapi = stack.enter_context(serving("fastapi", clinic, figures.FASTAPI, folder))
        synced = [(token, f"{CHANGES}?since={walked(ours, token)}") for token in tokens]
        news = [generator.get(path, Authorization=f"Bearer {token}") for token, path in synced]
        tags = [nothing_new(ours, request) for request in news]
        known = [
            generator.get(path, Authorization=f"Bearer {token}", If_None_Match=tag)
            for (token, path), tag in zip(synced, tags, strict=True)
        ]
        rounds = compete(
            [
                Contestant("changes, nothing new", ours.port, in_turn(news)),
                Contestant("changes 304", ours.port, in_turn(known), status=304),
                Contestant("FastAPI sessions", fastapi.port, in_turn(sessions)),
            ]
        )
    return [
        Figure("P8", "changes_nothing_new", contest.speed(rounds, "changes, nothing new", "FastAPI sessions"), 2.0),
        Figure("P8", "changes_304", contest.speed(rounds, "changes 304", "FastAPI sessions"), 2.0),
    ], contest.usual(rounds)


def walked(server: Server, token: str) -> str:
    """Read everything, as a phone does at first; gives what to ask with from then on."""
    rest = "?page_size=100"
    while True:
        _, _, body = generator.answer_to(server.port, generator.get(CHANGES + rest, Authorization=f"Bearer {token}"))
        page = json.loads(body)
        if "next_since" in page:
            return str(page["next_since"])
        rest = f"?page_size=100&page_token={page['next_page_token']}"


def nothing_new(server: Server, request: bytes) -> str:
    """The tag of an answer that tells of nothing. Raises `generator.WrongAnswer`."""
    status, fields, body = generator.answer_to(server.port, request)
    if status != 200 or json.loads(body)["items"]:
        raise generator.WrongAnswer(f"something is new: {status}, {body[:200]!r}")
    return fields["etag"]
