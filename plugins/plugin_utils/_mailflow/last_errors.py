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
import typing as t

from .words import INSIDE_OF_ERRORS, is_private

# Longer than any text that was ever recorded; what is behind it is not looked at.
LONGEST = 20_000

_MARK = re.compile(r"\{\s*(LED|MSG|FQDN|IP|LRT)\s*=", re.IGNORECASE)
_TRACED = re.compile(r"\[(LastAttemptedServerName|LastAttemptedIP)=([^\]]{0,300})\]", re.IGNORECASE)
_LAST_TRIED = re.compile(r"last endpoint attempted was ([0-9A-Fa-f.:\[\]]{3,60})", re.IGNORECASE)
_WITHOUT_BLANKS = frozenset({"FQDN", "IP"})
_NAMES = {"lastattemptedservername": "fqdn", "lastattemptedip": "ip"}

# Three digits of SMTP (RFC 5321) and the enhanced code (RFC 3463). Translations put quotes around the first.
_CODE = re.compile(r"(?<![\d.])(?:([245]\d\d)[\"'\u00bb\u201d)]?[ -]{1,3})?([245]\.\d{1,3}\.\d{1,3})(?!\d|\.\d)")
# What a front end says that sends for the hub: the hop that failed is one behind it, whose port is not told.
_OF_FRONT_END = re.compile(r"(?<![\d.])4\.4\.101(?![\d.])|Proxy session setup failed on Frontend", re.IGNORECASE)
# An endpoint of a service of Exchange. In a text only an address is one: of a name nobody can say whose it is.
_PORTS = "|".join(sorted(port.decode() for port in INSIDE_OF_ERRORS))
_INSIDE = re.compile(rf"(?<![\w.:\]%-])([\w.:\[\]%-]{{0,60}}):(?:{_PORTS})(?![\d.:]\d|\w)")
# Queues that are looked at, of those that were pasted together.
_MOST = 100
# The beginning of each of several that were pasted together.
_NEXT = re.compile(r"(?=\bLastError\s*[:=])", re.IGNORECASE)
_EMPTY = re.compile(r"LastError\s*[:=]\s*", re.IGNORECASE)
_OPENS = re.compile(r"\[\{\s*(?:LED|MSG|FQDN|IP|LRT)\s*=", re.IGNORECASE)
# Errors of Winsock that a connection ends with. The number may be a count or a port as well: what makes it an error is
# the word right before it, or one not far away that no translation changes, or that is of a connection that failed.
_WORD = r"(?:error|errno|code|winsock|exception|\bWSA[A-Z]{3,30})[^\w\n]{1,5}"
_NEAR = r"(?:winsock|\brefused\b|\bactively\b|\btimed ?out\b)"
_BEFORE, _BEHIND = 40, 60
_BEGINS = r"(?<![A-Za-z0-9.\]-])(?<![A-Za-z0-9\]]:)"
_ENDS = r"(?![\d.:]\d|\d)"
COUNTED = r"(?! ?(?:users|recipients|messages|mails|items|bytes|seconds|ms)\b)"


def winsock(*numbers: int) -> str:
    """What finds one of these errors in a text, as its only group."""
    number = "|".join(map(str, numbers))
    whole = f"(?:{number}){_ENDS}{COUNTED}"
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
    #: Whether the hop that failed is one between services of Exchange itself, by its port and its address.
    is_inside: bool = False


def read(text: str) -> LastError:
    """The first error of a text, whatever it is. No more than :data:`LONGEST` characters are looked at."""
    return read_all(text)[0]


def read_all(text: str) -> list[LastError]:
    """The errors of several queues, or the only one. Any text gives an answer; see :func:`read`."""
    whole = " ".join(text[:LONGEST].split())
    begun, *more = _NEXT.split(whole, _MOST)
    # what stands before the first one is no error of its own
    pieces = [begun + more[0], *more[1:]] if more else [begun]
    found = [error for piece in pieces for error in _of_piece(piece.strip())]
    return [error for error in found if error.text and not _EMPTY.fullmatch(error.text)] or found[:1]


def _of_piece(piece: str) -> list[LastError]:
    """The errors of one text, each with what stands beside it in its brackets."""
    begins: list[int] = []
    for match in _OPENS.finditer(piece):
        # one that is quoted within another is no other one
        if not begins or "}]" in piece[begins[-1] : match.start()]:
            begins.append(match.start())
    if len(begins) < 2:
        return [_read(piece, _parts(piece))]
    texts = [piece[begin:end] for begin, end in zip(begins, [*begins[1:], len(piece)], strict=True)]
    return [_read(text, parts) for text in texts[:_MOST] if (parts := _parts(text)).get("LED")] or [_read(piece, {})]


def _read(whole: str, parts: t.Mapping[str, str]) -> LastError:
    error = parts.get("LED") or parts.get("MSG") or ("" if "LED" in parts else whole)
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
        is_inside=not is_of_front_end(error) and (_is_inside(address or "") or _is_inside(error)),
    )


def is_of_front_end(text: str) -> bool:
    """Whether it is what a front end says that has sent for the hub: that of a hop behind it."""
    return _OF_FRONT_END.search(text) is not None


def _is_inside(text: str) -> bool:
    """Whether an endpoint in it is one of a service of Exchange: relays of others listen on such ports as well."""
    return any(_is_endpoint(match[0]) and is_private(match[1]) for match in _INSIDE.finditer(text))


def codes(text: str) -> tuple[str, ...]:
    """Those of a text, as they come, each once."""
    return tuple(dict.fromkeys(" ".join(filter(None, match.groups())) for match in _CODE.finditer(text)))


def _is_endpoint(text: str) -> bool:
    """Not so an address without a port. An IPv6 address may have its port without brackets."""
    return not (text.count(":") == 7 and "::" not in text) and text.count("[") == text.count("]")


def _parts(whole: str) -> dict[str, str]:
    """The parts in braces, by their names: each goes on until the next one begins. The first of a name counts."""
    marks = list(_MARK.finditer(whole))
    found: dict[str, str] = {}
    ends = [*(mark.start() for mark in marks[1:]), len(whole)]
    # without any mark there is one end too many
    for mark, end in zip(marks, ends, strict=False):
        raw = whole[mark.end() : end]
        name = mark[1].upper()
        found.setdefault(name, _error(raw) if name == "LED" else _value(name, raw.partition("}")[0].strip("]; ")))
    return found


def _value(name: str, text: str) -> str:
    """A console breaks lines in the middle of a word; hosts and addresses have no blanks."""
    return "".join(text.split()) if name in _WITHOUT_BLANKS else text


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
