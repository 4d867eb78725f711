"""Static files: hashed names, compressed at collection, module imports rewritten to the hashed names."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage that also follows ``import()`` between our own modules.

    Django's switch for that would read every package's scripts too, and one of them names a file it does not
    bring; so its rule is applied to ``static/js`` alone.
    """

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("js/*.js", CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1]),
    )
