# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that are prepared in part beforehand are those that requests itself prepares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport.prepared import prepare_once
from hypothesis import given
from hypothesis import strategies as st

URL = "http://ex01:5985/wsman"


class Login(requests.auth.AuthBase):
    """Counts, marks the request and listens to the answer, as NTLM and Kerberos do."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        self.asked += 1
        request.headers["Connection"] = "Keep-Alive"
        request.headers["X-Login"] = str(self.asked)
        request.register_hook("response", self.answered)
        return request

    def answered(self, response: Any, **_more: Any) -> Any:
        return response


LOGINS: dict[str, Any] = {
    "none": lambda: None,
    "basic": lambda: requests.auth.HTTPBasicAuth("admin", "secret"),
    "other": Login,
}


def sessions(login: str, headers: dict[str, str], cookies: dict[str, str]) -> tuple[requests.Session, requests.Session]:
    """Two that are alike; the second one prepares in part beforehand."""
    pair = (requests.Session(), requests.Session())
    for session in pair:
        session.trust_env = False
        session.auth = LOGINS[login]()
        session.headers.update(headers)
        session.cookies.update(cookies)
    prepare_once(pair[1], URL)
    return pair


def content(prepared: requests.PreparedRequest) -> Any:
    hooks = {event: [getattr(hook, "__name__", hook) for hook in found] for event, found in prepared.hooks.items()}
    return prepared.method, prepared.url, list(prepared.headers.items()), prepared.body, hooks


names = st.sampled_from(["Content-Type", "User-Agent", "X-More", "Accept"])
values = st.sampled_from(["a", "b; charset=utf-8"])
messages = st.lists(
    st.tuples(st.none() | st.binary(max_size=40), st.dictionaries(names, values | st.none(), max_size=3)),
    min_size=1,
    max_size=4,
)


@given(
    st.sampled_from(sorted(LOGINS)),
    st.dictionaries(names, values, max_size=2),
    st.dictionaries(st.just("sticky"), st.just("1")),
    messages,
)
def test_the_same_requests(
    login: str, headers: dict[str, str], cookies: dict[str, str], sent: list[tuple[bytes | None, dict[str, str | None]]]
) -> None:
    """Whatever came before them, and with the login asked as often."""
    plain, quick = sessions(login, headers, cookies)
    for body, own in sent:
        wanted, found = (
            session.prepare_request(requests.Request("POST", URL, data=body, headers=dict(own)))  # type: ignore[arg-type]
            for session in (plain, quick)
        )
        assert content(found) == content(wanted)
    assert getattr(quick.auth, "asked", None) == getattr(plain.auth, "asked", None)


@pytest.mark.parametrize(
    "own",
    [
        {"params": {"a": "b"}},
        {"json": {"a": 1}},
        {"cookies": {"a": "b"}},
        {"auth": ("other", "user")},
        {"hooks": {"response": [print]}},
        {"files": {"a": b"b"}},
    ],
)
def test_a_request_of_its_own_kind(own: dict[str, Any]) -> None:
    plain, quick = sessions("basic", {}, {})
    quick.prepare_request(requests.Request("POST", URL, data=b"x"))
    wanted, found = (session.prepare_request(requests.Request("POST", URL, **own)) for session in (plain, quick))
    if "files" not in own:  # whose border is made by chance
        assert content(found) == content(wanted)
    assert type(found.body) is type(wanted.body)


def test_headers_of_the_session_that_change() -> None:
    plain, quick = sessions("basic", {"X-More": "a"}, {})
    for value in ("a", "b"):
        for session in (plain, quick):
            session.headers["X-More"] = value
        wanted, found = (
            session.prepare_request(requests.Request("POST", URL, data=b"x")) for session in (plain, quick)
        )
        assert content(found) == content(wanted)


@pytest.mark.parametrize("login", LOGINS)
def test_what_older_versions_of_requests_lack(monkeypatch: pytest.MonkeyPatch, login: str) -> None:
    """They go on to look for proxies each time."""
    monkeypatch.delattr(requests.utils, "resolve_proxies")
    plain, quick = sessions(login, {}, {})
    assert quick.trust_env == plain.trust_env
    assert content(quick.prepare_request(requests.Request("POST", URL, data=b"x"))) == content(
        plain.prepare_request(requests.Request("POST", URL, data=b"x"))
    )


def test_a_user_of_the_environment_is_in_no_request_of_another(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where a login asks for no Authorization at first, such as NTLM."""
    monkeypatch.delattr(requests.utils, "resolve_proxies")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine ex01 login other password secret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    session = requests.Session()
    session.auth = Login()
    prepare_once(session, URL)
    assert "Authorization" not in session.prepare_request(requests.Request("POST", URL, data=b"x")).headers


def test_a_cookie_that_came_meanwhile() -> None:
    """Load balancers keep a client on one server with it."""
    _plain, quick = sessions("none", {}, {})
    quick.prepare_request(requests.Request("POST", URL, data=b"x"))
    quick.cookies.set("sticky", "7")
    assert quick.prepare_request(requests.Request("POST", URL, data=b"x")).headers["Cookie"] == "sticky=7"
