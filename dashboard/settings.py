"""The one settings file. Every choice that differs between machines is an environment variable,
documented in ``.env.example``; the defaults are the embedded ones (SQLite, Valkey in ``var/``)."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
import dj_email_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from dashboard.env import BASE_DIR, env, read_files, secret, whole

DATA_DIR = Path(env.str("DATA_DIR", str(BASE_DIR / "var"))).resolve()
read_files(DATA_DIR)

# --- who and where ---------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = secret("SECRET_KEY")
# The first key encrypts, all decrypt: rotating means putting a new one in front (docs/operations.md).
ENCRYPTION_KEYS = [key.strip() for key in secret("ENCRYPTION_KEYS").split(",") if key.strip()]

PUBLIC_URL = env.str("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
_public = urlsplit(PUBLIC_URL)
if _public.scheme not in {"http", "https"} or not _public.hostname:
    raise ImproperlyConfigured("PUBLIC_URL must be an http(s) address such as https://dashboard.example.org")
HTTPS_ONLY = env.bool("HTTPS_ONLY", _public.scheme == "https")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", [_public.hostname])
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

OPENROUTER_BASE_URL = env.str("OPENROUTER_BASE_URL", "https://openrouter.ai/api/v1")
ALLOW_PRIVATE_BASE_URL = env.bool("ALLOW_PRIVATE_BASE_URL", False)
# Requests a second and credential that all processes together may send to OpenRouter.
OPENROUTER_RATE = env.float("OPENROUTER_RATE", 12.0)
OPENROUTER_ANALYTICS_RATE = env.float("OPENROUTER_ANALYTICS_RATE", 1.0)
SYNC_KEYS_SECONDS = whole("SYNC_KEYS_SECONDS", 300, least=10, most=86_400)
SYNC_OTHERS_SECONDS = whole("SYNC_OTHERS_SECONDS", 1800, least=10, most=86_400)
SYNC_CREDITS_SECONDS = whole("SYNC_CREDITS_SECONDS", 300, least=10, most=86_400)

# --- what it is made of ----------------------------------------------------------------------------

INSTALLED_APPS = [
    "dashboard.apps.DashboardConfig",
    "orgadmin.accounts",
    "orgadmin.audit",
    "orgadmin.inventory",
    "orgadmin.usage",
    "orgadmin.catalog",
    "orgadmin.jobs",
    "orgadmin.keys",
    "orgadmin.guardrails",
    "orgadmin.members",
    "orgadmin.observability",
    "orgadmin.presets",
    "orgadmin.workspaces",
    "orgadmin.byok",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "csp",
]

MIDDLEWARE = [
    # First: a load balancer's probe has no session, no allowed host name and no TLS.
    "dashboard.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "dashboard.middleware.CompressionMiddleware",
    "csp.middleware.CSPMiddleware",
    # Before anything reads what was sent.
    "dashboard.charset.CharsetMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "dashboard.middleware.PrivatePagesMiddleware",
    "dashboard.middleware.OpenRouterErrorMiddleware",
]

ROOT_URLCONF = "dashboard.urls"
WSGI_APPLICATION = "dashboard.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "dashboard.jinja.environment",
            "context_processors": ["dashboard.jinja.frame"],
        },
    },
    {
        # Packages (allauth) bring templates of their own; ours override them by name.
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates" / "packages"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- data ------------------------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": dict(
        dj_database_url.parse(secret("DATABASE_URL", f"sqlite:///{DATA_DIR / 'dashboard.sqlite3'}"))
    ),
}
_database = DATABASES["default"]
_database["CONN_MAX_AGE"] = 0
if _database["ENGINE"].endswith("sqlite3"):
    # Measured with six writers: without these four, most writes fail with "database is locked".
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000; "
        "PRAGMA temp_store=MEMORY;",
    }
    _database["CONN_MAX_AGE"] = None
else:
    _database.setdefault("OPTIONS", {})["pool"] = {
        "min_size": 1,
        "max_size": whole("DATABASE_POOL", 12, least=2, most=200),
    }
    # Pages ask short questions: to start workers for one, or to compile it, takes longer than to answer it.
    # DATABASE_URL may say otherwise (?options=…).
    _database["OPTIONS"].setdefault("options", "-c max_parallel_workers_per_gather=0 -c jit=off")

CELERY_BROKER_URL = secret("CELERY_BROKER_URL", f"redis+socket://{DATA_DIR / 'run' / 'valkey.sock'}")
_cache_url = secret("CACHE_URL", "")
if not _cache_url and CELERY_BROKER_URL.startswith("redis"):
    _cache_url = CELERY_BROKER_URL.replace("redis+socket://", "unix://")
CACHES: dict[str, dict[str, Any]]
if _cache_url.startswith("locmem"):
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
elif _cache_url:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": _cache_url,
            "KEY_PREFIX": "dashboard",
        }
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}

# --- background work -------------------------------------------------------------------------------

CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A page that rings the bell must not hang on a dead broker: the sweep rings again.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        "visibility_timeout": 3600,
        "unacked_restore_limit": 100,
        "socket_connect_timeout": 2,
        # One try is enough for whoever rings.
        "max_retries": 0,
    }
    if CELERY_BROKER_URL.startswith("redis")
    else {}
)
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
# How often the clock looks for work that is due; the intervals themselves are above.
SWEEP_SECONDS = whole("SWEEP_SECONDS", 15, least=1, most=300)

# --- people ----------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
# A sign-in lasts SESSION_HOURS, whether or not a box is ticked.
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_ADAPTER = "orgadmin.accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_SIGNUP_FORM_CLASS = "orgadmin.connections.forms.SignUpForm"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
# An address added with a stolen session would reset the password, and so pass every other proof.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _public.scheme
MFA_ADAPTER = "orgadmin.accounts.adapters.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "OpenRouter dashboard"
INVITATION_DAYS = 7

_email_url = secret("EMAIL_URL", "")
EMAIL_CONFIG = dj_email_url.parse(_email_url) if _email_url else {"EMAIL_BACKEND": "dashboard.mail.NoMail"}
# Without mail nobody could prove an address: people invited by a link come in unproven, and the member role,
# which goes by the proven address, shows them no keys.
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if _email_url else "none"
globals().update(
    {key: value for key, value in EMAIL_CONFIG.items() if key.startswith("EMAIL_") and value is not None}
)
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", f"OpenRouter dashboard <dashboard@{_public.hostname}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- safety ----------------------------------------------------------------------------------------

SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS_ONLY
SECURE_HSTS_PRELOAD = HTTPS_ONLY
SECURE_REFERRER_POLICY = "same-origin"
if env.bool("TRUST_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # allauth throttles by address: one proxy in front means the last hop is the client.
    ALLAUTH_TRUSTED_PROXY_COUNT = 1
SESSION_ENGINE = "orgadmin.accounts.sessions"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS_ONLY
SESSION_COOKIE_AGE = whole("SESSION_HOURS", 24 * 7, least=1, most=24 * 90) * 3600
SESSION_COOKIE_NAME = "dashboard_session"
CSRF_COOKIE_NAME = "dashboard_csrf"
# Pages carry the token themselves; no script needs the cookie.
CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
# A selection of one full page is 50 fields; the rest is room for filters.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        # What tries patterns in the editor of a guardrail, so that it can be ended.
        "worker-src": [SELF],
        "style-src": [SELF],
        "connect-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- words, time, files ----------------------------------------------------------------------------

LANGUAGE_CODE = "en"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "dashboard.assets.Storage"},
}

LOG_FORMAT = env.str("LOG_FORMAT", "console")
if LOG_FORMAT not in {"console", "json"}:
    raise ImproperlyConfigured("LOG_FORMAT must be console or json")
LOGGING_CONFIG = "dashboard.logs.configure"
LOGGING = {"level": env.log_level("LOG_LEVEL", logging.INFO), "format": LOG_FORMAT}
