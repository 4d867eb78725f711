"""What can be used and what it costs: the models, who serves them, which guardrails allow them."""
