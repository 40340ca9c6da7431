"""How the matrix asks: every operation, by every caller, with a request that is right in all but who sends it.

A caller who may is let in. So that the next one meets the same clinic, a write by one who may is broken on purpose:
what is wrong with it is told only to those whose right to it was found. That each write succeeds when it is whole, the
examples of the contract show (`tests/contract/test_examples.py`).
"""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.contract.documents import DOCUMENT, NAMED
from tests.contract.rules import Json, operations, resolved
from tests.matrix import forms
from tests.matrix.callers import CALLERS
from tests.matrix.rights import LET_IN, Outcome, Right, outcome
from tests.matrix.tokens import Bearers
from tests.world import Find

PLACES = {operation["operationId"]: (method.upper(), path) for path, method, operation in operations(DOCUMENT)}
# Refusals themselves are written down and counted.
COUNTS = """
    SELECT relname, query_to_xml('SELECT count(*) FROM ' || relname, false, true, '')::text
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
      AND relname NOT IN ('audit_events', 'refusal_counts', 'spent_proofs', 'spent_assertions', 'throttle_windows')
    ORDER BY relname"""


@dataclass
class Matrix:
    """One furnished clinic behind an application, which is the house unless something else is to be judged."""

    app: Flask
    bearers: Bearers
    there: Find
    secret: frozenset[str]

    def misfits(self, name: str, right: Right) -> list[str]:
        """Where the server and the line for the operation `name` differ; nothing where all is as it should be."""
        ask = self._form if right.kind == "oauth" else self._cell
        found = ((caller, ask(name, right, caller)) for caller in CALLERS)
        return [f"{name}, {caller}: {wrong}" for caller, wrong in found if wrong]

    def _form(self, name: str, right: Right, caller: str) -> str | None:
        return forms.wrong(self.app, self.bearers, name, right, caller)

    def _cell(self, name: str, right: Right, caller: str) -> str | None:
        expected = outcome(right, CALLERS[caller])
        answer = self.ask(name, right, caller, whole=expected is not LET_IN or PLACES[name][0] == "GET")
        if str(answer.status_code) not in NAMED[name]["responses"]:
            return f"{answer.status_code} is not in the contract"
        if expected is LET_IN:
            return self._not_let_in(name, caller, answer)
        return _not_refused(expected, right, answer)

    def picture(self) -> list[tuple[Any, ...]]:
        """How much of everything there is, and how often what belongs to a patient was changed."""
        tables = self.bearers.superuser.execute(COUNTS).fetchall()
        versions = self.bearers.superuser.execute("TABLE patient_versions ORDER BY patient_id").fetchall()
        return [*tables, *versions]

    def ask(self, name: str, right: Right, caller: str, *, whole: bool, **instead: str) -> TestResponse:
        """The answer to a request that is as the contract wants it, or to one that is broken; about what is there, or
        about what a parameter of the address says `instead`."""
        method, template = PLACES[name]
        path = template.format(**{one: instead.get(one) or self.there(one) for one in names(name, "path")})
        query = {one["name"]: written(one["example"]) for one in required(name, "query")}
        sent = body(name)
        if not whole:
            query, sent = (query, sent | {"data": "{"}) if is_json(sent) else ({"broken": "on purpose"}, {})
        headers = self.bearers.headers(caller, scope=right.scope, method=method, path=path)
        headers |= {"Idempotency-Key": str(uuid.uuid4())} if "Idempotency-Key" in names(name, "header") else {}
        headers |= {"If-Match": '"1"'} if "If-Match" in names(name, "header") else {}
        return self.app.test_client().open(path, method=method, query_string=query, headers=headers, **sent)

    def _not_let_in(self, name: str, caller: str, answer: TestResponse) -> str | None:
        expected = 200 if PLACES[name][0] == "GET" else 400
        if answer.status_code != expected:
            return f"{answer.status_code} {problem(answer)}, and not let in"
        # Two partners of the matrix are called as the other patient is, by accident; partners are everybody's to name.
        partners = {str(self.bearers.sam.id)} if name == "listConsentRecipients" else set()
        told = [one for one in self.secret - partners if one in answer.text] if caller == "other patient" else []
        return f"tells {len(told)} things of another patient" if told else None


def _not_refused(expected: Outcome, right: Right, answer: TestResponse) -> str | None:
    said = Outcome(answer.status_code, problem(answer))
    if said != expected:
        return f"{said.status} {said.problem}, and not {expected.status} {expected.problem}"
    challenge = answer.headers.get("WWW-Authenticate", "")
    if said.status in (401, 403) and not challenge.startswith(("Bearer ", "DPoP ")):
        return "no challenge"
    if said.problem == "insufficient-scope" and f'scope="{right.scope}"' not in challenge:
        return "the challenge names no scope"
    if said.problem == "step-up-required" and "insufficient_user_authentication" not in challenge:
        return "the challenge asks for no fresh sign-in"
    return None


def problem(answer: TestResponse) -> str | None:
    """The name of the problem, if it is one."""
    told = answer.get_json(silent=True) or {}
    return str(told["type"]).rsplit("/", 1)[1] if "type" in told and answer.status_code >= 400 else None


def parameters(name: str, where: str) -> Iterator[Json]:
    described = (resolved(DOCUMENT, one) for one in NAMED[name].get("parameters", []))
    return (one for one in described if one["in"] == where)


def required(name: str, where: str) -> list[Json]:
    return [one for one in parameters(name, where) if one.get("required")]


def names(name: str, where: str) -> set[str]:
    return {one["name"] for one in parameters(name, where)}


def written(value: Any) -> str:
    """A parameter's value as an address writes it."""
    return ",".join(value) if isinstance(value, list) else str(value)


def body(name: str) -> Json:
    """The example of the operation's body and its media type; nothing where it takes none."""
    content = NAMED[name].get("requestBody", {}).get("content", {})
    for media_type, media in content.items():
        example = media["example"]
        return {"data": example if isinstance(example, str) else json.dumps(example), "content_type": media_type}
    return {}


def is_json(sent: Json) -> bool:
    return str(sent.get("content_type", "")).endswith("json")
