"""From the words of a file's rows to the rows of ours that facts point at."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key, Member, Workspace
from orgadmin.usage.columns import NO_KEY_HASH, UNKNOWN_KEY_HASH
from orgadmin.usage.counts import Counts
from orgadmin.usage.models import NO_KEY, UNKNOWN_KEY, UsageEndpoint, UsageModel, UsageProvider
from orgadmin.usage.names import endpoint_ids, model_ids, provider_ids

# How many names one statement asks for.
TOGETHER = 500


@dataclass(frozen=True, slots=True)
class FileRow:
    """One line of a file. ``words`` has the columns that the file has, others are not known at all."""

    line: int
    day: date
    words: Mapping[str, str]
    counts: Counts


@dataclass(frozen=True, slots=True)
class Parts:
    """The natural key of a fact but for its day, and the provider."""

    key: int
    member: int
    workspace: int
    model: int
    endpoint: int
    provider: int


@dataclass(frozen=True, slots=True)
class _Known:
    """A key, and whose and where it is."""

    key: int
    member: int = 0
    workspace: int = 0


_NOBODY = {NO_KEY_HASH: _Known(NO_KEY), UNKNOWN_KEY_HASH: _Known(UNKNOWN_KEY), "": _Known(UNKNOWN_KEY)}


@dataclass
class Resolver:
    """Names looked up once. ``unknown`` counts the rows with a key, member or workspace that is not here."""

    organization: Organization
    unknown: Counter[str] = field(default_factory=Counter)
    _hashes: dict[str, _Known] = field(default_factory=lambda: dict(_NOBODY))
    _key_names: dict[str, _Known] = field(default_factory=lambda: {"": _NOBODY[""]})
    _members: dict[str, int] = field(default_factory=dict)
    _workspaces: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        members = Member.objects.filter(organization=self.organization)
        self._members = _unambiguous(
            (name, member.pk) for member in members for name in (member.uid, member.email, str(member))
        )
        workspaces = Workspace.objects.filter(organization=self.organization)
        self._workspaces = _unambiguous(
            (name, row.pk) for row in workspaces for name in (row.uid, row.slug, row.name)
        )

    def parts(self, rows: Sequence[FileRow], *, adds: bool) -> Iterator[Parts]:
        """In the order of the rows. Models, endpoints and providers that are new are added; unless ``adds``,
        they are given numbers that no row has."""
        self._learn_keys(rows)
        slugs = {_permaslug(row.words): row.words.get("model", "") for row in rows}
        endpoints = {row.words.get("endpoint_id", "") for row in rows}
        providers = {row.words.get("provider", "") for row in rows}
        if adds:
            models, at, by = model_ids(slugs), endpoint_ids(endpoints), provider_ids(providers)
        else:
            models = _known_only(UsageModel, "permaslug", slugs)
            at = _known_only(UsageEndpoint, "uid", endpoints)
            by = _known_only(UsageProvider, "name", providers)
        for row in rows:
            key = self._key(row.words)
            yield Parts(
                key=key.key,
                member=self._one_of("member", self._members, row.words, key.member),
                workspace=self._one_of("workspace", self._workspaces, row.words, key.workspace),
                model=models[_permaslug(row.words)],
                endpoint=at[row.words.get("endpoint_id", "")],
                provider=by[row.words.get("provider", "")],
            )

    def _key(self, words: Mapping[str, str]) -> _Known:
        key_hash, name = words.get("key_hash", ""), words.get("key_name", "")
        found = self._hashes.get(key_hash) if key_hash else self._key_names.get(name)
        if found is None:
            self.unknown["key"] += 1
            return _NOBODY[UNKNOWN_KEY_HASH]
        return found

    def _one_of(self, what: str, known: Mapping[str, int], words: Mapping[str, str], of_key: int) -> int:
        """By id, else by name; where the file has neither column, that of the key."""
        given = [words[column] for column in (f"{what}_id", what) if column in words]
        if not given:
            return of_key
        text = next(filter(None, given), "")
        if not text:
            return 0
        found = next((known[name] for name in map(str.casefold, filter(None, given)) if name in known), 0)
        if not found:
            self.unknown[what] += 1
        return found

    def _learn_keys(self, rows: Iterable[FileRow]) -> None:
        hashes = {row.words.get("key_hash", "") for row in rows} - self._hashes.keys()
        for key in self._keys("hash", hashes):
            self._hashes[key.hash] = _known(key)
        names = {
            row.words.get("key_name", "") for row in rows if not row.words.get("key_hash")
        } - self._key_names.keys()
        by_name: dict[str, list[Key]] = defaultdict(list)
        for key in self._keys("name", names):
            by_name[key.name].append(key)
        # A name that two keys have says nothing.
        self._key_names |= {name: _known(keys[0]) for name, keys in by_name.items() if len(keys) == 1}

    def _keys(self, column: str, values: Iterable[str]) -> Iterator[Key]:
        wanted = sorted(values)
        for start in range(0, len(wanted), TOGETHER):
            some = {f"{column}__in": wanted[start : start + TOGETHER]}
            yield from Key.objects.filter(organization=self.organization, **some)


def _known(key: Key) -> _Known:
    return _Known(key.pk, key.owner_id or 0, key.workspace_id or 0)


def _permaslug(words: Mapping[str, str]) -> str:
    return words.get("model_permaslug") or words.get("model", "")


def _unambiguous(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Names that stand for one row only, case aside."""
    found: dict[str, set[int]] = defaultdict(set)
    for name, number in pairs:
        found[name.casefold()].add(number)
    return {name: next(iter(numbers)) for name, numbers in found.items() if name and len(numbers) == 1}


def _known_only(model: type, column: str, names: Iterable[str]) -> dict[str, int]:
    wanted = set(names)
    known = dict(
        model._default_manager.filter(**{f"{column}__in": list(wanted)}).values_list(column, "pk")  # type: ignore[attr-defined]
    )
    new = {name: -number for number, name in enumerate(sorted(wanted - known.keys() - {""}), start=1)}
    return {"": 0, **known, **new}
