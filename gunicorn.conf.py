"""How gunicorn serves the app: `gunicorn`, with nothing else, starts it here. For development there is `flask run`.

It listens where CALLBACK_HOSTNAME and CALLBACK_PORT say, or at PORT, which platforms set. What is set here gives way to
gunicorn's own options, for instance `gunicorn --workers 4`. With files, all workers must be on one machine; with
REDIS_URL they may be on many. With LOG_FORMAT=json its log is JSON, too, and its line of each request makes way for
the app's own.
"""

import gc

gc.disable()  # while all of this is imported: nothing of it is garbage

import logging
import os
import sys

import filelock  # noqa: F401 - once for all workers, or the first refresh of each would wait 10 ms for it
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from box_auth.config import read, serving_address
from box_auth.demo import say_start
from box_auth.errors import ConfigError
from box_auth.flask.run import check_address
from box_auth.json_lines import JsonLines
from box_auth.logs import printable

gc.freeze()  # workers need not look through it, and so share it with this process: a sixth of the memory of two
gc.enable()

try:
    _values = read()
except ConfigError:  # the app itself says what is wrong, on a page
    _values = {name: value for name, value in os.environ.items() if value}
try:
    _host, _port = serving_address(_values)
except ConfigError as error:
    sys.exit(error.mistakes[0])
if "PORT" in _values:  # so that the app knows where Box's answer arrives
    os.environ.update(CALLBACK_HOSTNAME=_host, CALLBACK_PORT=str(_port))
_JSON = _values.get("LOG_FORMAT") == "json"

wsgi_app = "app:app"
bind = f"[{_host}]:{_port}" if ":" in _host else f"{_host}:{_port}"


def on_starting(server):
    """Say what to change if the port is taken; gunicorn itself would try five times, and name no setting."""
    inherited = server.master_pid or "LISTEN_FDS" in os.environ or server.cfg.reuse_port  # ports that it may share
    for address in [] if inherited else server.cfg.address:
        if isinstance(address, tuple):  # no path of a Unix socket
            check_address(*address)


def post_worker_init(worker):
    """Say once, when the first worker has loaded the app, what was started; leave out of collections what is loaded."""
    gc.freeze()
    box = getattr(worker.wsgi, "extensions", {}).get("box_auth")
    if worker.age == 1 and box and box.opened:
        say_start(box.demo, f"gunicorn on {', '.join(map(str, worker.sockets))}", box.kept_in)


class Worker(ThreadWorker):
    """Closes its ports as soon as it is told to stop: a connection that came then would get no answer."""

    def set_accept_enabled(self, enabled):
        super().set_accept_enabled(enabled)
        if not enabled and not self.alive:
            for listener in self.sockets:
                listener.close()


worker_class = Worker
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)  # about one a core
threads = 32  # a page mostly waits for Box: what limits pages a second when that is slow (benchmarks/README.md)
timeout = 60  # seconds before a worker that stands still is replaced; a page that waits for Box does not count
graceful_timeout = 60  # seconds for what is under way when it is to stop: pages, uploads, refreshes, which may take 40

limit_request_field_size = 32768  # bytes: forty sign-ins under way are as many cookies; too much gets a bare 400

forwarded_allow_ips = ""  # X-Forwarded-* count only where TRUSTED_PROXIES says so
control_socket_disable = True  # nothing outside this folder
_memory = "/dev/shm"  # noqa: S108 (gunicorn makes up the name of its file there)
worker_tmp_dir = _memory if os.access(_memory, os.W_OK) else None  # each worker's sign of life: a slow disk ends none


class _Discreet(Logger):
    """Logs paths as they came (%0A forges no line) and without the query, where Box's login codes are."""

    def setup(self, cfg):
        super().setup(cfg)
        if _JSON:
            for handler in self.error_log.handlers + self.access_log.handlers:
                handler.setFormatter(JsonLines())
            requests = logging.getLogger("box_auth.requests")
            requests.handlers, requests.propagate = list(self.access_log.handlers), False

    def access(self, *request):
        if not _JSON:
            super().access(*request)

    def atoms(self, resp, req, environ, request_time):
        path = environ.get("RAW_URI", "").partition("?")[0]
        return {**super().atoms(resp, req, environ, request_time), "U": printable(path)}


logger_class = _Discreet
accesslog = "-"
access_log_format = '%(h)s %(t)s %(p)s "%(m)s %(U)s %(H)s" %(s)s %(b)s %(M)sms'
