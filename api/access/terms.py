"""On what terms phones sign in here: which apps may ask, for how long it holds, and who signs the tokens."""

from dataclasses import dataclass
from datetime import timedelta

from api import apps, auth
from api.access import ceremonies


@dataclass(frozen=True, slots=True)
class Terms:
    """`idle` is how long a phone may be quiet before the patient shows again that it is them, `longest` after how long
    they sign in anew (NIST SP 800-63B-4 §2.2.3). `unbound` apps need no key (RFC 9449)."""

    tokens: auth.Tokens
    issuer: str
    apps: apps.Apps
    unbound: frozenset[str]
    idle: timedelta
    longest: timedelta

    @property
    def relying_party(self) -> ceremonies.RelyingParty:
        return ceremonies.RelyingParty(self.apps.rp_id, self.apps.origins)


_terms: Terms | None = None


def use(terms: Terms) -> None:
    """Sign in on these terms from now on in this process."""
    global _terms
    _terms = terms


def current() -> Terms:
    assert _terms is not None, "terms.use was not called"
    return _terms
