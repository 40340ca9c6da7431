"""A phone that has its authorization code and leaves the exchange to others."""

from dataclasses import dataclass
from typing import Any

from tests.phone import Phone


@dataclass
class Waiting(Phone):
    """`code` is good for a minute, with `verifier` and the phone's key."""

    code: str = ""
    verifier: str = ""

    def exchange(self) -> dict[str, Any]:
        return super()._exchange(self.code, self.verifier)

    def _exchange(self, code: str, verifier: str) -> dict[str, Any]:
        self.code, self.verifier = code, verifier
        return {}
