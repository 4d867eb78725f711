"""What several questions of one page need: each is asked of the database once at most."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from orgadmin.accounts.models import Organization
from orgadmin.catalog.models import CatalogProvider
from orgadmin.inventory.models import Credential, Workspace


@dataclass
class Known:
    organization: Organization

    @cached_property
    def workspaces(self) -> dict[str, Workspace]:
        """By their ids, those that are gone included."""
        return {row.uid: row for row in Workspace.objects.filter(organization=self.organization)}

    @cached_property
    def credentials(self) -> list[Credential]:
        """All there are."""
        return list(Credential.objects.filter(organization=self.organization, gone_at=None).order_by())

    @cached_property
    def _providers(self) -> dict[str, str]:
        rows = CatalogProvider.objects.filter(organization=self.organization).order_by()
        return dict(rows.values_list("slug", "name"))

    @cached_property
    def _slugs(self) -> dict[str, str]:
        return {name.casefold(): slug for slug, name in self._providers.items()}

    def provider_name(self, slug: str) -> str:
        """What people call it; its slug where the catalog does not have it."""
        return self._providers.get(slug, slug)

    def provider_slug(self, name: str) -> str:
        """The slug of a provider that activity names; the name where the catalog does not have it."""
        return name if name in self._providers else self._slugs.get(name.casefold(), name)
