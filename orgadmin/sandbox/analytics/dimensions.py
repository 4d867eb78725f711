"""What figures can be broken down and filtered by: an id inside, a label in the rows, an id in filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orgadmin.sandbox.analytics.metrics import MONTH, YEAR
from orgadmin.sandbox.catalog import provider_name
from orgadmin.sandbox.mix import Lane
from orgadmin.sandbox.seed.words import APPS, CHAT_ROOM
from orgadmin.sandbox.sources import Source
from orgadmin.sandbox.state.account import Account
from orgadmin.sandbox.state.members import MemberRow


@dataclass(frozen=True, slots=True)
class Trait:
    """What is known of one request where it is counted; `generation` only when each is counted alone."""

    source: Source
    lane: Lane | None = None
    reason: str | None = None
    generation: str | None = None


@dataclass(frozen=True, slots=True)
class Dimension:
    """`id_of` tells requests apart (None: the value is not set), `names_of` says what filters may call
    them, `label_of` what rows do. `scope` is the last part of a trait that is needed to know."""

    name: str
    title: str
    window: int
    scope: str
    id_of: Callable[[Trait], str | None]
    names_of: Callable[[Trait], tuple[str, ...]]
    label_of: Callable[[Account, str | None], str | None]


def _as_it_is(account: Account, value: str | None) -> str | None:
    return value


def _plain(name: str, title: str, window: int, scope: str, id_of: Callable[[Trait], str | None]) -> Dimension:
    def names_of(trait: Trait) -> tuple[str, ...]:
        value = id_of(trait)
        return () if value is None else (value,)

    return Dimension(name, title, window, scope, id_of, names_of, _as_it_is)


def _labelled(
    name: str,
    title: str,
    id_of: Callable[[Trait], str | None],
    label_of: Callable[[Account, str | None], str | None],
) -> Dimension:
    plain = _plain(name, title, YEAR, "source", id_of)
    return Dimension(name, title, YEAR, "source", id_of, plain.names_of, label_of)


def _model(trait: Trait) -> str | None:
    return trait.lane.model.slug if trait.lane else None


def _model_names(trait: Trait) -> tuple[str, ...]:
    return (trait.lane.model.slug, trait.lane.model.id) if trait.lane else ()


def _key(trait: Trait) -> str | None:
    return trait.source.key.hash if trait.source.key else None


def _key_names(trait: Trait) -> tuple[str, ...]:
    key = trait.source.key
    return (key.hash, str(key.numeric_id)) if key else ()


def _key_label(account: Account, key_hash: str | None) -> str | None:
    if key_hash is None:
        return None
    row = account.keys.find(key_hash) or account.keys.deleted.get(key_hash)
    return row.name if row else None


def member_of(account: Account, user_id: str | None) -> MemberRow | None:
    return next((member for member in account.members if member.id == user_id), None)


def _user_label(account: Account, user_id: str | None) -> str | None:
    """A blank for what belongs to nobody, nothing at all for somebody who has left."""
    if user_id is None:
        return ""
    member = member_of(account, user_id)
    if member is None:
        return None
    return " ".join(name for name in (member.first_name, member.last_name) if name) or member.email


def _workspace_label(account: Account, workspace_id: str | None) -> str | None:
    row = account.workspaces.find(workspace_id or "")
    return row.name if row else None


def _app_label(account: Account, app_id: str | None) -> str | None:
    app = next((app for app in (*APPS, CHAT_ROOM) if str(app.id) == app_id), None)
    return (app.title or app.origin) if app else None


def _context_length(trait: Trait) -> str | None:
    prompt = trait.lane.traffic.prompt if trait.lane else 0
    return next(
        (name for most, name in ((1_000, "1K"), (10_000, "10K"), (100_000, "100K")) if prompt < most), "1M"
    )


DIMENSIONS: Mapping[str, Dimension] = {
    dimension.name: dimension
    for dimension in (
        Dimension("model", "Model", YEAR, "lane", _model, _model_names, _as_it_is),
        _plain("variant", "Variant", YEAR, "lane", lambda it: it.lane.model.variant if it.lane else None),
        Dimension("api_key_id", "API key", YEAR, "source", _key, _key_names, _key_label),
        _labelled("user", "User", lambda it: it.source.user_id, _user_label),
        _labelled("workspace", "Workspace", lambda it: it.source.workspace_id, _workspace_label),
        _labelled("app", "App", lambda it: str(it.source.app.id) if it.source.app else None, _app_label),
        _plain("generation_id", "Generation", MONTH, "generation", lambda it: it.generation),
        _plain(
            "provider",
            "Provider",
            MONTH,
            "lane",
            lambda it: provider_name(it.lane.provider) if it.lane else None,
        ),
        _plain(
            "origin", "Origin", MONTH, "source", lambda it: it.source.app.origin if it.source.app else None
        ),
        _plain("country", "Country", MONTH, "source", lambda it: it.source.country),
        _plain("finish_reason", "Finish reason", MONTH, "reason", lambda it: it.reason),
        _plain(
            "external_user",
            "External user",
            MONTH,
            "source",
            lambda it: it.source.key.external_user if it.source.key else None,
        ),
        _plain("context_length_bucket", "Context length", MONTH, "lane", _context_length),
    )
}
