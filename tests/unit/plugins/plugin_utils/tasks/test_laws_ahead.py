# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host at the end of a long line is read side by side, and looks the same as one that is near."""

from __future__ import annotations

import contextlib
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import AccessDenied, ConnectionLost
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement import noticed
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy import baselines
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import SIDES, protocol_key
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Value, dword
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks.audit import Audit
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._wire.overlap import Overlap, Read
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._wire.soap import Request
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.laws import examples

from .. import policies
from ..fakes import Call, FakeWindows, Trouble
from .test_laws import CONTENT

POLICIES = st.sampled_from([*baselines.names(), "everything"])


class FarWindows(FakeWindows):
    """The same host over a long line: what is announced is read at once, over other logins as well."""

    side_by_side: Overlap | None = None
    turn = threading.Lock()

    @contextlib.contextmanager
    def overlapping(self, _logins: int) -> Iterator[None]:
        self.side_by_side = Overlap(self._own, lambda: self, lambda _login, read: self._own(read))  # type: ignore[arg-type, return-value]
        yield
        self.side_by_side = None

    def _own(self, read: Read) -> ET.Element:
        with self.turn:
            return super().call(read.request, doing=read.doing, repeatable=True)

    def ahead(self, reads: Iterable[Read]) -> None:
        assert self.side_by_side is not None
        self.side_by_side.fetch(reads)

    def call(self, request: Request, *, doing: str, repeatable: bool) -> ET.Element:
        if self.side_by_side is not None and (found := self.side_by_side.take(request)) is not None:
            return found
        return super().call(request, doing=doing, repeatable=repeatable)


def audited(windows: FakeWindows, wanted: str) -> Audit:
    if wanted == "everything":
        asked: dict[str, Any] = {
            "cipher_suites": ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"],
            "ciphers": {"RC4 128/128": "disabled"},
        }
        return policies.audited(windows, policies.policy({"TLS 1.2": "enabled"}, baseline="exchange_tls12", **asked))
    return policies.audited(windows, policies.policy(baseline=wanted))


def test_a_far_host_is_waited_for_as_seldom_as_can_be() -> None:
    """Three answers tell how long the line is. From then on there are rounds, and no read between them."""
    waits = [0]  # reads that are waited for one after the other, before each round and after the last

    class Counting(FarWindows):
        def ahead(self, reads: Iterable[Read]) -> None:
            if many := list(reads):
                waits.append(0)
                super().ahead(many)

        def call(self, request: Request, *, doing: str, repeatable: bool) -> ET.Element:
            before = len(self.calls)
            found = super().call(request, doing=doing, repeatable=repeatable)
            waits[-1] += len(self.calls) - before
            return found

    # nothing of .NET is set, and Windows lists no default value
    audited(Counting({**FULL, **{key: {} for key in DOTNET}}), "exchange_tls12")
    assert waits[0] == 3
    assert not any(waits[1:])
    assert len(waits) <= 8


def asked(windows: FakeWindows) -> set[tuple[str, str, str | None]]:
    return {(call.method, call.key.lower(), call.name) for call in windows.calls}


@examples(60)
@given(CONTENT, POLICIES)
def test_a_far_host_looks_the_same(content: dict[str, dict[str, Value]], wanted: str) -> None:
    near, far = FakeWindows(content), FarWindows(content)
    expected, found = audited(near, wanted), audited(far, wanted)
    assert found.snapshot == expected.snapshot
    assert found.findings == expected.findings
    assert asked(near) <= asked(far)
    assert len(far.calls) == len(asked(far)), "nothing is read twice"
    assert len(asked(far) - asked(near)) <= 25, (
        "and little that nobody wants: of keys that turn out to be missing, or .NET that is set"
    )


# So many reads, or some fewer, make an audit of FULL.
PLACES = 45
FULL: dict[str, dict[str, Value]] = {
    protocol_key(protocol, side): {"Enabled": dword(1), "DisabledByDefault": dword(0)}
    for protocol in ("TLS 1.0", "TLS 1.2", "TLS 1,2")
    for side in SIDES
}


DOTNET = [rule.setting.key for rule in baselines.load("exchange_tls12").rules if noticed.is_dotnet(rule)]


def outcome(windows: FakeWindows) -> Any:
    try:
        found = audited(windows, "exchange_tls12")
    except (AccessDenied, ConnectionLost) as exc:
        return exc.message
    return found.findings, {place: failure.message for place, failure in found.failures.items()}


@pytest.mark.parametrize("error", [AccessDenied("no right"), ConnectionLost("gone")])
@pytest.mark.parametrize("number", range(PLACES))
def test_a_read_that_fails_does_so_for_whoever_asks(number: int, error: Exception) -> None:
    """However it is read; the session of this fake repeats nothing."""
    places = asked_by(FakeWindows(FULL))
    assert len(places) <= PLACES
    place = sorted(places, key=str)[number % len(places)]

    def trouble(call: Call) -> Trouble | None:
        return Trouble(error=error) if (call.method, call.key.lower(), call.name) == place else None

    near, far = FakeWindows(FULL), FarWindows(FULL)
    near.trouble = far.trouble = trouble
    assert outcome(far) == outcome(near)


def asked_by(windows: FakeWindows) -> set[tuple[str, str, str | None]]:
    audited(windows, "exchange_tls12")
    return asked(windows)
