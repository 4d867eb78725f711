"""How much of the processor an answer took: on a busy machine that says more than the clock on the wall."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

HEADER = "X-Bench-Effort"


class EffortMiddleware:
    """Adds the seconds of processor time that this thread spent. The database's own process is not in it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.thread_time()
        response = self.get_response(request)
        response[HEADER] = f"{time.thread_time() - began:.6f}"
        return response
