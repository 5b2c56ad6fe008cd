"""Whether this process may listen at an address."""

from __future__ import annotations

import errno
import os
import socket


def obstacle(host: str, port: int) -> str:
    """Return the code of the problem that keeps this process from listening there; an empty text if there is none."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            if os.name == "posix":  # as servers do: connections that ended a moment ago do not count
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except PermissionError:
        return "port_forbidden"
    except OSError as error:
        unknown = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
        return "address_unusable" if unknown else "port_taken"
    return ""
