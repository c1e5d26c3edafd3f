# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""One exchange over a connection that is open and logged in.

What requests and urllib3 add to it (pools, redirects, retries, streams) is half of what a message costs, and after the
login none of it is needed. Logins, proxies and all that comes out of the ordinary stay with the libraries.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import types
import typing as t

from .answer import Answer, decoded, receive
from .prepared import pairs

with contextlib.suppress(ImportError):  # they come with pywinrm and with pypsrp, and without them nothing is sent
    import requests
    from requests.cookies import extract_cookies_to_jar
    from requests.hooks import dispatch_hook
    from requests.utils import get_encoding_from_headers
    from urllib3.util.connection import is_connection_dropped

Timeout = float | tuple[float | None, float | None] | None


def is_open(connection: t.Any) -> bool:
    """Whether a connection of urllib3 is there and nothing has come over it since the last answer, not even its end."""
    return connection.sock is not None and not is_connection_dropped(connection)


def exchange(session: t.Any, connection: t.Any, request: t.Any, timeout: Timeout) -> t.Any:
    """Sends a prepared request and returns the response, or raises what requests raises where none came, and
    ``answer.TooMuch``."""
    message = _head(connection, request) + request.body
    try:
        connection.sock.settimeout(timeout[1] if isinstance(timeout, tuple) else timeout)
        connection.send(message)
        # it has a file of its own on the socket
        with connection.sock.makefile("rb") as file:
            answer = receive(file)
        content = decoded(answer)
    except TimeoutError as exc:
        connection.close()
        raise requests.exceptions.ReadTimeout(exc, request=request) from exc
    except (OSError, http.client.HTTPException) as exc:
        connection.close()
        raise requests.exceptions.ConnectionError(exc, request=request) from exc
    except BaseException:
        connection.close()
        raise
    if answer.closes:
        connection.close()
    return _response(session, request, answer, content)


def hooked(session: t.Any, response: t.Any, given: t.Mapping[str, t.Any]) -> t.Any:
    """What the login of a session makes of a response; ``given`` is how the request was to be sent."""
    how = {name: getattr(session, name) for name in ("stream", "verify", "cert", "proxies")}
    return dispatch_hook("response", response.request.hooks, response, **{**how, **given})


def _head(connection: t.Any, request: t.Any) -> bytes:
    # the scope of an address says something here only; http.client leaves it out as well
    host = connection.host if ":" not in connection.host else f"[{connection.host.partition('%')[0]}]"
    port = "" if connection.port == connection.default_port else f":{connection.port}"
    lines = [f"{request.method} {request.path_url} HTTP/1.1", f"Host: {host}{port}"]
    for name, value in pairs(request.headers):
        lines.append(f"{name}: {value.decode('latin-1') if isinstance(value, bytes) else value}")
    head = "".join(lines)
    if "\r" in head or "\n" in head:
        raise requests.exceptions.InvalidHeader("a header holds the end of a line")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _cookies(answer: Answer) -> t.Any:
    """Where requests looks for them."""
    message = http.client.HTTPMessage()
    for name, value in answer.fields:
        if name.lower().startswith("set-cookie"):
            message.add_header(name, value)
    return types.SimpleNamespace(_original_response=types.SimpleNamespace(msg=message))


@functools.lru_cache(maxsize=16)
def _encoding(content_type: str | None) -> str | None:
    headers = requests.structures.CaseInsensitiveDict[str]()
    if content_type is not None:
        headers["Content-Type"] = content_type
    return get_encoding_from_headers(headers)


def _response(session: t.Any, request: t.Any, answer: Answer, content: bytes) -> t.Any:
    response = requests.Response()
    response.request, response.url = request, request.url
    response.status_code, response.reason = answer.status, answer.reason
    for name, value in answer.fields:
        # as urllib3 has them: a host names each login that it offers in a line of its own
        before = response.headers.get(name) if len(answer.known) < len(answer.fields) else None
        response.headers[name] = value if before is None else f"{before}, {value}"
    response.encoding = _encoding(response.headers.get("Content-Type"))
    response.raw, response._content, response._content_consumed = answer, content, True
    if "set-cookie" in answer.known:
        extract_cookies_to_jar(session.cookies, request, _cookies(answer))
    return response
