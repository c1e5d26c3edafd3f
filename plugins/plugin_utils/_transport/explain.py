# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What the libraries raise, in our words. What came over the line decides, not the name of the exception.

The distinction that matters: was the message surely not carried out (:class:`Unreachable`), or perhaps
(:class:`ConnectionLost`)?
"""

from __future__ import annotations

import contextlib
import datetime
import email.utils
import http.client
import re
import ssl
import struct
import typing as t

from ansible.errors import AnsibleError

from .._errors import (
    ConnectionLost,
    ExchangeTlsError,
    HostBusy,
    LoginRefused,
    OptionError,
    SecurityContextLost,
    Unreachable,
)
from .._wire import soap, xml
from .answer import TooMuch
from .line import Line, TooLate, body_of, charset_of, closes
from .login import REFUSALS, Login, chain, challenged, login_failed, login_refused

with contextlib.suppress(ImportError):  # it comes with pywinrm and with pypsrp, and without them nothing is sent
    import requests
    from urllib3.exceptions import NewConnectionError

# What the libraries raise over a challenge that is none; and pyspnego's InvalidTokenError.
_UNREAD = (LookupError, AttributeError, TypeError, ValueError, struct.error)
# What gateways say of a message that the host may have carried out; from 520 on, those of content networks.
_HANDED_ON = (502, 504, 520, 521, 522, 523, 524)
# An alert in place of HTTP.
_TLS = re.compile("\x15\x03[\0-\4]")
# What a whole answer says of its length, where it goes on after the headers.
_LENGTHS = frozenset({"content-length", "transfer-encoding"})
_CHECK_ADDRESS = (
    "Check that the host is up, its address and port (ansible_host, ansible_port), and firewalls in between."
)
_PROXY_LOGIN = (
    "{}: the proxy wants a login of its own (HTTP 407). Put user and password into its address, or go around it "
    "(no_proxy, ansible_winrm_proxy or ansible_psrp_ignore_proxy)."
)


def answer(send: t.Callable[[], bytes], doing: str, line: Line, login: t.Callable[[], Login], seconds: float) -> bytes:
    """Runs a library's send within the time; the answer in UTF-8, or one of our errors, which name the login."""
    with line.exchange(seconds):
        try:
            return _in_utf8(send, line)
        except (AnsibleError, ExchangeTlsError):
            raise
        except Exception as exc:
            used = login()
            error = _explained(exc, doing, line, used, seconds)
            error.message += _sent_on(line, used)
            raise error from None


def _in_utf8(send: t.Callable[[], bytes], line: Line) -> bytes:
    try:
        document = send()
    except UnicodeDecodeError as exc:
        # the libraries want to read every message as UTF-8; this is the message
        if line.last is None or line.last.status_code >= 400:
            raise
        document = exc.object
    if not document and line.last is not None and _LENGTHS.isdisjoint(map(str.lower, line.last.headers)):
        # to http.client the headers end where the connection does
        raise http.client.IncompleteRead(b"")
    return document if line.last is None else xml.as_utf8(document, charset_of(line.last))


def _explained(exc: Exception, doing: str, line: Line, login: Login, seconds: float) -> ExchangeTlsError:
    if isinstance(exc, TooMuch):
        return soap.unreadable(str(exc), doing)
    if isinstance(exc, TooLate):
        return Unreachable(f"{doing}: there was no connection within {seconds:.0f} seconds. {_CHECK_ADDRESS}")
    if line.over:
        return ConnectionLost(
            f"{doing}: the answer was not complete within {seconds:.0f} seconds. The host hangs or is overloaded, "
            "something in between holds the answer up, or the timeouts of the connection are too short."
        )
    if type(exc).__name__ == "KerberosExchangeError":
        # pywinrm's, which calls it an error of requests: the login failed here, before anything was sent
        return login_failed(exc, doing, login)
    if isinstance(exc, requests.exceptions.RequestException):
        return _of_requests(exc, doing, login)
    if isinstance(exc, (ConnectionError, TimeoutError, http.client.HTTPException)):
        return ConnectionLost(f"{doing}: the connection broke before an answer came: {login.told(_reason(exc))}.")
    if isinstance(exc, UnicodeEncodeError):
        return LoginRefused(
            f"{doing}: user or password hold characters that {login.how} cannot carry. Use NTLM or Kerberos "
            "(ansible_winrm_transport or ansible_psrp_auth)."
        )
    return _by_what_came(exc, doing, line, login)


