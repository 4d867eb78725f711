"""The types of observability destinations and what each is told: data, and nothing else.

Forms are made from this table, and what the mirror hides is decided by it. The source is OpenRouter's API
description and its guides (FACTS 2.6); which settings are secrets, nobody says upstream: that is our reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

HEADERS = "headers"


@dataclass(frozen=True)
class Setting:
    """One key of a destination's config. ``name`` is OpenRouter's spelling.

    ``secret`` ones are written and never read again. ``default`` is what OpenRouter takes where none is said,
    ``choices`` are all there are, ``pattern`` must match the whole. ``carries_token``: an address whose very
    path may be the secret, so only its host is shown.
    """

    name: str
    label: str
    help: str = ""
    required: bool = False
    secret: bool = False
    example: str = ""
    default: str = ""
    choices: tuple[str, ...] = ()
    pattern: str = ""
    longest: int = 2000
    carries_token: bool = False

    @property
    def is_write_only(self) -> bool:
        return self.secret or self.carries_token


@dataclass(frozen=True)
class DestinationType:
    """``name`` is OpenRouter's, ``label`` what people call it, ``about`` what is to be known before."""

    name: str
    label: str
    settings: tuple[Setting, ...]
    about: str = ""

    def setting(self, name: str) -> Setting | None:
        return next((one for one in self.settings if one.name == name), None)


def _secret(name: str, label: str, words: str = "", *, example: str = "", required: bool = True) -> Setting:
    return Setting(name, label, words, required=required, secret=True, example=example)


def _needed(name: str, label: str, words: str = "", *, example: str = "") -> Setting:
    return Setting(name, label, words, required=True, example=example)


def _given(name: str, label: str, default: str, words: str = "") -> Setting:
    return Setting(name, label, words, default=default)


