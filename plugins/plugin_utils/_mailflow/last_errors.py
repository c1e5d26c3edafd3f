# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What a queue says of its last failure (LastError of Get-Queue), and error texts in its forms. Pure.

Recorded are a bare text, and ``[{LED=text};{MSG=};{FQDN=host};{IP=address};{LRT=time}]``, in any order, with parts
missing, and with quotes, braces and semicolons inside the text. The time is in the culture of the server, so that it is
no more than a text here. Message traces of Exchange Online write ``[LastAttemptedServerName=host]`` and their like.
See docs/reference/mail.md 1.2.
"""

from __future__ import annotations

import dataclasses
import re

from .words import INSIDE_OF_ERRORS

# Longer than any text that was ever recorded; what is behind it is not looked at.
LONGEST = 20_000

_MARK = re.compile(r"\{\s*(LED|MSG|FQDN|IP|LRT)\s*=", re.IGNORECASE)
_TRACED = re.compile(r"\[(LastAttemptedServerName|LastAttemptedIP)=([^\]]{0,300})\]", re.IGNORECASE)
_LAST_TRIED = re.compile(r"last endpoint attempted was ([0-9A-Fa-f.:\[\]]{3,60})", re.IGNORECASE)
_NAMES = {"lastattemptedservername": "fqdn", "lastattemptedip": "ip"}

# Three digits of SMTP (RFC 5321) and the enhanced code (RFC 3463). Translations put quotes around the first.
_CODE = re.compile(r"(?<![\d.])(?:([245]\d\d)[\"'\u00bb\u201d)]?[ -]{1,3})?([245]\.\d{1,3}\.\d{1,3})(?!\d|\.\d)")
# What a front end says that sends for the hub: the hop that failed is one behind it, whose port is not told.
_OF_FRONT_END = "4.4.101"
# Errors of Winsock that a connection ends with. The number may be a count or a port as well: what makes it an error is
# the word right before it, or one not far away that no translation changes, or that is of a connection that failed.
_WORD = r"(?:error|errno|code|winsock|exception|\bWSA[A-Z]{3,30})[^\w\n]{1,5}"
_NEAR = r"(?:winsock|\brefused\b|\bactively\b|\btimed ?out\b)"
_BEFORE, _BEHIND = 40, 60
_BEGINS = r"(?<![A-Za-z0-9.\]-])(?<![A-Za-z0-9\]]:)"
_ENDS = r"(?![\d.:]\d|\d)"
_COUNTED = r"(?! ?(?:users|recipients|messages|mails|items|bytes|seconds|ms)\b)"


def winsock(*numbers: int) -> str:
    """What finds one of these errors in a text, as its only group."""
    number = "|".join(map(str, numbers))
    whole = f"(?:{number}){_ENDS}{_COUNTED}"
    before, behind = f"{_NEAR}.{{0,{_BEFORE}}}?{_BEGINS}(?={whole})", f"{_BEGINS}(?={whole}.{{0,{_BEHIND}}}{_NEAR})"
    return f"(?:{_WORD}|{before}|{behind})({number}){_ENDS}"


_WINSOCK = re.compile(winsock(10051, 10053, 10054, 10060, 10061, 10065, 11001, 11004), re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class LastError:
    """``text``: the error itself, on one line. ``codes``: as they come, such as ``451 4.4.397``. ``host``, ``address``:
    whom it was tried with, which may be a front end that sends for the hub. ``time``: of the last try, as it is.
    ``winsock``: the number of the error of the connection. None for what the text does not have."""

    text: str
    codes: tuple[str, ...] = ()
    host: str | None = None
    address: str | None = None
    time: str | None = None
    winsock: int | None = None
    #: Whether it is in the form of a queue, in braces.
    in_braces: bool = False
    #: Whether the hop that failed is one between services of Exchange itself, by its port.
    is_inside: bool = False


def read(text: str) -> LastError:
    """Any text gives an answer. No more than :data:`LONGEST` characters are looked at."""
    whole = " ".join(text[:LONGEST].split())
    parts = _parts(whole)
    error = parts.get("LED") or whole
    traced = {_NAMES[match[1].lower()]: match[2] for match in _TRACED.finditer(whole)}
    tried = _LAST_TRIED.search(whole)
    number = _WINSOCK.search(error)
    address = parts.get("IP") or traced.get("ip") or (tried[1].rstrip(".:") if tried else None)
    return LastError(
        text=error,
        codes=codes(error),
        host=parts.get("FQDN") or traced.get("fqdn") or None,
        address=address,
        time=parts.get("LRT") or None,
        winsock=int(number[1]) if number else None,
        in_braces=bool(parts),
        is_inside=_port(address or "").encode() in INSIDE_OF_ERRORS and _OF_FRONT_END not in error,
    )


def codes(text: str) -> tuple[str, ...]:
    """Those of a text, as they come, each once."""
    return tuple(dict.fromkeys(" ".join(filter(None, match.groups())) for match in _CODE.finditer(text)))


def _port(endpoint: str) -> str:
    """Empty for an address without a port. An IPv6 address may have its port without brackets."""
    is_address = (endpoint.count(":") == 7 and "::" not in endpoint) or endpoint.count("[") > endpoint.count("]")
    host, colon, port = endpoint.rpartition(":")
    return port if colon and host and not is_address else ""


def _parts(whole: str) -> dict[str, str]:
    """The parts in braces, by their names: each goes on until the next one begins. The first of a name counts."""
    marks = list(_MARK.finditer(whole))
    found: dict[str, str] = {}
    ends = [*(mark.start() for mark in marks[1:]), len(whole)]
    # without any mark there is one end too many
    for mark, end in zip(marks, ends, strict=False):
        raw = whole[mark.end() : end]
        name = mark[1].upper()
        found.setdefault(name, _error(raw) if name == "LED" else raw.partition("}")[0].strip("]; "))
    return found


def _error(raw: str) -> str:
    """Without the signs that close the part and the whole, but with those that close what it has opened itself."""
    text = raw.rstrip("}];, {[")
    missing = {"}": text.count("{") - text.count("}"), "]": text.count("[") - text.count("]")}
    for sign in raw[len(text) :]:
        if missing.get(sign, 0) <= 0:
            break
        missing[sign] -= 1
        text += sign
    return text.strip()
