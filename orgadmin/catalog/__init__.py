"""What OpenRouter sells: models, who serves them, what they cost, and what of that changed."""
