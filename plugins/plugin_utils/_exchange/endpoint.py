# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Where Exchange's cmdlets are asked, and as whom: from the host's own connection, with ``exchange_*`` before it. Pure.

Everything that can be seen to be wrong is said before anything is sent.
"""

from __future__ import annotations

import dataclasses
import difflib
import ipaddress
import re
import typing as t

from .._errors import OptionError
from .._text import NAME, visible

KERBEROS, BASIC = "kerberos", "basic"
HTTP, HTTPS = "http", "https"
_PORTS = {HTTP: 80, HTTPS: 443}
# Exchange's own documents connect to this; the endpoint is an application of IIS, not WinRM's /wsman.
_PATH = "PowerShell"
_SERVICE = "HTTP"
_SECONDS = 30
_CMDLET_SECONDS = 600
_LONGEST = 3600
_PREFIX = "exchange_"
# Of the letters of a variable: other collections may have variables with the same prefix, and nearly the same name.
_ALIKE = 0.9
_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """An address of Exchange's endpoint, and a login for it."""

    server: str
    port: int
    scheme: str
    auth: str
    path: str = _PATH
    #: None for Kerberos: the ticket that is there already.
    user: str | None = None
    password: str | None = dataclasses.field(default=None, repr=False)
    #: True: the system's authorities; False: no check; a text: a file or folder of authorities.
    verify: bool | str = True
    #: Whole seconds that an operation may take before the server answers that it goes on.
    operation_timeout: int = _SECONDS
    connection_timeout: int = _SECONDS
    #: Seconds after which a cmdlet that says again and again that it goes on is given up.
    cmdlet_timeout: int = _CMDLET_SECONDS
    #: The host of the Kerberos service name, where it is not the server.
    kerberos_host: str | None = None
    kerberos_service: str = _SERVICE

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.server}:{self.port}/{self.path}"

    @property
    def secure(self) -> bool:
        return self.scheme == HTTPS


@dataclasses.dataclass(frozen=True)
class Login:
    """What the host's own connection logs in with, and how it checks certificates."""

    user: str | None = None
    password: str | None = dataclasses.field(default=None, repr=False)
    verify: bool | str = True


#: The variables that decide, and what they mean. The guide to maintenance has them in the same words.
OPTIONS: t.Final[dict[str, str]] = {
    "exchange_server": "the Exchange server to ask, by its full name or as the inventory names it; where not given, "
    "another member of the DAG for a maintenance, and the host itself for everything else and in no DAG",
    "exchange_port": "80 for http and 443 for https where not given",
    "exchange_scheme": "http or https; http for kerberos, which seals every message itself, and https for basic",
    "exchange_auth": "kerberos or basic; kerberos where not given",
    "exchange_user": "for kerberos name@REALM; the user of the host's own connection where not given",
    "exchange_password": "the password of the host's own connection where neither it nor another user is given",
    "exchange_cert_validation": "validate or ignore; as for the host itself where not given",
    "exchange_ca_cert": "a file of authorities; as for the host itself where not given",
    "exchange_path": f"the path of the endpoint, with a query string where one is wanted; {_PATH} where not given",
    "exchange_operation_timeout": f"seconds that the server may be silent; {_SECONDS} where not given",
    "exchange_connection_timeout": f"seconds for a connection; {_SECONDS} where not given",
    "exchange_cmdlet_timeout": f"seconds for a whole cmdlet; {_CMDLET_SECONDS} where not given",
    "exchange_kerberos_hostname_override": "the host of the Kerberos service name; the server where not given",
    "exchange_kerberos_service": f"the service of the Kerberos service name; {_SERVICE} where not given",
}


def misspelt(variables: t.Iterable[str]) -> list[str]:
    """One sentence for each variable that is so close to one of :data:`OPTIONS` that nothing else can be meant."""
    return [
        f"there is no variable '{visible(name, NAME)}' (did you mean '{_PREFIX}{close}'?)"
        for name in sorted(map(str, variables))
        if name.lower().startswith(_PREFIX) and name not in OPTIONS and (close := _meant(name[len(_PREFIX) :].lower()))
    ]


def _meant(name: str) -> str | None:
    """The option of which it is a slip, both without the prefix."""
    known = [option[len(_PREFIX) :] for option in OPTIONS]
    # a list of them, or one more, is a variable of somebody's own
    if re.sub(r"s$|_?[0-9]+$", "", name) in set(known) - {name}:
        return None
    swapped = [option for option in known if sorted(option) == sorted(name)]
    return next(iter(swapped or difflib.get_close_matches(name, known, n=1, cutoff=_ALIKE)), None)


def endpoint(own_server: str, login: Login, given: t.Mapping[str, t.Any]) -> Endpoint:
    """The endpoint for a host. A blank text counts as not given.

    ``own_server``: the host's own full name, for where ``exchange_server`` names no other. ``given``: the variables
    that begin with ``exchange_``. Raises :class:`OptionError` that names every problem.
    """
    options = {name: value for name, value in given.items() if not _blank(value)}
    problems = [f"unknown variable {visible(name, NAME)!r}" for name in options if name not in OPTIONS]
    read = _Reader(options, problems)
    auth = read.one_of("exchange_auth", (KERBEROS, BASIC), KERBEROS)
    scheme = read.one_of("exchange_scheme", (HTTP, HTTPS), HTTPS if auth == BASIC else HTTP)
    server = read.text("exchange_server") or own_server.strip()
    user, password = read.text("exchange_user"), read.secret("exchange_password")
    if user is None:
        user = login.user or None
    if password is None and ("exchange_user" not in options or user == login.user):
        # another account's password is not this one's
        password = login.password or None
    made = Endpoint(
        server=server,
        port=read.number("exchange_port", _PORTS[scheme], 65535),
        scheme=scheme,
        auth=auth,
        path=(read.text("exchange_path") or _PATH).strip("/"),
        user=user,
        password=password,
        verify=read.verify(login.verify),
        operation_timeout=read.number("exchange_operation_timeout", _SECONDS, _LONGEST),
        connection_timeout=read.number("exchange_connection_timeout", _SECONDS, _LONGEST),
        cmdlet_timeout=read.number("exchange_cmdlet_timeout", _CMDLET_SECONDS, _LONGEST),
        kerberos_host=read.text("exchange_kerberos_hostname_override"),
        kerberos_service=read.text("exchange_kerberos_service") or _SERVICE,
    )
    problems += _contradictions(made)
    if problems:
        raise OptionError(f"Exchange's cmdlets cannot be asked: {'; '.join(problems)}.")
    return made


