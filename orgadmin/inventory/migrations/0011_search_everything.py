"""An index for the beginning of a key's name on PostgreSQL, whose other index of names knows an order but no
beginnings. SQLite's knows both."""

from __future__ import annotations

from typing import Any

from django.db import migrations

CREATE = """
CREATE INDEX keys_by_beginning ON inventory_key (organization_id, sort_name COLLATE "C")
WHERE gone_at IS NULL
"""


def create(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(CREATE)


def drop(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX keys_by_beginning")


class Migration(migrations.Migration):
    dependencies = [("inventory", "0010_presets")]
    operations = [migrations.RunPython(create, drop)]
