"""Starts Python programs in a tenth of the time, by forking a process that has imported the slow libraries already.

Each program gets arguments, folder, environment and standard streams of its own, and is a process like any other. It
imports all of the project itself. `programs.py` asks for programs over a socket: starter.py DESCRIPTOR.
"""

import importlib
import json
import os
import runpy
import signal
import socket
import sys

LIBRARIES = ("box_sdk_gen", "cryptography.fernet", "dotenv", "filelock", "flask.cli", "limits.strategies")
LIBRARIES += (
    "flask_session.base",
    "flask_wtf.csrf",
    "itsdangerous",
    "redis",
    "requests",
    "werkzeug.middleware.dispatcher",
    "werkzeug.serving",
)


def next_program(requests: socket.socket) -> dict:
    """Fork for each request, and return in the fork what it shall run; in the starter itself this never returns."""
    while True:
        message, descriptors, *_ = socket.recv_fds(requests, 1 << 20, 4)
        forget_the_dead()
        if not message:  # nobody is left to ask
            os._exit(0)
        while not message.endswith(b"\n"):
            message += requests.recv(1 << 20)
        if os.fork() == 0:
            requests.close()
            report_on_child(*descriptors)
            return json.loads(message)
        for descriptor in descriptors:
            os.close(descriptor)


def forget_the_dead() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def report_on_child(stdin: int, stdout: int, stderr: int, report: int) -> None:
    """Fork the program, and return in it; stay behind as its parent, to report its id and its status."""
    child = os.fork()
    if child:
        for stream in (stdin, stdout, stderr):
            os.close(stream)
        os.write(report, b"%d\n" % child)
        os.write(report, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        os._exit(0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate((stdin, stdout, stderr)):
        os.dup2(stream, number)
        os.close(stream)
    os.close(report)
    sys.stdin = sys.__stdin__ = os.fdopen(0)
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", buffering=1)
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", buffering=1, errors="backslashreplace")


def play(arguments: list[str], folder: str, environment: dict[str, str]) -> None:
    """Do what `python` does with these arguments: a script, -m and a module, or -c and code."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.orig_argv = [sys.executable, *arguments]
    if arguments[0] == "-m":
        sys.path[0], sys.argv = folder, arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    elif arguments[0] == "-c":
        sys.path[0], sys.argv = "", ["-c", *arguments[2:]]
        exec(compile(arguments[1], "<string>", "exec"), {"__name__": "__main__"})
    else:
        sys.path[0], sys.argv = os.path.join(folder, os.path.dirname(arguments[0])), arguments
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests; without them there are no more requests
    for library in LIBRARIES:
        importlib.import_module(library)
    play(**next_program(socket.socket(fileno=int(sys.argv[1]))))
