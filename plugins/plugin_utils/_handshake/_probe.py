# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""One probe: one connection, one ClientHello, the server's flight."""

from __future__ import annotations

import collections.abc as c
import contextlib
import os

from ._flight import FlightParser
from ._full import FullHandshaker
from ._hello import RANDOM_BYTES, client_hello
from ._wire import NoConnection, Stopped, Target, connect
from ._words import Answer, Ending, FullHandshake, Probe, TlsVersion


def say_hello(target: Target, version: TlsVersion, deadline: float) -> Probe:
    """What the server makes of a hello for this version. Never raises for what the network does."""
    try:
        wire = connect(target, deadline)
    except NoConnection as exc:
        talk = exc.talk
        return Probe(version, talk.answer, talk.evidence, address=exc.address, whole_endpoint=True)
    parser = FlightParser(version)
    try:
        # what a server said before it went is still to be read
        with contextlib.suppress(Stopped):
            wire.send(client_hello(version, target.sni, os.urandom(RANDOM_BYTES), os.urandom(RANDOM_BYTES)))
        try:
            while (flight := parser.feed(wire.receive())) is None:
                pass
        except Stopped as exc:
            flight = parser.end(exc.how)
    finally:
        wire.close()
    return Probe(version, flight.answer, flight.evidence, flight=flight, address=wire.address)


def complete(
    target: Target, hello: Probe, handshaker: FullHandshaker, deadline: c.Callable[[], float]
) -> FullHandshake:
    """A full handshake after a hello; ``deadline`` gives one for each connection that it takes."""
    try:
        # a server that refuses is not bothered (and its log not filled) more than once
        validate = hello.answer is Answer.ACCEPTED
        return handshaker.attempt(lambda: connect(target, deadline()), target.sni, validate=validate)
    except NoConnection as exc:
        stopped = Ending.TIMEOUT if exc.talk.answer is Answer.TIMEOUT else Ending.CLOSE
        return FullHandshake(completed=False, error=f"no connection for it: {exc.talk.evidence}", stopped=stopped)
