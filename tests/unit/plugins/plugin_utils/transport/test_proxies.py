# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proxies of the environment: looked up once for a login, and the same as the libraries find for each message."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport import channels
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport.line import Line

from .connections import Http, psrp, winrm

PROXY, OTHER = "http://proxy:3128", "http://other:8080"
ENVIRONMENTS: dict[str, dict[str, str]] = {
    "none": {},
    "http": {"http_proxy": PROXY},
    "https": {"https_proxy": PROXY},
    "all": {"all_proxy": PROXY},
    "both": {"http_proxy": PROXY, "all_proxy": OTHER},
    "not for this host": {"http_proxy": PROXY, "no_proxy": "ex01"},
    "not for another": {"http_proxy": PROXY, "no_proxy": "ex02,.example.com"},
    "for nobody": {"http_proxy": PROXY, "no_proxy": "*"},
}
CONNECTIONS = {
    "winrm": winrm,
    "winrm with a proxy": lambda: winrm({"ansible_winrm_proxy": OTHER}),
    "psrp": psrp,
    "psrp with a proxy": lambda: psrp(proxy=OTHER),
    "psrp without": lambda: psrp(ignore_proxy=True),
}


@pytest.fixture(name="http")
def _http(monkeypatch: pytest.MonkeyPatch) -> Http:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return Http(monkeypatch)


def sent(http: Http, connection: Any) -> list[dict[str, str]]:
    """The proxies of two messages."""
    http.proxies.clear()
    channel = channels.open_channel(connection)
    for _dummy in range(2):
        channel.post(b"<envelope/>", "reading")
    return list(http.proxies)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("kind", CONNECTIONS)
def test_the_same_proxy_as_the_libraries_take(
    monkeypatch: pytest.MonkeyPatch, http: Http, kind: str, environment: str
) -> None:
    for name, value in ENVIRONMENTS[environment].items():
        monkeypatch.setenv(name, value)
    found = sent(http, CONNECTIONS[kind]())
    with monkeypatch.context() as alone:
        alone.setattr(Line, "watch", lambda self, session, url: None)
        assert [item.get("http") for item in found] == [item.get("http") for item in sent(http, CONNECTIONS[kind]())]


@pytest.mark.parametrize("kind", ["winrm", "psrp"])
def test_the_environment_is_looked_at_for_the_first_message(
    monkeypatch: pytest.MonkeyPatch, http: Http, kind: str
) -> None:
    channel = channels.open_channel(CONNECTIONS[kind]())
    channel.post(b"<envelope/>", "reading")
    looks: list[Any] = []
    monkeypatch.setattr(requests.utils, "get_environ_proxies", lambda *args, **more: looks.append(args) or {})
    for _dummy in range(3):
        channel.post(b"<envelope/>", "reading")
    assert looks == []
