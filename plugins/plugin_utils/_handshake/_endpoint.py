# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Endpoints: what people write, and the one name each endpoint has in results (``smtp://ex01:25``)."""

from __future__ import annotations

import collections.abc as c
import dataclasses
import difflib
import ipaddress
import json
import re

from .._errors import OptionError
from .._text import NAME, visible
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
_EXAMPLE = "a list such as [smtp, https]"
_PORT = re.compile(r"0*([0-9]{1,5})")
# the name of an interface; ipaddress would take any text
_ZONE = re.compile(r"[\w.-]{1,32}", re.ASCII)
_LONGEST_NAME = 253
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


def parse_endpoints(written: object, default_host: str, *, allow_empty: bool = False) -> list[Endpoint]:
    """The endpoints of a list, or of a text with commas, in their order. One that two spellings name is there once.

    Raises :class:`OptionError` that names every bad entry and what was probably meant. No endpoint at all is refused
    too, because it would prove nothing and look like success; ``allow_empty`` is for callers that know better.
    """
    entries = _entries(written)
    if not entries and not allow_empty:
        raise OptionError(
            f"'endpoints' is empty, so there is nothing to try and nothing would be proven. Give {_EXAMPLE}."
        )
    found: dict[str, Endpoint] = {}
    problems = []
    for index, entry in enumerate(entries):
        try:
            endpoint = parse_endpoint(entry, default_host)
            if entry in entries[:index]:
                raise OptionError(f"{_quoted(entry)} is there twice; once is enough")
        except OptionError as exc:
            problems.append(exc.message)
        else:
            found.setdefault(endpoint.name, endpoint)
    if problems:
        raise OptionError(f"'endpoints': {'; '.join(dict.fromkeys(problems))}. {_ALLOWED}.")
    return list(found.values())


def parse_endpoint(entry: object, default_host: str) -> Endpoint:
    """One endpoint. Raises :class:`OptionError` with the reason and what was probably meant."""
    if not isinstance(entry, str):
        raise OptionError(_no_text(entry))
    text = entry.strip()
    if not text:
        raise OptionError(f"{_quoted(entry)} is blank; leave it out or write a protocol, as in smtp")
    try:
        return _parse(text, default_host)
    except OptionError as exc:
        raise OptionError(exc.message + _hint(text, default_host)) from None


def _entries(written: object) -> list[object]:
    if isinstance(written, str):
        listed = _json_list(written)
        if listed is not None:
            raise OptionError(f"'endpoints' is the text {_quoted(written)}, not a list. {_as_list(listed)}")
        # as Ansible does it
        return list(written.split(","))
    if isinstance(written, c.Mapping):
        raise OptionError(f"'endpoints' is no list: {_no_text(written)}. Give {_EXAMPLE}.")
    if not isinstance(written, c.Sequence) or isinstance(written, (bytes, bytearray)):
        raise OptionError(f"'endpoints' is {_quoted(written)}, not a list. Give {_EXAMPLE}.")
    listed = _json_list(",".join(map(str, written)))
    if listed is not None:
        # what becomes of such a text where Ansible wants a list
        raise OptionError(
            f"'endpoints' is a list written as one text: {_quoted(','.join(map(str, written)))}. {_as_list(listed)}"
        )
    return list(written)


def _json_list(text: str) -> list[object] | None:
    if not text.strip().startswith("["):
        return None
    try:
        # YAML's and Python's way to write a list of texts differs from JSON's in the quotes alone
        listed = json.loads(text.replace("'", '"'))
    except (ValueError, RecursionError):
        return None
    return listed if isinstance(listed, list) else None


def _as_list(listed: list[object]) -> str:
    return f"Write the list without quotes around it: {visible('[' + ', '.join(map(str, listed)) + ']', NAME)}."


def _no_text(entry: object) -> str:
    """Why an entry that is no text is none, with the text that a mapping of one port stands for."""
    if isinstance(entry, c.Mapping):
        meant = ", ".join(f"{word}:{port}" for word, port in entry.items())
        return f"{_quoted(entry)} is a mapping; write {_quoted(meant)}" if meant else "{} is an empty mapping"
    kind = {type(None): "nothing", bool: "true or false", int: "a number", list: "a list"}.get(type(entry), "no text")
    return f"{_quoted(entry)} is {kind}, and an endpoint is a text such as smtp or smtp:2525"


def _quoted(entry: object) -> str:
    return f"'{visible(entry, NAME)}'"


