"""The web server's settings, under the supervisor and elsewhere:
``gunicorn --config python:dashboard.gunicorn --bind 0.0.0.0:8000 dashboard.wsgi:application``."""

from __future__ import annotations

from pathlib import Path

from dashboard.env import BASE_DIR, env, read_files, whole

read_files(Path(env.str("DATA_DIR", str(BASE_DIR / "var"))))

# Pages wait for the database and for OpenRouter, not for the processor: threads serve them well.
worker_class = "gthread"
workers = whole("WEB_PROCESSES", 1, least=1, most=64)
# The database pool (DATABASE_POOL) must have room for each thread and two more.
threads = whole("WEB_THREADS", 8, least=1, most=200)
# A web request may spend ten seconds on OpenRouter; one that takes six times that is lost.
timeout = 60
graceful_timeout = 10
keepalive = 5
accesslog = None
loglevel = "warning"
# It would put a socket into the home folder, shared by every gunicorn of this user.
control_socket_disable = True
# The heartbeat file must not lie on a disk that can stall; memory where there is some.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
