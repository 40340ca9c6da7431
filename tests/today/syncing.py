"""A phone that keeps what the delta sync tells it."""

import time
from dataclasses import dataclass, field, replace
from typing import Any

from tests.knocking import Knocker

CHANGES = "/v1/me/changes"
# Told at the end of whatever is told, changed or not.
WHOLES = {"phone", "email", "calendar_feeds"}
Kept = dict[tuple[str, str], dict[str, Any]]


@dataclass
class Phone:
    """Reads pages of `size` with a `pause` in seconds between them, keeps each thing under its kind and id, and drops
    what is gone."""

    patient: Knocker
    size: int = 100
    pause: float = 0
    since: str | None = None
    kept: Kept = field(default_factory=dict)
    versions: list[int] = field(default_factory=list)

    def copy(self) -> "Phone":
        """Another phone that stands where this one does."""
        return replace(self, kept=dict(self.kept), versions=[])

    def page(self, token: str | None = None) -> Any:
        named = {"since": self.since, "page_token": token, "page_size": str(self.size)}
        return self.patient.get(CHANGES, query_string={name: value for name, value in named.items() if value})

    def keep(self, items: list[dict[str, Any]]) -> None:
        for item in items:
            key = item["kind"], item["id"]
            self.kept.pop(key, None)
            if not item["deleted"]:
                self.kept[key] = item[item["kind"]]
            self.versions.append(item["version"])

    def sync(self) -> list[dict[str, Any]]:
        """Walk to the last page; gives what was told. Whoever must start afresh does."""
        told: list[dict[str, Any]] = []
        token = None
        while True:
            answer = self.page(token)
            if answer.status_code == 410:
                self.since, token, self.kept, told = None, None, {}, []
                continue
            assert answer.status_code == 200, answer.text
            self.keep(answer.json["items"])
            told += answer.json["items"]
            token = answer.json.get("next_page_token")
            if token is None:
                self.since = answer.json["next_since"]
                return told
            assert "next_since" not in answer.json
            time.sleep(self.pause)


def everything(patient: Knocker) -> Kept:
    """What a phone keeps that has read everything just now."""
    phone = Phone(patient)
    phone.sync()
    return phone.kept
