"""The push services that a deployment has set."""

from pathlib import Path

from api.carriers import Carriers
from api.messages.gateway import Provider
from api.messages.push_apns import Apns
from api.messages.push_fcm import Fcm


def providers(carriers: Carriers, *, ca_file: Path | None = None) -> list[Provider]:
    """One provider for each service of push that is set; with `ca_file`, only its authorities are believed. Raises
    `carriers.Malformed` for a key that is none."""
    found: list[Provider] = []
    if carriers.apns:
        found.append(Apns(carriers.apns, ca_file=ca_file))
    if carriers.fcm:
        found.append(Fcm(carriers.fcm, ca_file=ca_file))
    if carriers.web_push:
        # Its encryption takes a second to import, which only those pay who push to browsers.
        from api.messages.push_web import WebPush

        found.append(WebPush(carriers.web_push))
    return found
