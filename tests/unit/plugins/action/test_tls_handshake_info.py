# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin tls_handshake_info: options in, result out."""

from __future__ import annotations

import collections.abc as c
import ssl
import types
import typing as t

import ansible.template
import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.mailops.exchange_tls.plugins.action import tls_handshake_info
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _handshake

from tests.unit.plugins.plugin_utils.handshake import servers

VERSIONS = ["SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"]


def run(
    arguments: dict[str, t.Any],
    *,
    check_mode: bool = False,
    host: str = "ex01.example.com",
    **variables: t.Any,
) -> dict[str, t.Any]:
    """Runs the plugin as the task executor does; any use of the connection is an error."""
    task = types.SimpleNamespace(
        no_log=False,
        args=arguments,
        action="mailops.exchange_tls.tls_handshake_info",
        check_mode=check_mode,
        delegate_to=None,
        become=None,
        timeout=0,
        async_val=0,
        diff=False,
    )
    loader = DataLoader()
    task_vars = {"inventory_hostname": host, **variables}
    plugin = tls_handshake_info.ActionModule(
        task=task,
        connection=types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir=None)),
        play_context=types.SimpleNamespace(check_mode=check_mode),
        loader=loader,
        templar=Templar(loader=loader, variables=task_vars),
        shared_loader_obj=None,
    )
    return plugin.run(task_vars=task_vars)