def address_of(name: str, hosts: t.Mapping[str, t.Mapping[str, t.Any]]) -> str:
    """The address of a server that may be named as in the inventory, whose variables ``hosts`` holds.

    A full name stays where the inventory has only a number for it: Kerberos knows servers by name.
    """
    # what Ansible has for the variables of all hosts knows no get() that could be trusted
    address = str((hosts[name].get("ansible_host") if name in hosts else None) or name).strip()
    return name if is_address(address) and "." in name and not is_address(name) else address


def neighbour(own: str, others: t.Sequence[str]) -> str:
    """The first of other computers of the domain of a server, with its full name if that has one; itself for none."""
    if not others:
        return own
    domain = "" if is_address(own) else own.rstrip(".").partition(".")[2]
    return f"{others[0]}.{domain}" if domain and "." not in others[0] else others[0]


def _contradictions(made: Endpoint) -> t.Iterator[str]:
    if not made.server:
        yield "there is no server to ask; set exchange_server to the full name of an Exchange server"
    elif is_address(made.server):
        if made.auth == KERBEROS and made.kerberos_host is None:
            yield (
                f"{made.server} is an address, and Kerberos knows servers by name only; set exchange_server to the "
                "full name of an Exchange server, or exchange_kerberos_hostname_override"
            )
    elif not _NAME.fullmatch(made.server):
        yield f"exchange_server is {visible(made.server, NAME)!r}, which is not the name of a server"
    if made.auth == BASIC and not made.secure:
        yield "basic sends the password as it is, so it needs https; set exchange_scheme to https, or use kerberos"
    if made.auth == BASIC and (made.user is None or made.password is None):
        yield "basic needs a user and a password; set exchange_user and exchange_password"
    if made.auth == KERBEROS and made.password is not None and made.user is None:
        yield "there is a password without a user; set exchange_user"
    if made.auth == KERBEROS and made.user is not None and "\\" in made.user:
        yield (
            f"the user is {visible(made.user, NAME)!r}, and Kerberos wants name@REALM; set exchange_user in that form, "
            "the realm in capitals"
        )
    if not re.fullmatch(r"[!-~]+", made.path):
        yield f"exchange_path is {visible(made.path, NAME)!r}, which is no path of a URL"


class _Reader:
    """Reads options; what is wrong with one is noted, and its default goes on."""

    def __init__(self, given: t.Mapping[str, t.Any], problems: list[str]) -> None:
        self._given = given
        self._problems = problems

    def text(self, name: str) -> str | None:
        value = self._given.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self._problems.append(f"{name} is {visible(repr(value), NAME)}, which is no text")
            return None
        return value.strip()

    def secret(self, name: str) -> str | None:
        value = self._given.get(name)
        if value is None or isinstance(value, str):
            return value
        self._problems.append(f"{name} is no text; write it in quotes")
        return None

    def one_of(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self._given.get(name, default)
        found = value.strip().lower() if isinstance(value, str) else value
        if found in allowed:
            return str(found)
        self._problems.append(f"{name} is {visible(repr(value), NAME)}, but it takes {' or '.join(allowed)}")
        return default

    def number(self, name: str, default: int, most: int) -> int:
        value = self._given.get(name, default)
        text = str(value).strip()
        if not isinstance(value, bool) and re.fullmatch("[0-9]{1,6}", text) and 1 <= int(text) <= most:
            return int(text)
        self._problems.append(f"{name} is {visible(repr(value), NAME)}, but it takes a number from 1 to {most}")
        return default

    def verify(self, own: bool | str) -> bool | str:
        how = self.one_of("exchange_cert_validation", ("validate", "ignore"), "validate")
        authorities = self.text("exchange_ca_cert")
        if "exchange_cert_validation" in self._given and how == "ignore":
            if authorities is not None:
                self._problems.append("exchange_ca_cert is of no use where exchange_cert_validation is ignore")
            return False
        if authorities is not None:
            return authorities
        # asked to validate: the host's own file of authorities stays, its "ignore" does not
        return own or "exchange_cert_validation" in self._given


def _blank(value: t.Any) -> bool:
    """What an empty field of a survey sends."""
    return value is None or (isinstance(value, str) and not value.strip())


def is_address(server: str) -> bool:
    """Whether it is a number, not a name."""
    try:
        ipaddress.ip_address(server.strip("[]"))
    except ValueError:
        return False
    return True


def is_same_server(one: str, other: str) -> bool:
    """Whether two names mean one server: names have no case, and a short name means any that begins with it.

    Addresses are the same only where they are equal.
    """
    first, second = (name.strip().rstrip(".").casefold() for name in (one, other))
    if not first or not second:
        return False
    if first == second:
        return True
    if is_address(first) or is_address(second):
        return False
    if "." in first and "." in second:
        return False
    return first.partition(".")[0] == second.partition(".")[0]
