from __future__ import annotations

import pytest

from orgadmin.accounts.models import Organization
from tests.conftest import Bells


@pytest.fixture
def synced(synced: Organization, bells: Bells) -> Organization:
    """Pulled once, and nobody rang since."""
    bells.pulls.clear()
    return synced
