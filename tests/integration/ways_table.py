# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of ways in that `make pages` writes into its guide, from the cases of the tests."""

from __future__ import annotations

import importlib
import typing as t

from tests.pages.parts import Part, list_table

from .ways import CONNECTIONS

# Tests that go through CASES, each with a way and an outcome.
SHOWN_BY = (
    ("tests.integration.test_connection", "test_how_the_task_ends_and_what_it_says"),
    ("tests.integration.test_ways_in", "test_how_the_task_ends_and_what_it_says"),
    ("tests.integration.test_kerberos", "test_ways_to_log_in"),
    ("tests.unit.plugins.plugin_utils.transport.test_addresses", "test_an_ipv6_address_arrives"),
)
OUTCOMES = {
    "ok": "works",
    "unreachable": "refused, and told why",
    "failed": "refused, and told why",
    "arrives": "the address arrives where connections are made; none was",
}
NOT_TRIED = {
    "A real Windows": "nobody here has one; the hosts are those of ``tests/lab``",
    "A listener with an IPv6 address": "the lab listens on 127.0.0.0/8 only; a plain socket of IPv6 was reached",
    "CbtHardeningLevel=Relaxed": "the lab knows None and Strict, and Relaxed refuses less than Strict",
    "Certificate of a client over TLS 1.3": "the lab asks for it in the handshake; when Windows asks is not known here",
    "CredSSP with Kerberos inside": "the lab's side of CredSSP is a proof of concept of pyspnego's, tried with NTLM",
    "A proxy that wants NTLM or Kerberos": "requests, with which both plugins send, logs in to proxies by Basic",
    "SOCKS proxies": "they need a library (PySocks) that neither plugin asks for",
}


def rows() -> t.Iterator[tuple[str, ...]]:
    """Way, winrm, psrp, and what shows it or why nothing does."""
    for module, name in SHOWN_BY:
        test = getattr(importlib.import_module(module), name)
        parameters = {mark.args[0]: mark.args[1] for mark in test.pytestmark if mark.name == "parametrize"}
        cases = importlib.import_module(module).CASES
        for case in parameters["name"]:
            if cases[case].way:
                outcome = OUTCOMES[cases[case].outcome]
                how = [outcome if connection in parameters["connection"] else "" for connection in CONNECTIONS]
                yield cases[case].way, *how, f"``{case}`` in ``{module.rpartition('.')[2]}.py``"
    for way, why in NOT_TRIED.items():
        yield way, *("not tried" for _dummy in CONNECTIONS), why


def table() -> str:
    """The table as reStructuredText."""
    return list_table((36, 18, 18, 28), [("way in", *CONNECTIONS, "shown by, or why not"), *rows()])


PART = Part("guide_ways_in", table)
