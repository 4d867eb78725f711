from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def name_them(apps: Any, schema_editor: Any) -> None:
    """The metrics of what was harvested so far. What each is, the next harvest says."""
    rows = apps.get_model("usage", "Harvest").objects.order_by()
    found = {
        (organization, dimension, name)
        for organization, dimension, metrics in rows.values_list(
            "organization_id", "dimension", "metrics"
        ).iterator()
        for name, value in metrics.items()
        if value is not None
    }
    metric = apps.get_model("usage", "HarvestMetric")
    metric.objects.bulk_create(
        metric(organization_id=organization, dimension=dimension, name=name[:100])
        for organization, dimension, name in sorted(found)
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("usage", "0004_one_row_a_key_and_month"),
    ]

    operations = [
        migrations.CreateModel(
            name="HarvestMetric",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("dimension", models.CharField(max_length=60)),
                ("name", models.CharField(max_length=100)),
                ("display_label", models.CharField(blank=True, default="", max_length=200)),
                ("display_format", models.CharField(blank=True, default="", max_length=60)),
                ("is_rate", models.BooleanField(default=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "dimension", "name"), name="one_harvest_metric"
                    )
                ],
            },
        ),
        migrations.RunPython(name_them, migrations.RunPython.noop),
    ]
