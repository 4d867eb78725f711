"""Real Celery workers, beat and brokers, and what is left of the work when they are killed."""
