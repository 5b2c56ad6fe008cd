"""Starts the quiet Box and a server as the bench does, prints its processes, and waits to be stopped."""

import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.speed.box import Box
from benchmarks.speed.peers import IMPORTED
from benchmarks.speed.servers import Server

with tempfile.TemporaryDirectory() as folder:
    box = Box(Path(folder))
    server = Server(IMPORTED, box, "http", Path(folder))
    server.wait()
    print(json.dumps([box.process.pid, *server.processes]), flush=True)
    time.sleep(float(sys.argv[1]))
