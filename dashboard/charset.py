"""Requests speak UTF-8. Our pages never name another charset, and among those that Python knows some fail
halfway through a form, and some let through what no database holds."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.views.defaults import bad_request

UTF_8 = frozenset({"utf-8", "utf8"})


class CharsetMiddleware:
    """A request that names another charset is a bad one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        charset = (request.content_params or {}).get("charset", "utf-8")
        if charset.lower() not in UTF_8:
            # Answered and not raised: whoever scans the net would leave a traceback each time.
            return bad_request(request, BadRequest("Requests must be UTF-8 encoded."))
        return self.get_response(request)


class Utf8Request(WSGIRequest):
    """Django decodes the query with the charset of the body, and does so while it makes the request: what
    fails there no middleware catches. So the name of a charset is taken down and not followed."""

    @property
    def encoding(self) -> str:
        return "utf-8"

    @encoding.setter
    def encoding(self, named: str | None) -> None:
        pass
