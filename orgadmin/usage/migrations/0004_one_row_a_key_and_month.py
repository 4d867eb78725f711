from typing import Any

from django.db import migrations, models
from django.db.models import Count, F, Min, Q, Sum

PLACE = ("organization_id", "dimension", "grain", "start", "part")
SUMS = (
    "requests",
    "prompt_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "cached_tokens",
    "usage",
    "byok_usage",
    "usage_above",
    "byok_above",
)


def merge(apps: Any, schema_editor: Any) -> None:
    """A key whose owner changed within a month has a row for each owner: add them up."""
    rows = apps.get_model("usage", "UsageRollup").objects.order_by()
    several = rows.values(*PLACE).annotate(
        count=Count("id"), first=Min("id"), **{f"sum_{name}": Sum(name) for name in SUMS}
    )
    for found in list(several.filter(count__gt=1)):
        place = {name: found[name] for name in PLACE}
        rows.filter(**place).exclude(pk=found["first"]).delete()
        rows.filter(pk=found["first"]).update(**{name: found[f"sum_{name}"] for name in SUMS})


class Migration(migrations.Migration):
    dependencies = [("usage", "0003_saved_query")]

    operations = [
        migrations.RunPython(merge, migrations.RunPython.noop),
        migrations.RemoveConstraint(model_name="usagerollup", name="one_usage_rollup"),
        migrations.RemoveField(model_name="usagerollup", name="member_id"),
        migrations.AddConstraint(
            model_name="usagerollup",
            constraint=models.UniqueConstraint(
                fields=("organization_id", "dimension", "grain", "start", "part"), name="one_usage_rollup"
            ),
        ),
        migrations.AddIndex(
            model_name="usagerollup",
            index=models.Index(
                F("organization_id"),
                F("start"),
                models.expressions.OrderBy(
                    models.expressions.CombinedExpression(F("usage_above"), "+", F("byok_above")),
                    descending=True,
                ),
                F("part"),
                condition=Q(("dimension", 5), ("grain", 1)),
                name="keys_by_month_spend",
            ),
        ),
    ]
