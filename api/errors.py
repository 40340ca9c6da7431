"""Refusals, and how they become RFC 9457 problem documents. The only file that knows status codes.

A refusal is a class, defined where it is raised, named by a noun phrase; its slug is its name in
kebab-case, its `detail` a sentence fit for a patient to read. Every class is found by `/problems/{slug}`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

REFUSALS: dict[str, type["Refusal"]] = {}


class Refusal(Exception):
    """A request that cannot be met, with what the caller should do about it.

    `retry` is one of vocabulary.RETRIES. `extra` members are added to the problem document and
    `headers` to the response; neither may carry personal data of anybody but the caller.
    """

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong on our side"
    detail: str = "The request could not be completed. Nothing was changed."
    title_es: ClassVar[str] = "Algo falló de nuestro lado"
    detail_es: str = "No se pudo completar la solicitud. No se cambió nada."
    retry: ClassVar[str] = "later"
    # What `WWW-Authenticate` says of it (RFC 6750 §3).
    challenge: Mapping[str, str] = {}
    # Whether what was written before it stays: a refusal that tells what the gate released must stand in its ledger.
    keeps: bool = False

    def __init__(
        self,
        detail: str | None = None,
        *,
        detail_es: str | None = None,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.detail)
        if detail:
            self.detail, self.detail_es = detail, detail_es or detail
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "slug" not in cls.__dict__:
            cls.slug = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()
        REFUSALS[cls.slug] = cls

    def problem(self, *, base_url: str, language: str, instance: str) -> dict[str, Any]:
        """The problem document in `language` (RFC 9457 §3); `instance` names this occurrence."""
        spanish = language == "es"
        return {
            "type": f"{base_url}/problems/{self.slug}",
            "title": self.title_es if spanish else self.title,
            "status": self.status,
            "detail": self.detail_es if spanish else self.detail,
            "instance": instance,
            "retry": self.retry,
            **self.extra,
        }


class Internal(Refusal):
    pass


class BadRequest(Refusal):
    status = 400
    slug = "malformed-request"
    title = "The request is malformed"
    detail = "The request could not be read."
    title_es = "La solicitud está mal formada"
    detail_es = "No se pudo leer la solicitud."
    retry = "never"


class Unauthenticated(Refusal):
    status = 401
    slug = "authentication-required"
    title = "Please sign in"
    detail = "This needs a valid access token."
    title_es = "Inicie sesión"
    detail_es = "Se necesita una credencial de acceso válida."
    retry = "after_sign_in"


class Forbidden(Refusal):
    status = 403
    title = "Not allowed"
    detail = "The access token does not allow this."
    title_es = "No permitido"
    detail_es = "La credencial de acceso no permite esto."
    retry = "never"


class NotFound(Refusal):
    """Absent and not yours: one answer (HOUSE decision 4)."""

    status = 404
    title = "Not found"
    detail = "There is nothing here."
    title_es = "No encontrado"
    detail_es = "Aquí no hay nada."
    retry = "never"


class MethodNotAllowed(Refusal):
    status = 405
    title = "Method not allowed"
    detail = "This address does not answer to that method."
    title_es = "Método no permitido"
    detail_es = "Esta dirección no responde a ese método."
    retry = "never"


class NotAcceptable(Refusal):
    status = 406
    title = "Not acceptable"
    detail = "None of the offered representations is acceptable to the caller."
    title_es = "No aceptable"
    detail_es = "Ninguna de las representaciones ofrecidas es aceptable."
    retry = "never"


class Conflict(Refusal):
    status = 409
    title = "This does not fit the current state"
    detail = "What was asked does not fit the current state."
    title_es = "Esto no concuerda con el estado actual"
    detail_es = "Lo solicitado no concuerda con el estado actual."
    retry = "never"


class Gone(Refusal):
    status = 410
    title = "No longer here"
    detail = "This is no longer available; start afresh."
    title_es = "Ya no está aquí"
    detail_es = "Esto ya no está disponible; empiece de nuevo."
    retry = "never"


class PreconditionFailed(Refusal):
    status = 412
    title = "Somebody changed it first"
    detail = "The resource changed since it was read. Read it again and decide anew."
    title_es = "Alguien lo cambió antes"
    detail_es = "El recurso cambió desde que se leyó. Léalo de nuevo y decida otra vez."
    retry = "after_refresh"


class ContentTooLarge(Refusal):
    status = 413
    title = "Too large"
    detail = "The body is larger than this operation accepts."
    title_es = "Demasiado grande"
    detail_es = "El cuerpo es más grande de lo que acepta esta operación."
    retry = "never"


class UriTooLong(Refusal):
    status = 414
    title = "Address too long"
    detail = "The address is longer than 8 KiB."
    title_es = "Dirección demasiado larga"
    detail_es = "La dirección supera los 8 KiB."
    retry = "never"


class UnsupportedMediaType(Refusal):
    status = 415
    title = "Unsupported content type"
    detail = "This operation does not read that content type or encoding."
    title_es = "Tipo de contenido no admitido"
    detail_es = "Esta operación no lee ese tipo de contenido o codificación."
    retry = "never"


class Unprocessable(Refusal):
    status = 422
    title = "The content does not fit"
    detail = "The content was read but does not fit."
    title_es = "El contenido no encaja"
    detail_es = "El contenido se leyó pero no encaja."
    retry = "never"


class Invalid(Unprocessable):
    """Validation: `errors` lists each place as a JSON pointer into the body, or a parameter's name."""

    slug = "validation-error"
    title = "Some values are not valid"
    detail = "Some values are not valid; `errors` names each of them."
    title_es = "Algunos valores no son válidos"
    detail_es = "Algunos valores no son válidos; `errors` los nombra."

    def __init__(self, errors: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.extra["errors"] = [{"pointer": pointer, "detail": detail} for pointer, detail in errors]


class PreconditionRequired(Refusal):
    status = 428
    title = "Say which version you are changing"
    detail = "Send the ETag that you last read in If-Match."
    title_es = "Indique qué versión cambia"
    detail_es = "Envíe en If-Match la ETag que leyó por última vez."
    retry = "after_refresh"


class TooManyRequests(Refusal):
    status = 429
    title = "Too many requests"
    detail = "Please wait a little before trying again."
    title_es = "Demasiadas solicitudes"
    detail_es = "Espere un poco antes de intentarlo de nuevo."
    retry = "later"


class NotImplementedMethod(Refusal):
    status = 501
    slug = "unknown-method"
    title = "Unknown method"
    detail = "This server does not know that method."
    title_es = "Método desconocido"
    detail_es = "Este servidor no conoce ese método."
    retry = "never"


class Unavailable(Refusal):
    """The database or a time limit stands in the way; nothing was changed."""

    status = 503
    title = "Briefly unavailable"
    detail = "The service is briefly unavailable. Nothing was lost; please try again."
    title_es = "No disponible por un momento"
    detail_es = "El servicio no está disponible por un momento. No se perdió nada; inténtelo de nuevo."
    retry = "later"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.headers.setdefault("Retry-After", "1")


BY_STATUS: dict[int, type[Refusal]] = {
    400: BadRequest,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    406: NotAcceptable,
    409: Conflict,
    410: Gone,
    412: PreconditionFailed,
    413: ContentTooLarge,
    414: UriTooLong,
    415: UnsupportedMediaType,
    422: Unprocessable,
    428: PreconditionRequired,
    429: TooManyRequests,
    500: Internal,
    501: NotImplementedMethod,
    503: Unavailable,
}
