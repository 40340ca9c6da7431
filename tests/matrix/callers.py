"""Who knocks in the matrix: every kind of caller in every standing. `tokens` makes it so for each of them."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Caller:
    """`kind`: whose doors its token is for; None without one. `refused`: the problem that it meets at those doors, and
    `elsewhere` at all others. `scoped`: whether its token holds the scope that is asked for. `fresh`: whether the
    patient has just proved who they are. `owner`: whether the demo patient's things, or the one partner's, are its
    own. `suspended`: a client that the clinic has stopped."""

    kind: str | None
    refused: str | None = None
    elsewhere: str = "invalid-token"
    scoped: bool = True
    fresh: bool = True
    owner: bool = False
    suspended: bool = False

    @property
    def system(self) -> bool:
        return self.kind in ("partner", "clinic")


def of_patient(refused: str | None = None, **told: Any) -> Caller:
    return Caller("patient", refused, **{"owner": True, **told})


CALLERS: dict[str, Caller] = {
    "nobody": Caller(None, elsewhere="authentication-required"),
    "patient": of_patient(),
    "patient's phone": of_patient(),
    "other patient": of_patient(owner=False),
    "patient with too little scope": of_patient(scoped=False),
    "patient of ten minutes ago": of_patient(fresh=False),
    "patient who proved little": of_patient(fresh=False),
    "patient of whose sign-in nothing is told": of_patient(fresh=False),
    # Whoever shows an expired token of ours is told so at every door: it says nothing about anybody else.
    "patient with an expired token": of_patient("token-expired", elsewhere="token-expired"),
    "patient whose app session was revoked": of_patient("session-revoked"),
    "patient whose app session ended": of_patient("session-ended"),
    "patient whose app session ran out": of_patient("session-ended"),
    "patient with another's app session": of_patient("session-ended"),
    "patient with a bound token as bearer": of_patient("invalid-token"),
    "patient with another phone's proof": of_patient("invalid-dpop-proof"),
    "patient with an unbound token of the app": of_patient("invalid-token"),
    "partner": Caller("partner", owner=True),
    "other partner": Caller("partner"),
    "partner without the scope": Caller("partner", scoped=False),
    "suspended partner": Caller("partner", "session-ended", suspended=True),
    "partner with a revoked token": Caller("partner", "session-ended"),
    "partner named like a patient": Caller("partner"),
    "partner with a patient's id": Caller("partner"),
    "clinic": Caller("clinic"),
    "clinic without the scope": Caller("clinic", scoped=False),
    "suspended clinic": Caller("clinic", "session-ended", suspended=True),
    "clinic with a revoked token": Caller("clinic", "session-ended"),
    "clinic named like a patient": Caller("clinic"),
    "clinic with a patient's id": Caller("clinic"),
}
SYSTEMS = [name for name, caller in CALLERS.items() if caller.system]
