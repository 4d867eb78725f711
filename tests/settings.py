"""The project's settings with the environment a test run needs, so that it depends on no machine."""

from __future__ import annotations

import os
import tempfile

os.environ["SECRET_KEY"] = "tests-only-" + "x" * 60
os.environ["ENCRYPTION_KEYS"] = "hQ5bC0o4pKq3Yk0mJp8b0m7Xr1h5QyqJ9m0m3o0c2xY="
os.environ["ALLOW_PRIVATE_BASE_URL"] = "1"
os.environ["PUBLIC_URL"] = "http://testserver"
os.environ["EMAIL_URL"] = "console://"
os.environ["OPENROUTER_RATE"] = "100000"
os.environ["OPENROUTER_ANALYTICS_RATE"] = "100000"
os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="dashboard-tests-"))
os.environ.setdefault("CACHE_URL", "locmem://")
os.environ.setdefault("LOG_LEVEL", "WARNING")

from dashboard.settings import *

ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True
