"""The names of an invented organization, its people and what they call their keys."""

from __future__ import annotations

from typing import NamedTuple

ORGANIZATION = "Acme Research"
DOMAIN = "acme-research.example"

WORKSPACES = (
    ("Default", "default", None),
    ("Production", "production", "Everything customers touch"),
    ("Research", "research", "Experiments and evaluations"),
    ("Platform", "platform", "Shared services and internal tools"),
    ("Support", "support", "Assistants for the help desk"),
    ("Sandbox", "sandbox", "Play here; nothing is kept"),
    ("Data & Analytics", "data-analytics", "Enrichment, labelling, reports"),
    ("Vertrieb Süd", "vertrieb-sued", "Angebote und Übersetzungen"),
    ("Mobile", "mobile", None),
    ("Security", "security", "Red team and review"),
)

PEOPLE = (
    ("Ada", "Okonkwo"), ("Mateo", "Lindqvist"), ("Priya", "Raghunathan"), ("Jonas", "Weißenfels"),
    ("Mei", "Tanaka"), ("Zoë", "van der Berg"), ("Liam", "O’Rourke"), ("Fatima", "El Amrani"),
    ("Søren", "Kjærgaard"), ("Chloé", "Dubreuil"), ("Tomasz", "Wiśniewski"), ("Aisha", "Balogun"),
    ("Kenji", "Morimoto"), ("Elif", "Yıldız"), ("Noah", "Feldmann"), ("Inés", "Carrasco"),
    ("Olga", "Petrenko"), ("Ravi", "Subramaniam"), ("Hanna", "Järvinen"), ("Dmitri", "Sokolov"),
    ("Amara", "Diallo"), ("Björn", "Halvorsen"), ("Lucía", "Peralta"), ("Owen", "Gethin"),
    ("Yuki", "Hasegawa"), ("Nadia", "Haddad"), ("Piotr", "Zieliński"), ("Maya", "Goldblum"),
    ("Thuy", "Nguyen"), ("Gabriel", "Almeida"), ("Freya", "Ashworth"), ("Ibrahim", "Kaya"),
)  # fmt: skip

NAMELESS = (("Wren", None), (None, None))
"""People who gave the service one name, or none."""

SERVICES = (
    "api-gateway", "checkout-assistant", "search-rerank", "ticket-triage", "doc-summarizer", "sql-copilot",
    "code-review-bot", "release-notes", "onboarding-guide", "invoice-extractor", "moderation", "translation",
    "meeting-notes", "lead-scoring", "faq-writer", "log-explainer", "eval-harness", "rag-ingest",
    "synthetic-data", "alt-text", "contract-reader", "churn-analysis", "voice-agent", "email-drafts",
    "knowledge-base", "incident-scribe", "survey-coder", "prompt-lab", "agent-runner", "batch-labels",
)  # fmt: skip
STAGES = ("prod", "staging", "dev", "eu", "us-east", "canary", "nightly", "load test", "v2", "backfill")
TOOLS = ("laptop", "notebook", "CLI", "VS Code", "playground", "Zed", "scratch")

NOTABLE = (
    "prod-api", "Prod API", "prod_api", "prod-api ", "Übersetzer – Produktion", "研究ノート",
    "Clé de démo 🔬", "CI", "CI", "CI (old)", "test", "test", "Überwachung & Alarm <intern>",
    "data/nightly-batch", "Zoë’s laptop",
    "агент-поддержки", "O'Rourke \"quick\" fix", "billing; do not touch", "=SUM(team)", "مساعد الدعم",
    "a-very-long-key-name-that-somebody-generated-from-a-terraform-module-and-never-shortened-production-eu-west",
)  # fmt: skip
"""Names that break careless pages: near-duplicates, equal ones, other scripts, quotes, markup, formulas."""


class App(NamedTuple):
    """A program that names itself in its requests; `title` is None when it gives an address only."""

    id: int
    title: str | None
    origin: str


APPS = (
    App(40_117, "Help desk", f"https://helpdesk.{DOMAIN}"),
    App(40_342, "Acme notebooks", f"https://notebooks.{DOMAIN}"),
    App(41_008, "Nightly evaluations", f"https://evals.{DOMAIN}"),
    App(41_555, None, f"https://intern.{DOMAIN}"),
    App(42_901, "Übersetzer", f"https://translate.{DOMAIN}"),
)
CHAT_ROOM = App(1, "OpenRouter: Chatroom", "https://openrouter.ai/")
COUNTRIES = (("DE", 34.0), ("US", 26.0), ("SE", 9.0), ("IN", 9.0), ("JP", 7.0), ("BR", 6.0), ("NL", 5.0))
