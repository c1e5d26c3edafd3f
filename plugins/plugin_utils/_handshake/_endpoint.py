# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Endpoints: what people write, and the one name each endpoint has in results (``smtp://ex01:25``)."""

from __future__ import annotations

import collections.abc as c
import dataclasses
import ipaddress
import re

from .._errors import OptionError
from ._dialogue import Starttls


@dataclasses.dataclass(frozen=True)
class Scheme:
    """A protocol with its usual port; ``starttls`` is None where TLS begins at once."""

    name: str
    port: int | None
    starttls: Starttls | None = None


# What may be written, and what it means. Schemes with a name of another one are the same protocol on another port.
SCHEMES = {
    "smtp": Scheme("smtp", 25, Starttls.SMTP),
    "smtp587": Scheme("smtp", 587, Starttls.SMTP),
    "submission": Scheme("smtp", 587, Starttls.SMTP),
    "smtps": Scheme("smtps", 465),
    "submissions": Scheme("smtps", 465),
    "lmtp": Scheme("lmtp", 24, Starttls.LMTP),
    "https": Scheme("https", 443),
    "imap": Scheme("imap", 143, Starttls.IMAP),
    "imaps": Scheme("imaps", 993),
    "pop3": Scheme("pop3", 110, Starttls.POP3),
    "pop3s": Scheme("pop3s", 995),
    "tls": Scheme("tls", None),
}

_ALLOWED = (
    "Write a protocol, or protocol://host:port, where host and port may be left out (smtp, https://mail.example.com, "
    f"smtp://:2525, imaps://[2001:db8::1]). Protocols: {', '.join(SCHEMES)}; tls needs a port"
)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """A place where a TLS server is expected. ``host`` is a name or an address, an IPv6 address without brackets."""

    scheme: str
    host: str
    port: int
    starttls: Starttls | None

    @property
    def name(self) -> str:
        return f"{self.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def parse_endpoints(texts: c.Iterable[str], default_host: str) -> list[Endpoint]:
    """The endpoints in their order, each once. Raises :class:`OptionError` that names every bad one."""
    found: dict[str, Endpoint] = {}
    problems = []
    for text in texts:
        try:
            endpoint = parse_endpoint(text, default_host)
        except OptionError as exc:
            problems.append(exc.message)
        else:
            found.setdefault(endpoint.name, endpoint)
    if problems:
        raise OptionError(f"'endpoints': {'; '.join(problems)}. {_ALLOWED}.")
    return list(found.values())


def parse_endpoint(text: str, default_host: str) -> Endpoint:
    """One endpoint. Raises :class:`OptionError` with the reason alone."""
    written = text.strip()
    word, separator, rest = written.partition("://")
    if separator:
        scheme = _scheme(word, text)
        rest = rest[:-1] if rest.endswith("/") else rest
    elif written.lower() in SCHEMES:
        scheme, rest = SCHEMES[written.lower()], ""
    elif (match := re.fullmatch(r"(\w+):(\d+)", written)) and match[1].lower() in SCHEMES:
        scheme, rest = SCHEMES[match[1].lower()], f":{match[2]}"
    else:
        scheme, rest = _scheme_by_port(written), written
    host, port = _split(rest, text)
    port = port or scheme.port
    if port is None:
        raise OptionError(f"{text!r} needs a port, as in {scheme.name}://{host or default_host}:443")
    return Endpoint(scheme.name, _host(host or default_host, text), port, scheme.starttls)


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def dns_name(name: str) -> str | None:
    """The name as it goes over the wire (ASCII, no dot at the end), or None where it is no host name."""
    try:
        ascii_name = name.rstrip(".").encode("idna").decode("ascii") if not name.isascii() else name.rstrip(".")
    except UnicodeError:
        return None
    labels = ascii_name.split(".")
    # a last label of digits would be an address (RFC 3696, 2)
    if len(ascii_name) > 253 or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        return None
    return ascii_name


def parse_server_name(text: str) -> str:
    """A name for SNI that the user wants. Raises :class:`OptionError` where SNI cannot carry it."""
    name = None if is_address(text) else dns_name(text)
    if name is None:
        raise OptionError(
            f"'server_name' is {text!r}, which is no host name. TLS can only ask for a name (SNI), never for an "
            "address; leave it out to use the host's own name."
        )
    return name


def own_server_name(endpoint: Endpoint, inventory_hostname: str) -> str | None:
    """The name for SNI where the user wants none, or None for none.

    The endpoint's host where it is a name, else the inventory's name of the host where it looks like a full one.
    """
    for candidate in (endpoint.host, inventory_hostname if "." in inventory_hostname.strip(".") else ""):
        name = None if is_address(candidate) else dns_name(candidate)
        if name is not None:
            return name
    return None


def _scheme(word: str, text: str) -> Scheme:
    scheme = SCHEMES.get(word.lower())
    if scheme is None:
        raise OptionError(f"{text!r} has the unknown protocol {word!r}")
    return scheme


def _scheme_by_port(text: str) -> Scheme:
    """For ``host:port``: a port that only one protocol uses says which it is."""
    host, colon, port = text.rpartition(":")
    known = {scheme.port: scheme for scheme in SCHEMES.values() if scheme.port}
    if colon and host and port.isascii() and port.isdigit() and int(port) in known:
        return known[int(port)]
    if colon and port.isdigit():
        raise OptionError(
            f"{text!r} does not say which protocol is spoken there, as smtp://{text} or tls://{text} would"
        )
    raise OptionError(f"{text!r} is no protocol and no host with a port")


def _split(rest: str, text: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"(?:\[(?P<v6>[^\[\]]*)\]|(?P<host>[^:\[\]]*))(?::(?P<port>[0-9]{1,5}))?", rest)
    if match is None:
        if rest.count(":") > 1 and "[" not in rest:
            raise OptionError(f"{text!r}: put an IPv6 address in brackets, as in https://[2001:db8::1]:443")
        raise OptionError(f"{text!r}: {rest!r} is no host with a port")
    if match["v6"] is not None and not (":" in match["v6"] and is_address(match["v6"])):
        raise OptionError(f"{text!r}: {match['v6']!r} is no IPv6 address")
    port = int(match["port"]) if match["port"] is not None else None
    if port is not None and not 1 <= port <= 65535:
        raise OptionError(f"{text!r}: a port is a number from 1 to 65535")
    return match["v6"] or match["host"] or "", port


def _host(host: str, text: str) -> str:
    # ansible_host may have brackets of its own
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if is_address(bare):
        return bare
    if dns_name(bare) is None:
        raise OptionError(f"{text!r}: {host!r} is neither a host name nor an address")
    return bare
