"""Short names of organizations, which stand in the address of each of their pages."""

from __future__ import annotations

import re

from django.utils.text import slugify

from orgadmin.accounts.models import Organization
from orgadmin.connections.refusals import SLUG, Refused

LONGEST = 50
PATTERN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
# Words that read like a page of the dashboard in front of an organization's pages.
RESERVED = frozenset(
    {
        *(
            "accounts",
            "add",
            "admin",
            "api",
            "demo",
            "health",
            "healthz",
            "home",
            "invite",
            "login",
            "logout",
        ),
        *("new", "o", "organization", "organizations", "readyz", "search", "settings", "sign-in", "sign-up"),
        *("static", "support", "theme", "www"),
    }
)


def free_slug(name: str) -> str:
    """A short name made from a name, one that nobody has. Refused when the name has no letters for it."""
    stem = slugify(name)[:LONGEST].strip("-_").replace("_", "-")
    if not PATTERN.fullmatch(stem):
        raise Refused("No short name can be made from this name. Choose one, such as acme.", field=SLUG)
    taken = set(
        Organization.objects.filter(slug__startswith=stem[: LONGEST - 5]).values_list("slug", flat=True)
    )
    for candidate in (
        stem,
        *(f"{stem[: LONGEST - 5]}-{number}".replace("--", "-") for number in range(2, 1000)),
    ):
        if candidate not in taken and candidate not in RESERVED:
            return candidate
    raise Refused("Short names like this are all taken. Choose one.", field=SLUG)
