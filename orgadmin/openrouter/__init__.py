"""The HTTP client of OpenRouter's management API.

One module per resource (`keys`, `workspaces`, …), each a set of functions that take an `OpenRouter` first.
Results are frozen dataclasses; failures are one family, `errors.OpenRouterError`. Knows neither Django nor
Celery.
"""
