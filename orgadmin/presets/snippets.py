"""A preset as code to be copied: with curl, with OpenRouter's SDK for Python, with that for TypeScript. No
key stands in it: it names the environment variable that holds one."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from orgadmin.presets.bodies import CHAT, as_request, pretty, readable

OPENROUTER = "https://openrouter.ai/api/v1"


@dataclass(frozen=True)
class Snippet:
    """``id`` names it on the page."""

    id: str
    label: str
    text: str


def using(base_url: str, slug: str) -> list[Snippet]:
    """How to call a model by the preset."""
    model = f"@preset/{slug}"
    return [
        Snippet("use-curl", "curl", _curl(f"{base_url}/chat/completions", _question(model))),
        Snippet("use-python", "Python SDK", _python(base_url, model)),
        Snippet("use-typescript", "TypeScript SDK", _typescript(base_url, model)),
    ]


def making(base_url: str, slug: str, config: Mapping[str, Any], prompt: str | None) -> Snippet:
    """How to make this very version again, as a new one."""
    address = f"{base_url}/presets/{quote(slug, safe='')}/{CHAT}"
    return Snippet("make-curl", "Make it again with curl", _curl(address, as_request(config, prompt)))


def _question(model: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "Hello"}]}


def _curl(address: str, body: Mapping[str, Any]) -> str:
    return (
        f"curl {shlex.quote(address)} \\\n"
        '  -H "Authorization: Bearer $OPENROUTER_API_KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(pretty(body))}"
    )


def _python(base_url: str, model: str) -> str:
    server = "" if base_url == OPENROUTER else f", server_url={readable(base_url)}"
    return (
        "import os\n\n"
        "from openrouter import OpenRouter\n\n"
        f'with OpenRouter(api_key=os.environ["OPENROUTER_API_KEY"]{server}) as client:\n'
        "    answer = client.chat.send(\n"
        f"        model={readable(model)},\n"
        '        messages=[{"role": "user", "content": "Hello"}],\n'
        "    )\n"
        "    print(answer.choices[0].message.content)"
    )


def _typescript(base_url: str, model: str) -> str:
    server = "" if base_url == OPENROUTER else f"  serverURL: {readable(base_url)},\n"
    return (
        'import { OpenRouter } from "@openrouter/sdk";\n\n'
        "const client = new OpenRouter({\n"
        "  apiKey: process.env.OPENROUTER_API_KEY,\n"
        f"{server}"
        "});\n\n"
        "const answer = await client.chat.send({\n"
        "  chatRequest: {\n"
        f"    model: {readable(model)},\n"
        '    messages: [{ role: "user", content: "Hello" }],\n'
        "  },\n"
        "});\n\n"
        "console.log(answer.choices[0]?.message.content);"
    )
