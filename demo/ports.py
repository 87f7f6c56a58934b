"""Ports of 127.0.0.1: a free one, and whether somebody listens at one."""

from __future__ import annotations

import itertools
import os
import socket

from demo.child import ChildFailed

# Below the kernel's range for outgoing connections, so that no client takes a port while its server restarts.
_PORTS = range(20_000, 32_000)
_APART = 7417  # ports between where processes with neighbouring ids begin to look: the golden section of all

_asked = itertools.count()


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on now.

    Who asks listens there a moment later at best. So that nobody else is given it meanwhile, each process goes through
    the ports from a place of its own, and comes to none of them again before it has been through all.
    """
    for _ in range(200):
        port = _PORTS[(os.getpid() * _APART + next(_asked)) % len(_PORTS)]
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ChildFailed("none of 200 ports tried on 127.0.0.1 is free")


def listens(port: int) -> bool:
    """Whether somebody accepts connections on 127.0.0.1 at this port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
