# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What pypsrp raises while it talks to Exchange's endpoint, in our words.

The distinction that matters: was the cmdlet surely not run, or perhaps?
"""

from __future__ import annotations

import contextlib
import http.client
import re
import ssl
import typing as t

from .._errors import (
    AccessDenied,
    ConnectionLost,
    ExchangeTlsError,
    HostBusy,
    LoginRefused,
    OptionError,
    UnexpectedAnswer,
    Unreachable,
    WsmanFault,
)
from .._exchange import shell
from .._exchange.endpoint import Endpoint
from .._text import visible
from .._wire import soap, xml
from .login import REFUSALS, Login, chain, login_failed

with contextlib.suppress(ImportError):  # they are there where anything is sent at all
    import requests
    from pypsrp import exceptions
    from urllib3.exceptions import NewConnectionError

_UNKNOWN_SHELL = 2150858843
# By number, or by subcode where the fault came as MSFT_WmiError: pypsrp keeps no more of it.
# Quotas of the account, of the server, of its shells: docs/reference/exchange.md 2.
_QUOTAS = frozenset({2150859173, 2150859174, 2150859175, 2150859176, 2150859179, 2150859236, "w:QuotaLimit"})
# What Exchange says itself, under a number that is no other's: limits of its throttling policy, and who has no role.
_TOO_MANY = re.compile(r"exceeded the maximum number of connections|\bMaxConcurrency\b|\bload quota\b", re.IGNORECASE)
_NO_ROLE = re.compile(r"assigned to any management roles|\bAuthZ-|isn't authorized|is not authorized", re.IGNORECASE)
_DENIED = frozenset({5, 2147942405, "w:AccessDenied"})
_DTD = re.compile(rb"<!(DOCTYPE|ENTITY)")
# The variables of the host's connection, which other messages name, and those of this one.
_NAMES = {
    "ansible_user": "exchange_user",
    "ansible_password": "exchange_password",
    "ansible_host": "exchange_server",
}
_CHECK_ADDRESS = (
    "Check that this Exchange server is up, exchange_server and exchange_port, and firewalls in between; any other "
    "Exchange server of the organisation can be asked as well."
)


_CHECK_PLACE = "Check exchange_server, exchange_port and exchange_path, and what proxy is in between."


def safe(send: t.Callable[[], bytes]) -> bytes:
    """Sends, and refuses what is no answer, and one with a document type, which SOAP forbids, before the library parses
    it."""
    try:
        answer = xml.as_utf8(send(), None)
    except exceptions.WinRMTransportError as exc:
        # pypsrp parses this as well; a page of HTML begins with a document type
        if _DTD.search(str(exc.response_text).encode("utf-8", "replace")):
            raise exceptions.WinRMTransportError(exc.protocol, exc.code, f"no XML: {exc.response_text}") from None
        raise
    if soap.is_no_message(answer):
        raise shell.SessionBroken(
            f"Exchange's endpoint answered with {soap.describe(answer) if answer.strip() else 'nothing'}, which is no "
            f"answer of it. {_CHECK_PLACE}"
        )
    if _DTD.search(answer):
        raise UnexpectedAnswer("Exchange's endpoint answered with a document type declaration.")
    return answer


def explained(
    exc: Exception, doing: str, endpoint: Endpoint, lost: type[shell.SessionLost | shell.SessionBroken]
) -> ExchangeTlsError:
    """``doing``: what was tried, and where. ``lost``: what it means that the server does not know the session."""
    login = Login(endpoint.auth, endpoint.url, endpoint.user or "", endpoint.password or "")
    if isinstance(exc, exceptions.WSManFaultError):
        return _of_fault(exc, doing, login, lost)
    if isinstance(exc, exceptions.AuthenticationError) or type(exc).__name__ in REFUSALS:
        return _refused(doing, endpoint, login)
    if isinstance(exc, exceptions.WinRMTransportError):
        return _of_status(exc, doing, login)
    if isinstance(exc, requests.exceptions.RequestException):
        return _of_requests(exc, doing, endpoint, login)
    if isinstance(exc, (exceptions.InvalidPSRPOperation, exceptions.InvalidRunspacePoolStateError)):
        return shell.SessionBroken(f"{doing}: the session broke: {login.told(exc)}.")
    if any(type(item).__module__.partition(".")[0] in ("spnego", "gssapi", "krb5") for item in chain(exc)):
        return _renamed(login_failed(exc, doing, login))
    if isinstance(exc, exceptions.WinRMError) and "related id does not match" in str(exc):
        return shell.SessionBroken(f"{doing}: the answer belongs to another message. {_CHECK_PLACE}")
    if isinstance(exc, ValueError) and "auth protocol" in str(exc):
        return _refused(doing, endpoint, login)
    return UnexpectedAnswer(f"{doing}: the answer cannot be read: {login.told(f'{type(exc).__name__}: {exc}')}.")


def _of_fault(
    exc: t.Any, doing: str, login: Login, lost: type[shell.SessionLost | shell.SessionBroken]
) -> ExchangeTlsError:
    code = exc.code
    said = login.told(exc.provider_fault or exc.reason or exc).rstrip(". ")
    if code == _UNKNOWN_SHELL:
        return lost(f"{doing}: the server does not know the session any more; it was restarted, or closed it ({said}).")
    if code in _QUOTAS or _TOO_MANY.search(said):
        return HostBusy(
            f"{doing}: the account has too many sessions or requests on this server ({said}). Close some, or wait "
            "until they end; run fewer hosts at a time, or spread them over several servers with exchange_server."
        )
    if code in _DENIED or _NO_ROLE.search(said):
        return AccessDenied(
            f"{doing}: the account may not use Exchange's remote PowerShell ({said}). It needs an Exchange role group "
            "and RemotePowerShellEnabled (Set-User).",
            wsman_code=code if isinstance(code, int) else None,
        )
    return WsmanFault(f"{doing}: {said}.", wsman_code=code if isinstance(code, int) else None)


def _refused(doing: str, endpoint: Endpoint, login: Login) -> LoginRefused:
    known = {
        "basic": "that the PowerShell virtual directory allows basic (it does not by default)",
        "kerberos": "that exchange_server is the server's own full name, not a load-balanced one",
    }
    who = f" as {visible(endpoint.user)}" if endpoint.user else ""
    return LoginRefused(
        f"{doing}: Exchange refused the login{who} with {login.how} (HTTP 401). Check exchange_user, exchange_password "
        f"and {known[endpoint.auth]}."
    )


def _of_status(exc: t.Any, doing: str, login: Login) -> ExchangeTlsError:
    status, body = int(exc.code), str(exc.response_text or "")
    if status == 500 and not body.strip():
        return Unreachable(f"{doing}: the endpoint refuses unencrypted messages (HTTP 500 without content). Use https.")
    if status == 404:
        return Unreachable(
            f"{doing}: nothing is there (HTTP 404). Check exchange_server, exchange_port, exchange_path."
        )
    if status == 403:
        return LoginRefused(f"{doing}: HTTP 403. IIS may want https, or no such account here: check exchange_scheme.")
    words = " ".join(re.sub(r"<[^>]*>", " ", body).split())
    what = f", with the words '{login.told(words[:200])}'" if words else ""
    message = f"{doing}: HTTP {status}{what}; Exchange's endpoint does not work, or still starts."
    return HostBusy(message) if status in (429, 502, 503, 504) else Unreachable(message)


def _of_requests(exc: t.Any, doing: str, endpoint: Endpoint, login: Login) -> ExchangeTlsError:
    reason = login.told(_reason(exc))
    found = list(chain(exc))
    if isinstance(exc, requests.exceptions.SSLError):
        cut_off = any(isinstance(item, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) for item in found)
        kind = shell.SessionBroken if cut_off else Unreachable
        return kind(
            f"{doing}: the TLS connection failed: {reason}. Check that the port speaks https, and exchange_ca_cert or "
            "exchange_cert_validation."
        )
    if isinstance(exc, requests.exceptions.ProxyError):
        return Unreachable(f"{doing}: the proxy failed: {reason}")
    if isinstance(exc, requests.exceptions.ConnectTimeout):
        return Unreachable(f"{doing}: no connection within {endpoint.connection_timeout} seconds. {_CHECK_ADDRESS}")
    if isinstance(exc, requests.exceptions.Timeout):
        return shell.SessionBroken(f"{doing}: the server did not answer in time. It hangs, or is overloaded.")
    if isinstance(exc, requests.exceptions.TooManyRedirects):
        return Unreachable(f"{doing}: the server sends every message on, again and again. {_CHECK_PLACE}")
    if isinstance(exc, ValueError):
        return OptionError(f"{doing}: the address cannot be used: {reason}")
    if any(isinstance(item, NewConnectionError) for item in found):
        return Unreachable(f"{doing}: cannot connect: {reason}. {_CHECK_ADDRESS}")
    if isinstance(exc, (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        return shell.SessionBroken(f"{doing}: the connection broke before an answer came: {reason}.")
    return ConnectionLost(f"{doing}: {reason}")


def _reason(exc: BaseException) -> str:
    broken = [str(item) for item in chain(exc) if isinstance(item, http.client.HTTPException)]
    told = broken or [str(item.strerror) for item in chain(exc) if isinstance(item, OSError) and item.strerror]
    return re.sub(r"<[^<>]* at 0x[0-9a-f]+>(: )?", "", told[-1] if told else str(exc))


def _renamed(error: LoginRefused) -> LoginRefused:
    for name, ours in _NAMES.items():
        error.message = error.message.replace(name, ours)
    error.args = (error.message,)
    return error
