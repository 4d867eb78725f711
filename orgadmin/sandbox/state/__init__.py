"""What the twin remembers. Nothing in here knows HTTP."""