def _sent_on(line: Line, login: Login) -> str:
    """The end of a sentence where the libraries went where they were sent, and it came to nothing there."""
    moved = next((response for response in line.came if response.is_redirect), None)
    if moved is None:
        return ""
    where = login.told(moved.headers["Location"])
    return (
        f" It had sent the message on to '{where}' (HTTP {moved.status_code}), as a portal or a proxy does, and never "
        "WinRM: check the address of the host, port and path, and what is in between (http_proxy, no_proxy)."
    )


# --- no answer -------------------------------------------------------------------------------------------------------


def _of_requests(exc: requests.exceptions.RequestException, doing: str, login: Login) -> ExchangeTlsError:
    reason = login.told(_reason(exc))
    if isinstance(exc, requests.exceptions.SSLError):
        # an end without a reason may also come while the host answers
        cut_off = any(isinstance(item, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) for item in chain(exc))
        kind = ConnectionLost if cut_off else Unreachable
        return kind(
            f"{doing}: the TLS connection to the host failed: {reason}. Check that the port speaks https, the WinRM "
            "certificate, and the CA settings of the connection (ansible_winrm_ca_trust_path or ansible_psrp_ca_cert)."
            + login.port_hint
        )
    if isinstance(exc, requests.exceptions.ProxyError):
        return Unreachable(
            _PROXY_LOGIN.format(doing) if "failed: 407" in reason else f"{doing}: the proxy failed: {reason}"
        )
    if isinstance(exc, requests.exceptions.ConnectTimeout):
        return Unreachable(f"{doing}: the host did not accept a connection in time. {_CHECK_ADDRESS}")
    if isinstance(exc, requests.exceptions.Timeout):
        return ConnectionLost(
            f"{doing}: the host accepted the request but did not answer in time. It hangs or is overloaded, something "
            f"in between swallows the answer, or the timeouts of the connection are too short.{login.port_hint}"
        )
    if isinstance(exc, requests.exceptions.TooManyRedirects):
        return Unreachable(f"{doing}: the host sends the message on again and again.")
    if isinstance(exc, ValueError):
        # requests says so of URLs that make no sense
        return OptionError(f"{doing}: the address of the host or of the proxy cannot be used: {reason}")
    if any(isinstance(item, NewConnectionError) for item in chain(exc)):
        return Unreachable(f"{doing}: cannot connect to the host: {reason}. {_CHECK_ADDRESS}")
    if any(isinstance(item, http.client.BadStatusLine) and _TLS.match(str(item)) for item in chain(exc)):
        return ConnectionLost(
            f"{doing}: the port speaks TLS: set ansible_winrm_scheme or ansible_psrp_protocol to https, or change "
            "ansible_port."
        )
    hint = ". Look whether the host restarts, and what is between it and the controller"
    if login.secure:
        hint += "; a host whose TLS versions or cipher suites do not suit the controller ends connections like this too"
    return ConnectionLost(f"{doing}: the connection broke before an answer came: {reason}{hint}.{login.port_hint}")


def _reason(exc: BaseException) -> str:
    """The innermost sentence of nested library errors, without addresses of Python objects."""
    told = [words for item in chain(exc) if (words := _words(item))]
    message = told[-1] if told else str(exc)
    return re.sub(r"<[^<>]* at 0x[0-9a-f]+>(: )?", "", message)


def _words(exc: BaseException) -> str:
    # a host that closes the connection is an OSError without a number, as is a proxy that opens no tunnel
    if isinstance(exc, http.client.HTTPException) or (exc.__class__ is OSError and not exc.strerror):
        return str(exc)
    return str(exc.strerror or "") if isinstance(exc, OSError) else ""


# --- an answer that the library does not want ------------------------------------------------------------------------


