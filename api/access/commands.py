"""What the operator types about clients: `clients add | rotate | verify | contact | suspend | resume | list`.

Public keys come in a file that holds a JWK Set (RFC 7517 §5). Whatever is wrong is one sentence.
"""

import argparse
from collections.abc import Callable
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import orjson

from api import db, errors, vocabulary
from api.access import clients
from api.access.clients import Key, Listed, Unfit
from api.access.public_keys import JWK

Say = Callable[[str], None]
LONGEST_OVERLAP_HOURS = 24 * 90


def arguments(parser: argparse.ArgumentParser) -> None:
    """Tell `parser` the words of the commands."""
    commands = parser.add_subparsers(dest="act", required=True)
    add = commands.add_parser("add", help="Register a client; prints the id that it signs as.")
    add.add_argument("--kind", required=True, choices=clients.KINDS)
    add.add_argument("--partner-kind", choices=vocabulary.PARTNER_KINDS, help="what a partner was verified to be")
    add.add_argument("--name", required=True)
    add.add_argument("--scopes", required=True, nargs="+", metavar="SCOPE")
    add.add_argument("--contact", metavar="MAILBOX", help="who looks after it, and is told when an endpoint is off")
    keys = add.add_mutually_exclusive_group(required=True)
    keys.add_argument("--jwks", type=Path, metavar="FILE", help="its public keys")
    keys.add_argument("--jwks-url", metavar="URL", help="where it publishes them")
    add.add_argument("--audience", choices=clients.AUDIENCES, default="issuer", help="what its assertions are for")
    rotate = commands.add_parser("rotate", help="Give a client new keys; the former stand a while longer.")
    rotate.add_argument("name")
    rotate.add_argument("--jwks", type=Path, required=True, metavar="FILE")
    rotate.add_argument("--overlap-hours", type=_hours, default=clients.OVERLAP, metavar="HOURS")
    verify = commands.add_parser("verify", help="State what a partner was verified to be, for consents rest on it.")
    verify.add_argument("name")
    verify.add_argument("--partner-kind", choices=vocabulary.PARTNER_KINDS, required=True)
    contact = commands.add_parser("contact", help="State who is told when an endpoint of a client's is turned off.")
    contact.add_argument("name")
    contact.add_argument("--contact", metavar="MAILBOX", help="without it, nobody")
    for act in ("suspend", "resume"):
        commands.add_parser(act, help=f"{act.capitalize()} a client, from its next request on.").add_argument("name")
    commands.add_parser("list", help="Show all clients.")


def run(options: argparse.Namespace, owner_url: str, say: Say) -> None:
    """Do what was typed, as the owner of the database, and `say` what came of it. Raises `Unfit`, `OSError`."""
    try:
        with db.opened_by_owner(owner_url), db.transaction(db.OWNER):
            lines = ACTS[options.act](options)
    except errors.Unavailable:
        raise Unfit("The database is out of reach, or does not know the login of DATABASE_OWNER_URL.") from None
    for line in lines:
        say(line)


def _add(options: argparse.Namespace) -> list[str]:
    client_id = clients.register(
        kind=options.kind,
        name=options.name,
        scopes=options.scopes,
        jwks=_read(options.jwks) if options.jwks else None,
        jwks_url=options.jwks_url,
        audience=options.audience,
        partner_kind=options.partner_kind,
        contact=options.contact,
    )
    return [str(client_id)]


def _rotate(options: argparse.Namespace) -> list[str]:
    return [str(clients.rotate(name=options.name, jwks=_read(options.jwks), overlap=options.overlap_hours))]


def _verify(options: argparse.Namespace) -> list[str]:
    return [str(clients.set_partner_kind(name=options.name, partner_kind=options.partner_kind))]


def _contact(options: argparse.Namespace) -> list[str]:
    return [str(clients.set_contact(name=options.name, contact=options.contact))]


def _suspend(options: argparse.Namespace) -> list[str]:
    return [str(clients.suspend(name=options.name))]


def _resume(options: argparse.Namespace) -> list[str]:
    return [str(clients.resume(name=options.name))]


def _list(_: argparse.Namespace) -> list[str]:
    return [_line(one) for one in clients.listed()]


ACTS: dict[str, Callable[[argparse.Namespace], list[str]]] = {
    "add": _add,
    "rotate": _rotate,
    "verify": _verify,
    "contact": _contact,
    "suspend": _suspend,
    "resume": _resume,
    "list": _list,
}


def _line(client: Listed) -> str:
    keys = client.jwks_url or ", ".join(_key(one) for one in client.keys) or "no keys"
    kind = f"{client.kind} ({client.partner_kind})" if client.partner_kind else client.kind
    said = (str(client.id), kind, client.status, client.name, " ".join(client.scopes), client.audience, keys)
    return "  ".join((*said, client.contact) if client.contact else said)


def _key(key: Key) -> str:
    until = f" until {key.retires_at.astimezone(UTC):%Y-%m-%dT%H:%MZ}" if key.retires_at else ""
    return key.kid + until


def _read(file: Path) -> list[JWK]:
    """The keys of a JWK Set. Raises `Unfit`, `OSError`."""
    try:
        found: Any = orjson.loads(file.read_bytes())
    except ValueError:
        raise Unfit(f"{file} is not JSON.") from None
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list):
        raise Unfit(f'{file} is not a JWK Set: it begins with {{"keys": [.')
    return keys


def _hours(text: str) -> timedelta:
    """Raises `ValueError`, which argparse turns into a sentence."""
    if not text.isdecimal() or int(text) > LONGEST_OVERLAP_HOURS:
        raise ValueError(text)
    return timedelta(hours=int(text))
