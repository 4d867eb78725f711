"""A trigram index for the search text on PostgreSQL. Other databases scan a narrow column."""

from __future__ import annotations

from typing import Any

from django.db import migrations

CREATE = """
CREATE INDEX keys_by_search_text ON inventory_key USING gin (search_text gin_trgm_ops)
"""


def create(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        schema_editor.execute(CREATE)


def drop(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX keys_by_search_text")


class Migration(migrations.Migration):
    dependencies = [("inventory", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
