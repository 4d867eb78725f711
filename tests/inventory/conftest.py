from __future__ import annotations

import pytest

from orgadmin.accounts.models import Organization
from tests.conftest import Sync


@pytest.fixture
def synced(organization: Organization, sync: Sync) -> Organization:
    """Connected, and pulled once: tests of pulls begin with a real one."""
    sync()
    return organization
