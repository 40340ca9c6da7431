"""The figures as the README shows them."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

from tests.bench.contest import Figure

BEGIN, END = "<!-- bench -->", "<!-- /bench -->"
MEANINGS = {
    "my_sessions": "`GET /v1/me/sessions`, 20 rows, requests a second × FastAPI",
    "my_sessions_by_hand": "the same × hand-written psycopg in bare Flask",
    "my_sessions_no_token_cache": "the same × FastAPI, every token verified anew",
    "my_sessions_no_token_cache_by_hand": "the same × hand-written, every token verified anew",
    "my_today": "`GET /v1/me/today` × FastAPI's sessions",
    "my_sessions_304": "`/v1/me/sessions` not modified (304) × FastAPI's 200",
    "my_today_304": "`/v1/me/today` not modified (304) × FastAPI's 200",
    "changes_nothing_new": "`GET /v1/me/changes`, nothing new × FastAPI's sessions",
    "changes_304": "`/v1/me/changes` not modified (304) × FastAPI's 200",
    "feed_304": "calendar feed not modified (304) × FastAPI's sessions",
    "feed_of_a_year": "calendar feed of 150 sessions in a year × FastAPI's sessions",
    "program": "`GET /v1/programs/iop` × a bare Flask constant of its size",
    "latency_of_size": "median latency of my sessions, 200,000 patients ÷ 1,000",
    "reminders_by_hand": "due reminders said a second by one worker × its own statements by bare psycopg",
    "reminders_two_workers": "the same by two workers × by one",
    "reminders_by_jobs": "the same by one worker × a job of procrastinate for each, which asks nothing",
    "reminders_by_celery": "the same by one worker × a task of Celery with Redis for each, which asks nothing",
    "reminders_a_second": "due reminders said a second by one worker, from claim to settled",
    "idle_tick_ms": "a tick that finds nothing due among 1,000,000 planned reminders, ms",
    "plan_group_seconds": "planning a weekly group of 30 members for 12 weeks, seconds",
    "move_group_ms": "moving one of its evenings, ms",
    "closure_seconds": "closing a location with 40 sessions and 400 attendances, seconds",
    "closure_longest_read_ms": "the longest that a reader waited meanwhile, ms",
    "check_in": "daily check-in written × FastAPI's bare insert",
    "second_start_seconds": "`make run` on a clone that has run before, seconds until ready",
    "referral": "a referral by a partner with an endpoint subscribed × FastAPI's bare insert",
    "referral_read": "a referral read through the gate, with its accounting row × FastAPI's sessions",
    "referrals_list_of_size": "median latency of a partner's list, 200 partners × 5,000 referrals ÷ 2 × 50",
    "referral_read_of_size": "the same of one referral",
    "webhooks_by_jobs": "webhooks a second, 50 due at each of 10 endpoints × empty jobs of procrastinate",
    "webhooks_asked_by_jobs": "the same, the gate asked before each, with its accounting row",
    "webhooks_beside_one_hanging": "median delay of webhooks beside an endpoint that hangs ÷ without",
    "webhooks_beside_several_hanging": "the same, 8 endpoints beside 8 that hang",
    "bound_read": "`GET /v1/me/sessions` with a proof of possession, checked and spent × with a bearer token",
    "refresh": "refreshing × `GET /v1/me/sessions`",
    "latency_beside_sign_ins": "median latency of my sessions while 8 clients sign in by password ÷ alone",
    "sign_ins_a_second": "sign-ins that succeed a second meanwhile",
    "revocations_seen": "revocations seen by another worker at the next request, of 1,000",
    "worker_rss_mb": "resident memory of the API's worker process after P1, MB",
}


def markdown(figures: Sequence[Figure]) -> str:
    rows = ["| | what | measured | bar | aim |", "|---|---|--:|--:|--:|"]
    return "\n".join(rows + [_row(figure) for figure in figures]) + f"\n\n{_where()}\n"


def _row(figure: Figure) -> str:
    limits = [f"{limit:g}" if limit is not None else "" for limit in (figure.bar, figure.aim)]
    bar = f"≤ {limits[0]}" if figure.most else limits[0]
    return f"| {figure.key} | {MEANINGS[figure.name]} | {figure.worth:.2f} | {bar} | {limits[1]} |"


def _where() -> str:
    return f"Measured by `make bench` on {os.cpu_count()} cores, Python {platform.python_version()}."


def show(readme: Path, table: str) -> bool:
    """Put the table between the README's marks; says whether there are any."""
    text = readme.read_text() if readme.exists() else ""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if begin and end:
        readme.write_text(f"{before}{begin}\n{table}{end}{after}")
    return bool(begin and end)
