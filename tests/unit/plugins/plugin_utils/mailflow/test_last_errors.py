# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of queues in their recorded forms."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow import last_errors
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow.last_errors import LastError
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.laws import examples

DROPPED = "451 4.4.397 Error communicating with target host. -> 421 4.4.2 Connection dropped due to SocketError"
CODES = ("451 4.4.397", "421 4.4.2")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", LastError("")),
        (DROPPED, LastError(DROPPED, CODES)),
        (
            f"[{{LED={DROPPED}}};{{MSG=}};{{FQDN=relay.example}};{{IP=192.0.2.4}};{{LRT=15-01-21 09:12:44}}]",
            LastError(DROPPED, CODES, "relay.example", "192.0.2.4", "15-01-21 09:12:44", in_braces=True),
        ),
        (
            f"{{[{{LRT=}};{{LED={DROPPED}; \"a\" 'b'}};{{FQDN=}};{{IP=}}]}}",
            LastError(f"{DROPPED}; \"a\" 'b'", CODES, in_braces=True),
        ),
        # parts that were lost on the way
        (
            f"[{{LED={DROPPED}}};{{MSG=}};relay.example}};{{IP=2001:db8::7:25}};{{LRT=1/2/2026 1:02:03 AM}}",
            LastError(DROPPED, CODES, None, "2001:db8::7:25", "1/2/2026 1:02:03 AM", in_braces=True),
        ),
        ("[{LED=a {b} [c]};{MSG=}]", LastError("a {b} [c]", in_braces=True)),
        ("[{LED=a {b", LastError("a {b", in_braces=True)),
        # no error, and one that stands in the other place
        ("[{LED=};{MSG=};{FQDN=a.example};{IP=};{LRT=}]", LastError("", (), "a.example", in_braces=True)),
        (f"[{{LED=}};{{MSG={DROPPED}}};{{FQDN=}}]", LastError(DROPPED, CODES, in_braces=True)),
        ("[{MSG=};{FQDN=}]", LastError("[{MSG=};{FQDN=}]", in_braces=True)),
        (
            "450 4.4.317 No [Message=x] [LastAttemptedServerName=mx.example] [LastAttemptedIP=192.0.2.9:25]",
            LastError(
                "450 4.4.317 No [Message=x] [LastAttemptedServerName=mx.example] [LastAttemptedIP=192.0.2.9:25]",
                ("450 4.4.317",), "mx.example", "192.0.2.9:25",
            ),
        ),
        (
            "451 4.4.0 Failed. The last endpoint attempted was 192.0.2.9:25'.",
            LastError(
                "451 4.4.0 Failed. The last endpoint attempted was 192.0.2.9:25'.", ("451 4.4.0",), None, "192.0.2.9:25"
            ),
        ),
        (
            "421 4.2.1 Unable to connect ->\n  SocketError: Winsock error code: 10051",
            LastError(
                "421 4.2.1 Unable to connect -> SocketError: Winsock error code: 10051", ("421 4.2.1",), winsock=10051
            ),
        ),
        ("550 5.2.3 to 10061 users", LastError("550 5.2.3 to 10061 users", ("550 5.2.3",))),
        ("Code d'erreur Winsock : 10060", LastError("Code d'erreur Winsock : 10060", winsock=10060)),
        # addresses, ports and versions are no codes
        ("4.4.2.1 to 10.4.4.2:10061 by 15.1.2507.6", LastError("4.4.2.1 to 10.4.4.2:10061 by 15.1.2507.6")),
        ('"451" 5.7.3 ilman', LastError('"451" 5.7.3 ilman', ("451 5.7.3",))),
        ("Fehler 4.4.0.", LastError("Fehler 4.4.0.", ("4.4.0",))),
    ],
)  # fmt: skip
def test_forms(text: str, found: LastError) -> None:
    assert last_errors.read(text) == found


@given(
    st.text(alphabet=st.characters(exclude_characters="{}[]", exclude_categories=["C", "Z"]), min_size=1),
    st.permutations(["FQDN=mx.example", "IP=2001:db8::1:25", "LRT=31.12.2026 23:59", "MSG="]),
    st.integers(0, 4),
)
@examples()
def test_the_error_is_found_wherever_it_is(error: str, others: list[str], place: int) -> None:
    parts = [*others[:place], f"LED={error}", *others[place:]]
    found = last_errors.read(f"[{';'.join(f'{{{part}}}' for part in parts)}]")
    assert (found.text, found.host, found.address, found.time) == (
        error.rstrip(";,") or found.text, "mx.example", "2001:db8::1:25", "31.12.2026 23:59",
    )  # fmt: skip


@given(st.text(alphabet="{}[];=LEDMSGFQNIPRT 4.2x\n", max_size=400))
@examples()
def test_any_text_gives_an_answer(text: str) -> None:
    found = last_errors.read(text)
    assert "\n" not in found.text
    assert bool(found.text) == bool(text.strip())


def test_no_more_than_so_much_is_looked_at() -> None:
    for piece in ("{LED=", "}", "{", "421 4.4.2 ", "[LastAttemptedIP=", "4.4.4."):
        whole = piece * last_errors.LONGEST
        assert last_errors.read(whole) == last_errors.read(whole[: last_errors.LONGEST])