def _by_what_came(exc: Exception, doing: str, line: Line, login: Login) -> ExchangeTlsError:
    last = line.last
    if last is None:
        return login_failed(exc, doing, login)
    status = int(last.status_code)
    if status == 401:
        # whatever else fails here fails on the controller, between two steps of the login
        if type(exc).__name__ in REFUSALS:
            return login_refused(doing, line, login)
        if challenged(line) and (isinstance(exc, _UNREAD) or type(exc).__name__ == "InvalidTokenError"):
            return login_refused(doing, line, login, exc)
        refused = isinstance(exc, (LookupError, AttributeError, ValueError))
        return login_refused(doing, line, login) if refused else login_failed(exc, doing, login)
    if status == 407:
        return Unreachable(_PROXY_LOGIN.format(doing))
    if status >= 400:
        return _of_status(exc, doing, line, login)
    document = body_of(last)
    sealed = str(last.headers.get("Content-Type") or "").lower().startswith("multipart/")
    # messages are sealed in their order: once one is damaged or missing, none that follows opens over the same login
    kind = ConnectionLost if sealed or line.sent else Unreachable
    error: ExchangeTlsError = kind(
        soap.unreadable(f"its sealed content cannot be opened ({login.told(exc) or type(exc).__name__})", doing).message
        if sealed
        else f"{doing}: {soap.instead(document)}"
    )
    error.answer = document
    return error


def _of_status(exc: Exception, doing: str, line: Line, login: Login) -> ExchangeTlsError:
    """An HTTP error, whose text may have been sealed: then only the library's exception has it."""
    response = line.came[-1]
    opened = getattr(exc, "response_text", None)  # of pywinrm, before 0.5 as bytes, and of pypsrp
    if isinstance(exc, UnicodeDecodeError):
        document = xml.as_utf8(exc.object, charset_of(response))
    elif isinstance(opened, str) and opened:
        document = opened.encode("utf-8", "replace")
    elif isinstance(opened, bytes) and opened:
        document = xml.as_utf8(opened, charset_of(response))
    else:
        document = body_of(response)
    error = of_status(int(response.status_code), document, doing, response.headers.get("Retry-After"), sent=line.sent)
    if isinstance(error, SecurityContextLost):
        if any(map(closes, line.came[:-1])):
            error.message += (
                " Something on the way closes the connection after an answer (Connection: close), and "
                f"{login.how} logs in a connection."
            )
        error.message += login.port_hint
    error.answer = document
    return error


def of_status(
    status: int, document: bytes, doing: str, retry_after: str | None = None, *, sent: bool = True
) -> ExchangeTlsError:
    """What an HTTP error with this body means. ``sent``: whether it came after the message, not in a login."""
    fault = soap.find_fault(document, doing)
    if fault is not None:
        return fault
    empty = not document.strip()
    if status == 400 and empty:
        return SecurityContextLost(
            f"{doing}: the host no longer knows our login (HTTP 400). If this stays, use https or Kerberos."
        )
    if status == 500 and empty:
        return Unreachable(
            f"{doing}: the host refuses unencrypted messages (HTTP 500 without content). Use NTLM or Kerberos with "
            "message encryption, or https."
        )
    if status == 404:
        return Unreachable(
            f"{doing}: nothing serves WS-Management there (HTTP 404). Check port and path, and that the WinRM "
            "listener is bound to this address."
        )
    what = "" if empty else f", {soap.describe(document)}"
    if status in _HANDED_ON:
        return (ConnectionLost if sent else Unreachable)(
            f"{doing}: HTTP {status}{what}; a proxy or a balancer got no answer from the host, or none that it "
            "understands. Look at it, or go around it (no_proxy, ansible_winrm_proxy or ansible_psrp_ignore_proxy)."
        )
    message = f"{doing}: HTTP {status}{what}; this is not a working WinRM service (a proxy, or still starting?)"
    return HostBusy(message, seconds_of(retry_after)) if status in (429, 503) else Unreachable(message)


def seconds_of(retry_after: str | None) -> float | None:
    """Retry-After: seconds, or a date."""
    text = (retry_after or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return max(0.0, (moment - datetime.datetime.now(datetime.timezone.utc)).total_seconds())
