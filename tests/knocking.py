"""How tests knock at the doors: one object per caller, with the headers that caller always sends."""

import uuid
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import Flask
from werkzeug.test import TestResponse


@dataclass
class Knocker:
    """A caller. `id` is the patient's or client's; `headers` go with every request."""

    app: Flask
    headers: dict[str, str] = field(default_factory=dict)
    id: UUID | None = None
    external_id: str | None = None
    app_session_id: UUID | None = None

    def request(self, method: str, path: str, *, headers: dict[str, str] | None = None, **kwargs: Any) -> TestResponse:
        return self.app.test_client().open(path, method=method, headers={**self.headers, **(headers or {})}, **kwargs)

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.request("GET", path, **kwargs)

    def post(
        self, path: str, *, key: str | None = None, headers: dict[str, str] | None = None, **kwargs: Any
    ) -> TestResponse:
        """A POST with an Idempotency-Key of its own unless `key` names one; `key=""` sends none."""
        sent = {} if key == "" else {"Idempotency-Key": key or str(uuid.uuid4())}
        return self.request("POST", path, headers={**sent, **(headers or {})}, **kwargs)

    def put(
        self, path: str, *, if_match: str | None = None, headers: dict[str, str] | None = None, **kwargs: Any
    ) -> TestResponse:
        sent = {"If-Match": if_match} if if_match else {}
        return self.request("PUT", path, headers={**sent, **(headers or {})}, **kwargs)

    def patch(self, path: str, *, headers: dict[str, str] | None = None, **kwargs: Any) -> TestResponse:
        return self.request(
            "PATCH", path, headers={"Content-Type": "application/merge-patch+json", **(headers or {})}, **kwargs
        )

    def delete(self, path: str, **kwargs: Any) -> TestResponse:
        return self.request("DELETE", path, **kwargs)