def _hint(text: str, default_host: str) -> str:
    """What was probably meant, in brackets, or "" where nothing is near."""
    bare = re.sub(r"[^\x21-\x7e]|[\[\](){}\"'`]", "", text)
    word = re.split(r"[^\w]", bare, maxsplit=1)[0]
    close = [] if word.lower() in SCHEMES else difflib.get_close_matches(word[:NAME].lower(), SCHEMES, n=1, cutoff=0.7)
    host = [f"smtp://{bare}"] if bare and word.lower() not in SCHEMES else []
    for candidate in (bare, *(name + bare[len(word) :] for name in close), *close, *host):
        if candidate != text and _is_endpoint(candidate, default_host):
            return f" (did you mean {_quoted(candidate)}?)"
    return ""


def _is_endpoint(text: str, default_host: str) -> bool:
    try:
        _parse(text, default_host)
    except OptionError:
        return False
    return True


def _parse(text: str, default_host: str) -> Endpoint:
    word, separator, rest = text.partition("://")
    name, colon, port_text = text.partition(":")
    if separator:
        scheme = _scheme(word, text)
        rest = rest[:-1] if rest.endswith("/") else rest
    elif name.lower() in SCHEMES:
        scheme, rest = SCHEMES[name.lower()], colon + port_text
    else:
        scheme, rest = _scheme_by_port(text), text
    host, port = _split(rest, text)
    port = port or scheme.port
    if port is None:
        raise OptionError(f"{_quoted(text)} needs a port, as in {scheme.name}://{host or default_host}:443")
    return Endpoint(scheme.name, _host(host or default_host, text), port, scheme.starttls)


def is_address(host: str) -> bool:
    address, percent, zone = host.partition("%")
    if percent and not _ZONE.fullmatch(zone):
        return False
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return not percent or ":" in address


def dns_name(name: str) -> str | None:
    """The name as it goes over the wire (ASCII, no dot at the end), or None where it is no host name."""
    if len(name) > _LONGEST_NAME:
        return None
    try:
        ascii_name = name.rstrip(".").encode("idna").decode("ascii") if not name.isascii() else name.rstrip(".")
    except UnicodeError:
        return None
    labels = ascii_name.split(".")
    # a last label of digits would be an address (RFC 3696, 2)
    if len(ascii_name) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        return None
    return ascii_name


def parse_server_name(text: str) -> str:
    """A name for SNI that the user wants. Raises :class:`OptionError` where SNI cannot carry it."""
    name = None if is_address(text) else dns_name(text)
    if name is None:
        raise OptionError(
            f"'server_name' is {_quoted(text)}, which is no host name. TLS can only ask for a name (SNI), never for an "
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
        raise OptionError(f"{_quoted(text)} has the unknown protocol {_quoted(word)}")
    return scheme


def _scheme_by_port(text: str) -> Scheme:
    """For ``host:port``: a port that only one protocol uses says which it is."""
    host, colon, port_text = text.rpartition(":")
    if not (colon and host and port_text.isdigit()):
        raise OptionError(f"{_quoted(text)} is no protocol and no host with a port")
    port = _port(port_text, text)
    if any(sorted(host.lower()) == sorted(name) for name in SCHEMES):
        raise OptionError(f"{_quoted(text)} has the unknown protocol {_quoted(host)}")
    known = {scheme.port: scheme for scheme in SCHEMES.values()}
    if port not in known:
        raise OptionError(
            f"{_quoted(text)} does not say which protocol is spoken there, as smtp://{visible(text, NAME)} or "
            f"tls://{visible(text, NAME)} would"
        )
    return known[port]


def _port(digits: str, text: str) -> int:
    """Only short ones become a number: Python refuses more than 4300 digits, and isdigit knows more than ten."""
    match = _PORT.fullmatch(digits)
    port = int(match[1]) if match else 0
    if not 1 <= port <= 65535:
        raise OptionError(f"{_quoted(text)}: a port is a number from 1 to 65535")
    return port


def _split(rest: str, text: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"(?:\[(?P<v6>[^\[\]]*)\]|(?P<host>[^:\[\]]*))(?::(?P<port>[^:\[\]]*))?", rest)
    if match is None:
        if rest.count(":") > 1 and "[" not in rest:
            raise OptionError(f"{_quoted(text)}: put an IPv6 address in brackets, as in https://[2001:db8::1]:443")
        raise OptionError(f"{_quoted(text)}: {_quoted(rest)} is no host with a port")
    if match["v6"] is not None and not (":" in match["v6"] and is_address(match["v6"])):
        raise OptionError(f"{_quoted(text)}: {_quoted(match['v6'])} is no IPv6 address")
    if match["port"] is not None and not match["port"].isdigit():
        raise OptionError(f"{_quoted(text)}: {_quoted(rest)} is no host with a port")
    port = _port(match["port"], text) if match["port"] is not None else None
    return match["v6"] or match["host"] or "", port


def _host(host: str, text: str) -> str:
    # ansible_host may have brackets of its own
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if is_address(bare):
        return bare
    if dns_name(bare) is None:
        raise OptionError(f"{_quoted(text)}: {_quoted(host)} is neither a host name nor an address")
    return bare
