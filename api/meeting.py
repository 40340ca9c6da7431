"""How a request is met: token, proof, scope, quota, body, then one transaction.

Inside it: standing, idempotency, the view, the answer's rendering, the audit row. What raises rolls back, and
the refusal is audited on the same connection. The body is read before the transaction begins, so a slow sender
holds no connection, and after the token, so a stranger sends nothing.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any
from uuid import UUID

from flask import Response, current_app, g, request

from api import audit, auth, body, clock, db, dpop, errors, idempotency, observe, refusals, throttle
from api.answering import add_to_refusal, expected_from, render
from api.contract import Operation

# Public answers and refusals may be read by scripts of any website; nothing else may (Fetch Standard, CORS protocol).
ANY_WEBSITE = ("Access-Control-Allow-Origin", "*")
LISTENING = ("patient", "partner", "clinic")
LONGEST_NAME = 100
# A body that is looked at before it is refused may be longer than one that is accepted, but not without end (bytes).
MOST_LOOKED_AT = 4_194_304
View = Callable[..., Any]


class Meeting:
    """One operation meeting requests."""

    def __init__(
        self,
        operation: Operation,
        view: View,
        *,
        replay: Callable[[UUID], Any] | None,
        hot: bool,
        throttled: bool,
        looks_first: Callable[[db.Caller, bytes], None] | None,
        refusals_carry: Callable[[], dict[str, Any]] | None,
        at_once: Callable[[db.Caller], Response | None] | None,
        prepares: Callable[[], None] | None,
    ) -> None:
        if operation.idempotent and replay is None:
            raise TypeError(f"{operation.id}: an idempotent POST needs replay")
        self.operation, self._view, self._replay = operation, view, replay
        self._scopes = frozenset(operation.scopes)
        self._hot, self._throttled, self._looks_first = hot, throttled, looks_first
        self._refusals_carry, self._at_once, self._prepares = refusals_carry, at_once, prepares

    def view(self) -> View:
        @wraps(self._view)
        def meet(**parameters: Any) -> Response:
            return self.meet(parameters)

        return meet

    def meet(self, parameters: dict[str, Any]) -> Response:
        """Meet the running request; `parameters` are those of its path."""
        if self._refusals_carry:
            add_to_refusal(**self._refusals_carry())
        g.door, g.operation = self.operation.audience, self.operation.id
        g.caller = caller = self._admit()
        if self._hot:
            self._refuse_surplus(parameters)
            response: Response = self._view(**parameters)
            return response
        if caller.proof:
            dpop.spend(caller.proof)
        self._receive()
        if self._at_once and (done := self._at_once(caller)) is not None:
            return done
        with db.running(caller):
            g.in_transaction = True
            if self._audited(caller):
                g.audited = True
                db.after_rollback(lambda: self._audit_undone(caller))
            response = self._answered(caller, parameters)
            if self._audited(caller):
                self._audit(caller)
            return response

    def _answered(self, caller: db.Caller, parameters: dict[str, Any]) -> Response:
        """The answer; also a refusal after which what was written before it must stay."""
        try:
            return self._inside(caller, parameters)
        except Exception as refusal:
            g.refused = getattr(refusal, "slug", errors.Internal.slug)
            if not getattr(refusal, "keeps", False):
                raise
            return current_app.make_response(current_app.handle_user_exception(refusal))

    def _receive(self) -> None:
        if self._looks_first:
            request.max_content_length = MOST_LOOKED_AT
        arrivals: body.Arrivals = current_app.extensions["arrivals"]
        arrivals.wait_for(request)
        if self._prepares:
            self._prepares()

    def _admit(self) -> db.Caller:
        """Token, proof, quota, scope. Raises `auth.NoToken` and its kin, `dpop.BadProof`, `dpop.NonceNeeded`,
        `errors.TooManyRequests`."""
        kind = self.operation.audience
        if kind not in LISTENING:
            if kind == "public":
                observe.note().headers = [ANY_WEBSITE]
            self._spend(request.remote_addr or "")
            return self._stranger()
        try:
            caller = self._holder()
        except errors.Unauthenticated:
            self._spend(request.remote_addr or "")
            raise
        observe.note().caller_kind = kind
        if self._throttled:
            self._spend(str(caller.patient_id or caller.client_id))
        if not self._looks_first:
            self._refuse_without_scope(caller)
        if self.operation.steps_up:
            auth.refuse_weak(caller, at=clock.wall())
        return auth.acting(caller, request.headers.get("Acting-User")) if kind == "clinic" else caller

    def _stranger(self) -> db.Caller:
        """Nobody; or, where a key makes a POST once, whoever holds that key: its hash is all that tells them apart."""
        if not self.operation.idempotent:
            return db.PUBLIC
        key = idempotency.parse(request.headers.get("Idempotency-Key"))
        return db.Caller(kind="holder", presented=idempotency.hashed(key))

    def _holder(self) -> db.Caller:
        """Who presents a token, with the key that it is bound to. Raises `errors.Unauthenticated`."""
        tokens: auth.Tokens = current_app.extensions["tokens"]
        held = auth.presented(request.headers.get("Authorization"))
        caller = tokens.caller(held.token, kind=self.operation.audience)
        if caller.key is None:
            # RFC 9449 §7.1: the scheme DPoP is for bound tokens, and a patient's is bound unless the house says not.
            if held.scheme == "dpop" or (caller.app and caller.app not in current_app.extensions["bearer apps"]):
                raise auth.InvalidToken
            return caller
        if held.scheme != "dpop":
            raise auth.InvalidToken
        return replace(caller, proof=self._proved(caller.key, held.token).id)

    def _proved(self, key: str, token: str) -> dpop.Proof:
        nonces: dpop.Nonces = current_app.extensions["nonces"]
        proof = dpop.read(
            request.headers.get("DPoP"),
            method=request.method,
            url=current_app.settings.public_url + request.path,  # type: ignore[attr-defined]
            nonces=nonces,
            at=clock.wall(),
            token=token,
        )
        if proof.thumbprint != key:
            raise dpop.BadProof
        return proof

    def _refuse_without_scope(self, caller: db.Caller) -> None:
        if not self._scopes <= caller.scopes:
            raise auth.InsufficientScope(self.operation.scope)

    def _spend(self, key: str) -> None:
        quota: throttle.Throttle = current_app.extensions["throttle"]
        note = observe.note()
        note.headers = [*note.headers, *quota.spend(key)]

    def _refuse_surplus(self, parameters: dict[str, Any]) -> None:
        if not all(_plausible(value) for value in parameters.values() if isinstance(value, str)):
            raise errors.NotFound
        if request.query_string and self.operation.query is None:
            raise errors.BadRequest("This operation takes no query parameters.")
        if request.content_length and not (self.operation.asks or self.operation.takes):
            raise errors.BadRequest("This operation takes no body.")

    def _inside(self, caller: db.Caller, parameters: dict[str, Any]) -> Response:
        if self._looks_first:
            self._looks_first(caller, request.get_data(cache=True))
            self._refuse_without_scope(caller)
            if len(request.get_data(cache=True)) > current_app.config["MAX_CONTENT_LENGTH"]:
                raise errors.ContentTooLarge
        self._refuse_surplus(parameters)
        if self.operation.if_match:
            g.expected_version = expected_from(request.headers.get("If-Match"))
        if self.operation.idempotent and not self._previews():
            return self._once(caller, parameters)
        answer: Response = self._view(**parameters)
        return answer

    def _once(self, caller: db.Caller, parameters: dict[str, Any]) -> Response:
        key = idempotency.parse(request.headers.get("Idempotency-Key"))
        principal = caller.patient_id or caller.client_id or UUID(bytes=(caller.presented or b"")[:16])
        assert self._replay is not None
        print_ = idempotency.fingerprint(request.method, request.full_path, request.get_data())
        done = idempotency.claim(principal=principal, key=key, fingerprint=print_)
        if done is not None:
            response = render(self.operation.answers, self.operation.status, self._replay(done.resource_id))  # type: ignore[arg-type]
            response.headers["Idempotency-Replayed"] = "true"
            return response
        answer: Response = self._view(**parameters)
        idempotency.keep(principal=principal, key=key, fingerprint=print_, resource_id=g.get("resource_id"))
        return answer

    def _previews(self) -> bool:
        """Whether the body asks for a preview: it converges, so it needs no key, and is audited as a read."""
        return self.operation.previews and idempotency.is_preview(request.get_data(cache=True))

    def _audited(self, caller: db.Caller) -> bool:
        return caller.kind in ("clinic", "partner") or (caller.kind == "patient" and self.operation.method != "GET")

    def _audit(self, caller: db.Caller) -> None:
        """One row, and where the answer is a list of several patients' one more for each of them."""
        self._audit_about(caller, g.get("about"))
        for patient_id in g.get("about_each", ()):
            self._audit_about(caller, patient_id)

    def _audit_about(self, caller: db.Caller, patient_id: UUID | None) -> None:
        audit.record(
            caller,
            operation=self.operation.id,
            action=self._action(),
            patient_id=patient_id,
            resource_id=g.get("resource_id"),
            problem=g.get("refused"),
            request_id=observe.note().request_id,
        )

    def _audit_undone(self, caller: db.Caller) -> None:
        """On the same connection, after the rollback: a preview is a read that was done. A flood of refusals is counted
        rather than written."""
        if self._previews() and "refused" not in g:
            self._audit(caller)
            return
        refusals.note_here(
            caller=caller,
            operation=self.operation.id,
            # What no view refused, the commit did.
            problem=g.get("refused") or getattr(sys.exception(), "slug", errors.Internal.slug),
            request_id=observe.note().request_id,
            action=self._action(),
            patient_id=g.get("about"),
            resource_id=g.get("resource_id"),
        )

    def _action(self) -> str:
        return "read" if self._previews() else audit.ACTIONS[self.operation.method]


def _plausible(name: str) -> bool:
    """Whether a name in a path could be anything's: PostgreSQL cannot even be asked about a NUL."""
    return len(name) <= LONGEST_NAME and name.isprintable()
