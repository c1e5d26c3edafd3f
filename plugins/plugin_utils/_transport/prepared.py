# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The messages of a login differ in their body and a few headers: the rest of an HTTP request is prepared once.

requests prepares each from nothing, and looks for proxies of the environment each time: a third of the whole.
"""

from __future__ import annotations

import operator
import typing as t
import urllib.request

# Of a request, what makes it one that is not like the others.
_OWN = ("params", "files", "json", "cookies", "auth")


def prepare_once(session: t.Any, url: str) -> None:
    """From now on the session finds out once what its requests have in common; ``url`` is where they go. What it sends
    is the same as before, but that a login of no user takes none from ``~/.netrc``."""
    import requests

    if resolve := getattr(requests.utils, "resolve_proxies", None):  # requests 2.27 and later
        # which looks through the environment three times
        if urllib.request.getproxies():
            session.proxies = resolve(requests.Request("POST", url), session.proxies)
        session.trust_env = False
    prepare = session.prepare_request
    blanks: dict[t.Any, _Blank] = {}

    def prepare_request(request: t.Any) -> t.Any:
        if any(getattr(request, name) for name in _OWN) or any(request.hooks.values()) or len(session.cookies):
            return prepare(request)
        kind = (request.method, request.url, *pairs(session.headers))
        blank = blanks.get(kind)
        if blank is None:
            blank = blanks[kind] = _blank(session, prepare, request)
        return _filled(blank, request, session)

    session.prepare_request = prepare_request


def pairs(headers: t.Any) -> t.Iterator[tuple[str, t.Any]]:
    """What ``items()`` of a requests.structures.CaseInsensitiveDict has; that looks each name up again."""
    return zip(headers, map(operator.itemgetter(1), headers.lower_items()), strict=True)


class _Blank(t.NamedTuple):
    """A prepared request without what is its own, and its headers."""

    request: t.Any
    headers: list[tuple[str, t.Any]]


def _blank(session: t.Any, prepare: t.Callable[[t.Any], t.Any], request: t.Any) -> _Blank:
    """A login is not asked, since some count how often they are."""
    kept = session.auth, session.trust_env
    session.auth, session.trust_env = None, False
    try:
        blank = prepare(type(request)(request.method, request.url))
    finally:
        session.auth, session.trust_env = kept
    # of the body that it has not
    blank.headers.pop("Content-Length", None)
    headers = list(pairs(blank.headers))
    blank.headers.clear()
    return _Blank(blank, headers)


def _filled(blank: _Blank, request: t.Any, session: t.Any) -> t.Any:
    prepared = blank.request.copy()
    # a copy shares them, and logins add to them
    prepared.hooks = {event: list(hooks) for event, hooks in prepared.hooks.items()}
    for name, value in blank.headers:
        prepared.headers[name] = value
    for name, value in request.headers.items():
        if value is None:
            prepared.headers.pop(name, None)
        else:
            prepared.headers[name] = value
    prepared.prepare_body(request.data, None)
    prepared.prepare_auth(session.auth, request.url)
    return prepared