@pytest.fixture(scope="module")
def port() -> c.Iterator[int]:
    context = servers.server_context(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    with servers.Server(servers.tls(context)) as server:
        yield server.port


def test_result(port: int) -> None:
    result = run({"endpoints": [f"https://:{port}"], "server_name": servers.NAME}, ansible_host="127.0.0.1")
    assert not result.get("failed")
    assert result["changed"] is False
    assert result["verified"] is True
    assert result["versions"] == dict(
        zip(VERSIONS, ["rejected", "rejected", "rejected", "accepted", "accepted"], strict=True)
    )
    assert result["accepted"] == ["TLS 1.2", "TLS 1.3"]
    assert result["rejected"] == ["SSL 3.0", "TLS 1.0", "TLS 1.1"]
    assert result["msg"].startswith("1 of 1 endpoints verified: SSL 3.0 rejected")
    assert "check mode" not in result["msg"]
    [endpoint] = result["endpoints"]
    assert endpoint["endpoint"] == f"https://127.0.0.1:{port}"
    assert endpoint["verdict"] == "verified"
    assert endpoint["error"] is None
    assert endpoint["proof"] == "full_handshake"
    assert "TLS 1.2 accepted (full handshake)" in endpoint["evidence"]
    assert list(endpoint["versions"]) == VERSIONS
    assert endpoint["versions"]["TLS 1.2"]["grade"] == "full_handshake"
    assert endpoint["versions"]["TLS 1.3"]["grade"] == "server_flight"
    assert endpoint["certificate"]["subject"] == "CN=mail.example.com"
    assert endpoint["certificate"]["days_left"] in (29, 30)


def test_check_mode_makes_real_handshakes_and_says_what_they_show(port: int) -> None:
    result = run({"endpoints": [f"tls:{port}"]}, check_mode=True, ansible_host="127.0.0.1")
    assert result["changed"] is False
    assert result["accepted"] == ["TLS 1.2", "TLS 1.3"]
    assert result["msg"].endswith("also in check mode: they show how the servers are now.")


def test_unreachable_endpoint_neither_fails_nor_is_unreachable(port: int) -> None:
    with servers.Server(lambda connected: None) as dead:
        pass
    result = run({"endpoints": [f"https://:{port}", f"smtp://:{dead.port}"]}, ansible_host="127.0.0.1")
    assert not {"failed", "unreachable"} & set(result)
    assert result["verified"] is False
    assert [endpoint["verdict"] for endpoint in result["endpoints"]] == ["verified", "inconclusive"]
    assert "nothing listens" in result["endpoints"][1]["error"]
    assert result["endpoints"][1]["proof"] is None
    assert result["endpoints"][1]["evidence"] == "TLS 1.2 not known (connection refused)"
    assert set(result["versions"].values()) == {"inconclusive"}
    assert result["accepted"] == ["TLS 1.2", "TLS 1.3"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[t.Any, ...]]:
    """What the plugin asks the core for, which then finds nothing out."""
    calls: list[tuple[t.Any, ...]] = []

    def probe_host(*arguments: t.Any) -> list[_handshake.EndpointReport]:
        calls.append(arguments)
        return []

    monkeypatch.setattr(_handshake, "probe_host", probe_host)
    return calls


def test_defaults(asked: list[tuple[t.Any, ...]]) -> None:
    run({})
    [(endpoints, versions, required, timeout)] = asked
    assert {endpoint.name: sni for endpoint, sni in endpoints.items()} == {
        "smtp://ex01.example.com:25": "ex01.example.com",
        "https://ex01.example.com:443": "ex01.example.com",
    }
    assert versions == set(_handshake.TlsVersion)
    assert required == {_handshake.TlsVersion.TLS_1_2}
    assert timeout == 10


def test_address_of_the_host_may_be_a_template(asked: list[tuple[t.Any, ...]]) -> None:
    # what an inventory says is trusted, which ansible-core 2.19 and later insist on
    trust = getattr(ansible.template, "trust_as_template", str)
    run({"endpoints": "smtp"}, ansible_host=trust("{{ site }}.1"), site="192.0.2")
    endpoints = asked[0][0]
    assert {endpoint.name: sni for endpoint, sni in endpoints.items()} == {"smtp://192.0.2.1:25": "ex01.example.com"}


def test_options_reach_the_core(asked: list[tuple[t.Any, ...]]) -> None:
    run(
        {
            "endpoints": "imaps,https://a.example",
            "server_name": "mail.example.com",
            "versions": "TLS 1.0,TLS 1.1",
            "required": [],
            "timeout": "2.5",
        }
    )
    [(endpoints, versions, required, timeout)] = asked
    assert [endpoint.name for endpoint in endpoints] == ["imaps://ex01.example.com:993", "https://a.example:443"]
    assert set(endpoints.values()) == {"mail.example.com"}
    assert versions == {_handshake.TlsVersion.TLS_1_0, _handshake.TlsVersion.TLS_1_1}
    assert required == set()
    assert timeout == 2.5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"endpoints": ["ftp://a", "b:1"]}, ["'ftp://a'", "'b:1'", "submission"]),
        ({"endpoints": []}, ["'endpoints' is empty", "nothing would be proven"]),
        ({"endpoints": [""]}, ["'' is blank"]),
        ({"endpoints": "smpt"}, ["'smpt'", "did you mean 'smtp'?"]),
        ({"endpoints": '["smtp","htps"]'}, ["'htps'", "did you mean 'https'?"]),
        ({"endpoints": [{"smtp": 25}]}, ["is a mapping; write 'smtp:25'"]),
        ({"endpoints": {"smtp": 25}}, ["endpoints", "list"]),
        ({"endpoints": ["ex01:" + "1" * 4400]}, ["from 1 to 65535"]),
        ({"server_name": "192.0.2.1"}, ["server_name", "192.0.2.1"]),
        ({"versions": ["TLS 1.4"]}, ["TLS 1.4", "TLS 1.3"]),
        ({"required": ["SSL 3.0"]}, ["SSL 3.0", "TLS 1.0"]),
        ({"versions": [], "required": []}, ["nothing to try"]),
        ({"timeout": 0}, ["timeout is 0"]),
        ({"timeout": 301}, ["at most 300"]),
        ({"timeout": "nan"}, ["timeout is nan"]),
        ({"timeout": "soon"}, ["timeout"]),
        ({"endpoint": "smtp", "timeouts": 1}, ["endpoint", "timeouts"]),
        (
            {"endpoints": "ftp", "server_name": "a b", "versions": [], "required": [], "timeout": -1},
            ["'ftp'", "'a b'", "nothing to try", "timeout is -1"],
        ),
    ],
)
def test_bad_options(arguments: dict[str, t.Any], words: list[str], asked: list[tuple[t.Any, ...]]) -> None:
    result = run(arguments)
    assert result["failed"] is True
    assert "unreachable" not in result
    assert all(word in result["msg"] for word in words), result["msg"]
    assert result["error"]["kind"] == "bad_option"
    assert asked == []


def test_host_name_that_is_no_address() -> None:
    result = run({}, host="first mail server")
    assert result["failed"] is True
    assert "'first mail server' is neither a host name nor an address" in result["msg"]
