"""What the operator types about the keys that sign our own tokens: `keys rotate | list`.

The file is read anew by every process within a second, so a rotation needs neither a restart nor a database.
"""

import argparse
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt

from api import config, keys

Say = Callable[[str], None]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Tell `parser` the words of the commands."""
    commands = parser.add_subparsers(dest="act", required=True)
    commands.add_parser("rotate", help="Publish a new key, which signs a few minutes later.")
    commands.add_parser("list", help="Show the keys by their names.")


def run(options: argparse.Namespace, file: Path, say: Say, *, at: datetime) -> None:
    """Do what was typed with the key `file`, and `say` what it holds. Raises `config.Misconfigured`, `OSError`."""
    try:
        if options.act == "rotate":
            # What it holds is judged first: a file that is none of ours stays as it is.
            keys.KeySet.read(file)
            keys.rotate(file, at=at)
        signing, document = keys.KeySet.read(file).signing(at).kid, json.loads(file.read_text())
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise config.Misconfigured("TOKEN_KEYS_FILE must be a JWK Set with private keys.") from error
    except (ValueError, jwt.PyJWTError) as error:
        raise config.Misconfigured(f"TOKEN_KEYS_FILE: {error}.") from error
    for jwk in document["keys"]:
        say(f"{jwk['kid']}  {_use(jwk, signing, at)}")


def _use(jwk: dict[str, Any], signing: str, at: datetime) -> str:
    """What a key is there for."""
    if jwk["kid"] == signing:
        return "signs"
    if (use_from := float(jwk.get("use_from", 0))) > at.timestamp():
        return f"signs from {datetime.fromtimestamp(use_from, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return "verifies"
