"""What surrounds every view: private pages are never stored, and an OpenRouter error that a view did not
handle becomes a page or a toast here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_cache_control, patch_vary_headers
from django_htmx.http import reswap

from orgadmin.accounts.models import Organization
from orgadmin.inventory.services import note_refusal
from orgadmin.openrouter.errors import OpenRouterError
from orgadmin.pages import respond, wants_fragment

Handler = Callable[[HttpRequest], HttpResponse]
log = structlog.get_logger(__name__)


class CompressionMiddleware(GZipMiddleware):
    """Django's compression, which hides lengths from an eavesdropper by random padding; still, an answer
    that holds a secret is not compressed beside what a visitor typed."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if "no-store" in response.headers.get("Cache-Control", ""):
            return response
        return super().process_response(request, response)


class PrivatePagesMiddleware:
    """Pages of signed-in people: no shared cache keeps them, and a fragment is not taken for its page."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if "Cache-Control" not in response:
            patch_cache_control(response, private=True, no_cache=True)
        patch_vary_headers(response, ["HX-Request", "Cookie"])
        return response


class OpenRouterErrorMiddleware:
    """The one place where an error of the client that nobody caught becomes an answer."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, OpenRouterError):
            return None
        log.warning("openrouter error", status=error.status, message=error.message, path=request.path)
        if isinstance(organization := getattr(request, "organization", None), Organization):
            note_refusal(organization, error)
        status = error.status if error.status in {400, 404, 409, 429} else 502
        if wants_fragment(request):
            messages.error(request, f"OpenRouter: {error.message}")
            return reswap(respond(request, "errors/openrouter.html", fragment="errors/_nothing.html"), "none")
        return respond(request, "errors/openrouter.html", {"error": error}, status=status)
