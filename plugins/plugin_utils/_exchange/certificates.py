# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Certificates that connectors name, held against those that a server has. Pure.

A connector names one by issuer and subject, ``<I>CN=Issuer, O=Org<S>CN=mail.example.com``: the newest of that name is
used. Windows and others write the parts of such names in other orders and with other short names.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
import typing as t

from .._text import utc_text

_NAMED = re.compile(r"<I>(.*?)<S>(.*)", re.DOTALL)
# A part of a distinguished name; a value may be in quotes, and a comma in it may have a backslash before it.
_PART = re.compile(r'\s*([A-Za-z0-9.]+)\s*=\s*("(?:[^"]|"")*"|(?:\\.|[^,\\])*)\s*(?:,|$)')
# Short names that Windows alone writes, by what others write, and those that are written alike by all:
# docs/reference/mail.md 4.
_ALIKE: t.Final = {
    "S": "ST", "E": "1.2.840.113549.1.9.1", "UID": "0.9.2342.19200300.100.1.1", "SN": "2.5.4.4",
    "SERIALNUMBER": "2.5.4.5", "T": "2.5.4.12", "DESCRIPTION": "2.5.4.13", "POSTALCODE": "2.5.4.17",
    "POBOX": "2.5.4.18", "PHONE": "2.5.4.20", "G": "2.5.4.42", "I": "2.5.4.43",
}  # fmt: skip
_NUMBERED = "OID."
#: How far the chain of a certificate goes among those that a server has.
SELF_SIGNED, COMPLETE, NOT_HELD = "self_signed", "complete", "not_held"
_SMTP = "smtp"
_PLAIN: t.Final = frozenset({"CN", "O", "OU", "L", "ST", "C", "DC", "STREET"})


@dataclasses.dataclass(frozen=True)
class Certificate:
    """``services``: None where Exchange does not tell. ``note``: why something of it is None."""

    thumbprint: str | None
    subject: str | None = None
    issuer: str | None = None
    names: tuple[str, ...] = ()
    not_before: datetime.datetime | None = None
    not_after: datetime.datetime | None = None
    self_signed: bool | None = None
    services: tuple[str, ...] | None = None
    note: str | None = None

    @property
    def may_serve_mail(self) -> bool:
        """Whether it is enabled for SMTP, or Exchange does not tell."""
        return self.services is None or _SMTP in map(str.casefold, self.services)

    def stands_in_for(self, other: Certificate) -> bool:
        """Whether it has the subject of another, or is for all names of it."""
        names = {name.casefold() for name in other.names}
        return self.subject == other.subject or (bool(names) and names <= {name.casefold() for name in self.names})

    def as_result(self) -> dict[str, t.Any]:
        return {
            **dataclasses.asdict(self),
            "names": list(self.names),
            "services": None if self.services is None else list(self.services),
            "not_before": None if self.not_before is None else utc_text(self.not_before),
            "not_after": None if self.not_after is None else utc_text(self.not_after),
        }


@dataclasses.dataclass(frozen=True)
class Match:
    """``certificate``: the one that is meant, None for none. ``sure``: whether there surely is none. ``alike``: one
    with the same subject of another issuer."""

    certificate: Certificate | None
    sure: bool = True
    alike: Certificate | None = None


def named(name: str, certificates: t.Sequence[Certificate]) -> Match:
    """What a TlsCertificateName means among the certificates of a server."""
    match = _NAMED.fullmatch(name.strip())
    if match is None:
        return Match(None, sure=False)
    issuer, subject = _parts(match[1]), _parts(match[2])
    of_subject = [item for item in certificates if item.subject is not None and _parts(item.subject) == subject]
    found = [item for item in of_subject if item.issuer is not None and _parts(item.issuer) == issuer]
    if found:
        return Match(max(found, key=_end))
    readable = all(item.note is None for item in certificates)
    # of a part with several values, and of one without a short name, others may write the name otherwise
    plain = all(kind in _PLAIN and "+" not in value for kind, value in (*issuer, *subject))
    plain = plain and bool(issuer and subject)
    return Match(None, sure=readable and plain, alike=max(of_subject, key=_end, default=None))


def chain(certificate: Certificate, certificates: t.Sequence[Certificate]) -> str | None:
    """How far the chain goes by the names of issuers: :data:`SELF_SIGNED`, :data:`COMPLETE` up to one that has signed
    itself, or :data:`NOT_HELD`; None for a certificate that cannot be read."""
    if certificate.self_signed:
        return SELF_SIGNED
    if certificate.issuer is None:
        return None
    wanted = {_parts(certificate.issuer)}
    # what is no such name is nobody's
    seen: set[tuple[tuple[str, str], ...]] = {()}
    while wanted := wanted - seen:
        seen |= wanted
        issuers = [item for item in certificates if item.subject is not None and _parts(item.subject) in wanted]
        if any(item.self_signed for item in issuers):
            return COMPLETE
        wanted = {_parts(item.issuer) for item in issuers if item.issuer is not None}
    return NOT_HELD


def _end(certificate: Certificate) -> datetime.datetime:
    return certificate.not_after or datetime.datetime.min.replace(tzinfo=datetime.timezone.utc)


def _parts(name: str) -> tuple[tuple[str, str], ...]:
    """The parts of a distinguished name in an order of ours; none for what is no such name."""
    found = []
    place = 0
    while place < len(name):
        match = _PART.match(name, place)
        if match is None or match.end() == place:
            return ()
        kind, value = match[1].upper().removeprefix(_NUMBERED), match[2].strip()
        if value.startswith('"') and len(value) > 1:
            value = value[1:-1].replace('""', '"')
        else:
            value = re.sub(r"\\(.)", r"\1", value)
        found.append((_ALIKE.get(kind, kind), value.casefold()))
        place = match.end()
    return tuple(sorted(found))
