"""The clinic's own phone apps: who may ask to sign patients in, and what phones check before they trust us.

Android and iOS each read a document from this host before they let an app use its passkeys and links: Digital Asset
Links and the Apple App Site Association. An assertion then names the origin of the app that made it: the host itself
on iOS, on Android a hash of the certificate that signed the app (WebAuthn Level 3 §5.8.1 leaves it to the platform).
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PACKAGE = re.compile(r"[a-zA-Z]\w*(\.[a-zA-Z]\w*)+")
FINGERPRINT = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){31}")
APPLE_APP = re.compile(r"[A-Z0-9]{10}\.[A-Za-z0-9.-]{1,155}")
CLIENT = re.compile(r"[a-z0-9-]{3,40}")
HOST = re.compile(r"[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+")


class Malformed(ValueError):
    """A setting about the apps cannot be right; the message names it."""


@dataclass(frozen=True, slots=True)
class Apps:
    """`clients` are the OAuth client ids of the app's releases; `android` pairs package and certificate fingerprint;
    `apple` are team and bundle ids. `rp_id` is the host to whose name passkeys are bound, for good."""

    clients: tuple[str, ...]
    rp_id: str
    origins: tuple[str, ...]
    android: tuple[tuple[str, str], ...]
    apple: tuple[str, ...]

    def asset_links(self) -> list[dict[str, Any]]:
        """`/.well-known/assetlinks.json`; passkeys need both relations."""
        relation = ["delegate_permission/common.handle_all_urls", "delegate_permission/common.get_login_creds"]
        packages: dict[str, list[str]] = {}
        for package, fingerprint in self.android:
            packages.setdefault(package, []).append(fingerprint)
        return [
            {
                "relation": relation,
                "target": {"namespace": "android_app", "package_name": package, "sha256_cert_fingerprints": prints},
            }
            for package, prints in packages.items()
        ]

    def apple_site(self) -> dict[str, Any]:
        """`/.well-known/apple-app-site-association`."""
        apps = list(self.apple)
        details = [{"appIDs": apps, "components": [{"/": "/activate/*"}]}] if apps else []
        return {"webcredentials": {"apps": apps}, "applinks": {"details": details}}


def read(env: Mapping[str, str], *, public_url: str, development: bool) -> Apps:
    """The apps that `env` names. Raises `Malformed`."""
    host = urlsplit(public_url).hostname or ""
    rp_id = env.get("PASSKEY_RP_ID") or ("localhost" if development else host)
    if not development and not (HOST.fullmatch(rp_id) and (host == rp_id or host.endswith("." + rp_id))):
        raise Malformed("PASSKEY_RP_ID must be the host of PUBLIC_URL or a domain that it belongs to.")
    android = tuple(_android(one) for one in _words(env, "ANDROID_APPS"))
    origins = [f"https://{rp_id}", *(key_hash(fingerprint) for _, fingerprint in android)]
    return Apps(
        clients=_each(env, "APP_CLIENTS", CLIENT) or ("continuum-app",),
        rp_id=rp_id,
        origins=(*origins, *([public_url] if development else [])),
        android=android,
        apple=_each(env, "APPLE_APPS", APPLE_APP),
    )


def key_hash(fingerprint: str) -> str:
    """The origin of an Android app whose signing certificate has this SHA-256."""
    raw = bytes.fromhex(fingerprint.replace(":", ""))
    return "android:apk-key-hash:" + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _android(word: str) -> tuple[str, str]:
    package, _, fingerprint = word.partition("=")
    if not PACKAGE.fullmatch(package) or not FINGERPRINT.fullmatch(fingerprint.upper()):
        raise Malformed("ANDROID_APPS must be package=AA:BB:… with the SHA-256 of the signing certificate.")
    return package, fingerprint.upper()


def _each(env: Mapping[str, str], name: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
    words = _words(env, name)
    if not all(pattern.fullmatch(word) for word in words):
        raise Malformed(f"{name} holds a word that cannot be right.")
    return words


def _words(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in env.get(name, "").split(",") if one.strip())
