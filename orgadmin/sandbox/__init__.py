"""A stateful, deterministic twin of the OpenRouter API, as a small WSGI application.

It knows neither Django nor the project's own OpenRouter client: a wrong field name must not be wrong on
both sides. `state` holds what the service remembers and raises the service's own errors, `wire` reads
requests and spells answers, `seed` makes a believable organization out of a number.
"""
