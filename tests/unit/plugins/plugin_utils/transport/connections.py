# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real connection plugins of ansible-core over an HTTP that is played: no socket is opened."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
import requests
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader

PASSWORD = "Tr0ub4dor&3 'quoted' \\slashed"

Reply = requests.Response | Exception


class Raw:
    """What urllib3 would have read from."""

    version = 11

    def release_conn(self) -> None:
        pass


def response(
    status: int = 200, body: str | bytes = b"", content_type: str | None = "text/xml", **headers: str
) -> requests.Response:
    answer = requests.Response()
    answer.raw = Raw()
    answer.status_code = status
    answer._content = body.encode() if isinstance(body, str) else body
    if content_type:
        answer.headers["Content-Type"] = content_type
    answer.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return answer


class Http:
    """Takes the place of the network: what is sent is kept in ``sent``, answers come from ``replies``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[requests.PreparedRequest] = []
        self.timeouts: list[Any] = []
        self.proxies: list[dict[str, str]] = []
        self.replies: list[Reply] = []
        self.otherwise: Callable[[], Reply] = lambda: response(200, b"<ok/>")

        def send(adapter: Any, request: requests.PreparedRequest, **more: Any) -> requests.Response:
            self.sent.append(request)
            self.timeouts.append(more.get("timeout"))
            self.proxies.append(dict(more.get("proxies") or {}))
            reply = self.replies.pop(0) if self.replies else self.otherwise()
            if isinstance(reply, Exception):
                raise reply
            reply.request = request
            reply.url = str(request.url)
            return reply

        monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.delenv(name, raising=False)


def winrm(extras: dict[str, Any] | None = None, **options: Any) -> Any:
    """ansible.builtin.winrm as a task has it."""
    plugin = connection_loader.get("ansible.builtin.winrm", PlayContext(), os.devnull)
    given = {"remote_addr": "ex01", "port": 5985, "remote_user": "admin", "remote_password": PASSWORD, **options}
    plugin.set_options(var_options={"_extras": extras or {}}, direct={"transport": ["basic"], **given})
    return plugin


def psrp(**options: Any) -> Any:
    """ansible.builtin.psrp as a task has it."""
    plugin = connection_loader.get("ansible.builtin.psrp", PlayContext(), os.devnull)
    given = {"remote_addr": "ex01", "port": 5985, "remote_user": "admin", "remote_password": PASSWORD, **options}
    # older releases of ansible-core keep extras for psrp as well
    extras: dict[str, Any] = {"_extras": {}}
    plugin.set_options(
        var_options=extras, direct={"auth": "basic", "protocol": "http", "message_encryption": "never", **given}
    )
    return plugin
