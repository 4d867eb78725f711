"""The errors of the service, as its state raises them and as its envelope spells them."""

from __future__ import annotations

from typing import Any


class ServiceError(Exception):
    """An answer other than success. `status` is the HTTP status, `message` the envelope's text."""

    status = 500
    message = "Internal Server Error"

    def __init__(
        self,
        message: str | None = None,
        *,
        metadata: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.message = message or type(self).message
        self.metadata = metadata
        self.headers = headers or {}
        super().__init__(self.message)

    def envelope(self) -> dict[str, Any]:
        return envelope(self.status, self.message, self.metadata)


class InvalidRequestError(ServiceError):
    status = 400
    message = "Invalid request parameters"


class UnauthorizedError(ServiceError):
    status = 401
    message = "Missing Authentication header"


class WrongKeyKindError(ServiceError):
    """An inference key on an endpoint of management keys; clients recognise the first words."""

    status = 403
    message = "Only management keys can perform this operation"


class ForbiddenError(ServiceError):
    status = 403
    message = "Forbidden"


class NotFoundError(ServiceError):
    status = 404
    message = "Resource not found"


class MethodNotAllowedError(ServiceError):
    status = 405
    message = "Method not allowed"


class TooSlowError(ServiceError):
    status = 408
    message = "The query took too long: narrow the time range or ask for fewer details"


class ConflictError(ServiceError):
    status = 409
    message = "Conflict"


class TooManyRequestsError(ServiceError):
    status = 429
    message = "Rate limit exceeded"


class TooLargeError(ServiceError):
    status = 413
    message = "Request body is too large"


def envelope(status: int, message: str, metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    """The shape of every JSON error. `code` repeats the status; `metadata` is left out when empty."""
    error: dict[str, Any] = {"code": status, "message": message}
    if metadata is not None:
        error["metadata"] = metadata
    return {"error": error}
