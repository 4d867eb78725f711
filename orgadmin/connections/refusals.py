"""What can stand against a change of a connection or of people, in words for the person who asked."""

from __future__ import annotations

from orgadmin.openrouter.errors import (
    AnswerLost,
    Forbidden,
    NotFound,
    NotSent,
    OpenRouterError,
    RateLimited,
    Unauthorized,
    UnreadableAnswer,
)

KEY, URL, SLUG, EMAIL = "management_key", "base_url", "slug", "email"
LENT_KEY, WORKSPACE = "inference_key", "workspace"

# FACTS 1.2: both kinds look alike, and a management key is made in one place only.
INFERENCE_KEY = (
    "This is an API key for model calls, which cannot administer an organization. The dashboard needs a "
    "management key: on openrouter.ai open Settings → Management Keys, create one there, and paste it here."
)

MANAGEMENT_KEY = (
    "This is a management key, which OpenRouter does not show presets to. Paste an API key of the workspace, "
    "made under Keys."
)


class Refused(Exception):
    """The change was not made. ``field`` names the form field the message belongs to, None the whole form."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


def refusal(error: OpenRouterError) -> Refused:
    """What a failed first conversation with OpenRouter means to somebody who just entered a key."""
    if isinstance(error, Unauthorized):
        return Refused(
            f"OpenRouter does not accept this key: it is unknown, deleted, disabled or expired. "
            f"It says: {error.message}",
            field=KEY,
        )
    if isinstance(error, Forbidden):
        if error.wrong_key_kind:
            return Refused(INFERENCE_KEY, field=KEY)
        return Refused(f"OpenRouter refuses this key. It says: {error.message}", field=KEY)
    if isinstance(error, NotFound):
        return Refused(
            "There is no OpenRouter API at this address. OpenRouter’s own is https://openrouter.ai/api/v1.",
            field=URL,
        )
    if isinstance(error, NotSent):
        return Refused(
            f"This address cannot be reached from the dashboard’s server. {error.message}", field=URL
        )
    if isinstance(error, AnswerLost):
        return Refused(f"This address did not answer in time. {error.message}", field=URL)
    if isinstance(error, UnreadableAnswer):
        return Refused(f"What answers at this address is not OpenRouter’s API. {error.message}", field=URL)
    if isinstance(error, RateLimited):
        return Refused("OpenRouter wants fewer calls with this key just now. Wait a minute, then try again.")
    return Refused(f"OpenRouter could not answer just now; try again in a minute. It says: {error.message}")
