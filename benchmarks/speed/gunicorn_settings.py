"""The one server configuration of all apps: two workers of eight threads, nothing logged, connections kept.

Each answer names the process that made it (``X-Worker``), so that the load spreads evenly: a connection stays with the
worker that accepted it.


What an app has loaded is kept out of garbage collections, as the starter's own `gunicorn.conf.py` does.
"""

import gc
import os

from benchmarks.speed.processes import die_with_parent

workers = int(os.environ.get("BENCH_WORKERS", "2"))
threads = int(os.environ.get("BENCH_THREADS", "8"))
worker_class = "gthread"
keepalive = 75
timeout = 120
loglevel = "warning"
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def post_fork(server, worker):
    die_with_parent()


def post_worker_init(worker):
    gc.freeze()
    app, header = worker.wsgi, [("X-Worker", str(os.getpid()))]

    def named(environ, start_response):
        return app(environ, lambda status, headers, *more: start_response(status, headers + header, *more))

    worker.wsgi = named