_ALL = (
    DestinationType("arize", "Arize AX", (
        _secret("apiKey", "API key"),
        _secret("spaceKey", "Space key"),
        _needed("modelId", "Project", "The name of the tracing project in Arize AX.", example="my-project"),
        _given("baseUrl", "Base URL", "https://otlp.arize.com"),
    )),
    DestinationType("braintrust", "Braintrust", (
        _secret("apiKey", "API key"),
        _needed("projectId", "Project id"),
        _given("baseUrl", "Base URL", "https://api.braintrust.dev"),
    )),
    DestinationType("clickhouse", "ClickHouse", (
        _needed("host", "Host", "The full HTTP(S) address with its port.",
                example="https://clickhouse.example.com:8443"),
        _needed("database", "Database", example="default"),
        _needed("username", "User name", "“default” where you have set none.", example="default"),
        _secret("password", "Password"),
        _given("table", "Table", "OPENROUTER_TRACES"),
    ), "The table must exist before the first trace arrives."),
    DestinationType("datadog", "Datadog", (
        _secret("apiKey", "API key", "It needs the permissions of LLM Observability."),
        _needed("mlApp", "Application", "What your application is called in LLM Observability.",
                example="support-bot"),
        _given("url", "API URL", "https://api.us5.datadoghq.com",
               "That of your region, such as https://api.datadoghq.com or https://api.datadoghq.eu."),
    )),
    DestinationType("grafana", "Grafana Cloud", (
        _secret("apiKey", "API token", "With the scope traces:write.", example="glc_…"),
        _needed("instanceId", "Instance id", "A number.", example="123456"),
        _given("baseUrl", "OTLP gateway", "https://otlp-gateway-prod-us-west-0.grafana.net"),
    )),
    DestinationType("langfuse", "Langfuse", (
        _secret("secretKey", "Secret key", example="sk-lf-…"),
        _secret("publicKey", "Public key", "OpenRouter shows only its ends, too.", example="pk-lf-…"),
        _given("baseUrl", "Base URL", "https://us.cloud.langfuse.com"),
    )),
    DestinationType("langsmith", "LangSmith", (
        _secret("apiKey", "API key"),
        _given("endpoint", "Endpoint", "https://api.smith.langchain.com"),
        _given("project", "Project", "main"),
        Setting("workspaceId", "LangSmith workspace id",
                "Only for keys of an organization: it is in LangSmith's workspace settings."),
    )),
    DestinationType("newrelic", "New Relic", (
        _secret("licenseKey", "License key"),
        Setting("region", "Region", default="us", choices=("us", "eu")),
    )),
    DestinationType("opik", "Comet Opik", (
        _secret("apiKey", "API key"),
        _needed("workspace", "Opik workspace"),
        _needed("projectName", "Project"),
    )),
    DestinationType("otel-collector", "OpenTelemetry Collector", (
        _needed("endpoint", "Endpoint", "OTLP over HTTP as JSON; it usually ends in /v1/traces.",
                example="https://otel.example.com/v1/traces"),
    ), "What it needs to let OpenRouter in goes into the headers."),
    DestinationType("posthog", "PostHog", (
        _secret("apiKey", "Project API key", example="phc_…"),
        _given("endpoint", "Endpoint", "https://us.i.posthog.com"),
    )),
    DestinationType("ramp", "Ramp", (
        _secret("apiKey", "API key", "From the settings of Ramp's integration."),
        _given("baseUrl", "Base URL", "https://api.ramp.com/developer/v1/ai-usage/openrouter"),
    )),
    DestinationType("s3", "S3 and compatible stores", (
        _needed("bucketName", "Bucket"),
        Setting("region", "Region", example="eu-central-1"),
        _secret("accessKeyId", "Access key id", example="AKIA…"),
        _secret("secretAccessKey", "Secret access key"),
        _secret("sessionToken", "Session token", required=False),
        Setting("endpoint", "Endpoint", "Only for stores that speak S3 and are not AWS.",
                example="https://account-id.r2.cloudflarestorage.com",
                pattern=r"[a-zA-Z][a-zA-Z0-9+.-]*:\S+"),
        _given("prefix", "Prefix", "openrouter-traces"),
        _given("pathTemplate", "Path", "{prefix}/{date}",
               "From {prefix}, {date}, {year}, {month}, {day} and {apiKeyName}; the file name, "
               "{traceId}-{timestamp}.json, follows by itself."),
    )),
    DestinationType("sentry", "Sentry", (
        _needed("otlpEndpoint", "OTLP endpoint"),
        Setting("dsn", "DSN", "Both are needed, the endpoint and the DSN.", required=True, secret=True,
                example="https://key@o0.ingest.sentry.io/42",
                pattern=r"https://([^:@]+)(?::[^@]*)?@([^/]+)(?:/[^/]+)*/(\d+)/?"),
    )),
    DestinationType("snowflake", "Snowflake", (
        Setting("account", "Account", required=True, example="eac52885.us-east-1",
                pattern=r"[a-zA-Z0-9_]+(?:[.-][a-zA-Z0-9_]+)*", longest=255),
        _secret("token", "Programmatic access token"),
        _given("database", "Database", "SNOWFLAKE_LEARNING_DB"),
        _given("schema", "Schema", "PUBLIC"),
        _given("table", "Table", "OPENROUTER_TRACES"),
        _given("warehouse", "Warehouse", "COMPUTE_WH"),
    )),
    DestinationType("weave", "W&B Weave", (
        _secret("apiKey", "API key"),
        _needed("entity", "Entity"),
        _needed("project", "Project"),
        _given("baseUrl", "Base URL", "https://trace.wandb.ai"),
    )),
    DestinationType("webhook", "Webhook", (
        Setting("url", "URL", "Takes OTLP as JSON. Many such addresses are secrets: only its host is shown.",
                required=True, example="https://example.com/traces", carries_token=True),
        Setting("method", "Method", default="POST", choices=("POST", "PUT")),
    )),
)  # fmt: skip
TYPES: Mapping[str, DestinationType] = {one.name: one for one in _ALL}


def label_of(name: str) -> str:
    """What people call a type; OpenRouter's word for one that we have not heard of."""
    return TYPES[name].label if name in TYPES else name
