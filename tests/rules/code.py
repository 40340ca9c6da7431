"""Rules of the house that can be read off the source: each finds the lines that break it.

A rule gets a file's path inside the repository and its syntax tree; its exceptions stand beside it, with reasons.
"""

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOORS = ("public", "patient", "partner", "clinic", "provider", "oauth")

Finding = tuple[int, str]
Rule = Callable[[str, ast.Module], Iterator[Finding]]
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    RULES[function.__name__] = function
    return function


@cache
def _parsed(file: Path) -> ast.Module:
    """Once for all rules."""
    return ast.parse(file.read_text(encoding="utf-8"))


def sources(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Every Python file below `folders`, parsed."""
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield file.relative_to(ROOT).as_posix(), _parsed(file)


def findings(name: str, path: str, tree: ast.Module) -> list[str]:
    return [f"{path}:{line}: {what}" for line, what in RULES[name](path, tree)]


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Every call with the dotted name of what is called, as far as it is one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, dotted(node.func)


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every imported module or name, dotted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, one.name) for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{one.name}") for one in node.names)


def room(path: str) -> str | None:
    """The file's name inside a slice (`patient`, `service`); None for the frame."""
    parts = path.removesuffix(".py").split("/")
    return parts[2] if len(parts) > 2 and parts[0] == "api" else None


@rule
def only_db_commits(path: str, tree: ast.Module) -> Iterator[Finding]:
    """What returns commits, what raises rolls back: one place decides (HOUSE decision 3)."""
    if path == "api/db.py" or path.startswith("migrations/"):
        return
    for call, name in calls(tree):
        if name.rsplit(".", 1)[-1] in ("commit", "rollback", "begin_nested"):
            yield call.lineno, f"{name}()"


@rule
def only_the_clock_asks_for_the_time(path: str, tree: ast.Module) -> Iterator[Finding]:
    """Everything else is told the time, so that tests and late messages can name another."""
    if path == "api/clock.py":
        return
    for call, name in calls(tree):
        if name.rsplit(".", 1)[-1] in ("utcnow", "today") or name in ("datetime.now", "datetime.datetime.now"):
            yield call.lineno, f"{name}()"


# The time comes in at doors and workers. These also need to know:
MAY_ASK_THE_CLOCK = {
    "hearing": "a step recorded late is announced with its own past instant; the plan is made from the present",
    "providers": "carriers are handed the clocks that their tokens and expiries go by",
    "ahead": "a turn of the worker, as the days pass",
}


@rule
def services_never_read_the_clock(path: str, tree: ast.Module) -> Iterator[Finding]:
    inside = room(path)
    if inside is None or inside.split("_")[0] in (*DOORS, "worker") or inside in MAY_ASK_THE_CLOCK:
        return
    yield from ((line, name) for line, name in imported(tree) if name == "api.clock")


ABOUT_HTTP = ("api.answering", "api.blueprint", "api.meeting")
# What doors of one slice share about it.
SHARED_BY_DOORS = {"serving": "negotiation and caching of the public catalogue"}


@rule
def only_doors_see_http(path: str, tree: ast.Module) -> Iterator[Finding]:
    """A service knows verbs and rows; requests and answers stop at the door."""
    inside = room(path)
    if inside is None or inside.split("_")[0] in DOORS or inside in SHARED_BY_DOORS:
        return
    for line, name in imported(tree):
        if name.split(".")[0] in ("flask", "werkzeug", "webargs") or name.startswith(ABOUT_HTTP):
            yield line, name


@rule
def schemas_know_no_table(path: str, tree: ast.Module) -> Iterator[Finding]:
    if path.startswith("schemas/"):
        for line, name in imported(tree):
            if name.startswith(("sqlalchemy", "flask")) or (name.startswith("api") and name != "api.vocabulary"):
                yield line, name


@rule
def migrations_know_no_model(path: str, tree: ast.Module) -> Iterator[Finding]:
    """A model imported today is another one when the migration runs next year."""
    if path.startswith("migrations/versions/"):
        yield from ((line, name) for line, name in imported(tree) if name.split(".")[0] in ("api", "schemas"))


# Who may name the gate's role: the gate, and those who make roles and say what each is called.
NAMES_THE_GATE = ("api/privacy/gate.py", "api/callers.py", "api/roles.py")


@rule
def only_the_gate_enters_its_role(path: str, tree: ast.Module) -> Iterator[Finding]:
    """What a partner is told is decided and written down in one place: nothing else reads as the gate reads."""
    if path in NAMES_THE_GATE or path.startswith("migrations/"):
        return
    for call, name in calls(tree):
        if name.rsplit(".", 1)[-1] == "aside":
            yield call.lineno, f"{name}()"
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and (node.value == "gate" or "continuum_gate" in str(node.value)):
            yield node.lineno, "the gate's role"


@rule
def nothing_is_printed(path: str, tree: ast.Module) -> Iterator[Finding]:
    if path != "api/cli.py":
        yield from ((call.lineno, "print()") for call, name in calls(tree) if name in ("print", "pprint"))


# Ids, counts, kinds and causes: what a log line may say. Names, texts, addresses and answers are none of these.
LOGGED = {
    "caller", "carrier", "channel", "endpoint_id", "error", "exc_info", "failures", "job", "jobs", "key", "method",
    "ms", "part", "problem", "request_id", "route", "status", "ticks", "trace", "trouble", "wanted",
}  # fmt: skip
# In development the log is where messages are delivered to; their texts never say what, only when.
DELIVERS_TO_THE_LOG = {"api/messages/gateway.py": {"text"}, "api/messages/console.py": {"text"}}


@rule
def log_lines_hold_ids_only(path: str, tree: ast.Module) -> Iterator[Finding]:
    """The event is a constant, and every member of a known kind: nothing of a person can slip in by interpolation."""
    allowed = LOGGED | DELIVERS_TO_THE_LOG.get(path, set())
    for call, name in calls(tree):
        if re.fullmatch(r"(observe\.)?(log|logger|logging)\.(debug|info|warning|error|exception|critical|log)", name):
            if len(call.args) != 1 or not isinstance(call.args[0], ast.Constant):
                yield call.lineno, "the event is not one constant"
            yield from ((call.lineno, f"{one.arg}") for one in call.keywords if one.arg not in allowed)
