# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab is made of: the YAML description as typed, checked data."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import yaml

from . import installed
from .cim import Clock
from .exchange import description as exchange_description
from .exchange.described import Dag
from .installed import Cluster, Exchange
from .presets import PresetError, Windows, services_preset, windows_preset
from .registry import Protection

ENDPOINT_KINDS = ("smtp", "smtp587", "smtps", "https", "imaps", "pop3s")
CERTIFICATES = ("good", "expired", "wrong_name", "other_ca")
KEYS = ("rsa", "ecdsa")
AUTH_METHODS = ("basic", "ntlm", "kerberos", "credssp", "certificate")
#: What a listener makes of logins that say nothing of the TLS connection that they are meant for (CbtHardeningLevel).
CBT_LEVELS = ("None", "Strict")
DEFAULT_STATES = ("on", "off", "none")
DEFAULT_SUBNET = 77

T = TypeVar("T")


class DescriptionError(ValueError):
    """The description of the lab is wrong; the message says where and what is allowed."""


@dataclass(frozen=True)
class Account:
    """An account that is valid on every host. A domain account is administrator on each of them."""

    user: str
    password: str
    administrator: bool = True
    domain: str | None = None


@dataclass(frozen=True)
class Winrm:
    """The WS-Management service. http, https: ports, or None for no such listener."""

    http: int | None = 5985
    https: int | None = None
    auth: tuple[str, ...] = ("ntlm",)
    allow_unencrypted: bool = False
    certificate: str = "good"
    path: str = "/wsman"
    #: Strict: a login over https must be bound to its TLS connection. None: bindings are not looked at.
    cbt: str = "Strict"
    #: The accounts to which client certificates are mapped (auth: certificate).
    mapped: tuple[str, ...] = ()
    #: Windows serves WinRM's https with Schannel as well: off means that every TLS version is always there.
    https_follows_schannel: bool = True
    #: Most items of an enumeration in one message, whatever the request allows (2008 R2 splits Win32_Service).
    page_size: int = 32000
    #: The reply to Enumerate holds no items at all: they come with the first Pull.
    first_page_empty: bool = False
    max_envelope_kb: int = 500


@dataclass(frozen=True)
class Endpoint:
    """A TLS listener of Exchange."""

    kind: str
    port: int
    certificate: str = "good"
    #: The kind of key in the certificate.
    key: str = "rsa"
    #: MAIL before STARTTLS is answered 451 5.7.3.
    require_tls: bool = False


@dataclass(frozen=True)
class Service:
    """One Windows service. starts_after: seconds from the end of a restart until it runs (automatic ones)."""

    name: str
    start_mode: str = "Auto"
    state: str = "Running"
    display_name: str = ""
    starts_after: float = 0.5


@dataclass(frozen=True)
class Restart:
    """shutdown_delay: from the request until connections die. down_for: until the host is back. Seconds."""

    shutdown_delay: float = 0.2
    down_for: float = 1.0


@dataclass(frozen=True)
class Hotfix:
    """One installed update. installed_on is text, as its form over WS-Management is unproven."""

    id: str
    installed_on: str = "10/15/2025"
    description: str = "Security Update"


@dataclass(frozen=True)
class HostDescription:
    """One host."""

    name: str
    address: str
    windows: Windows
    clock: Clock
    computer_name: str
    domain: str = "lab.test"
    part_of_domain: bool = True
    clock_offset: float = 0.0
    uptime: float = 864000.0
    registry: tuple[str | Mapping[str, Any], ...] = ("stock",)
    protected_keys: tuple[Protection, ...] = ()
    winrm: Winrm = Winrm()
    endpoints: tuple[Endpoint, ...] = ()
    services: tuple[Service, ...] = ()
    hotfixes: tuple[Hotfix, ...] = ()
    restart: Restart = Restart()
    #: False: a Windows that does not note when it shut down.
    shutdown_time: bool = True
    exchange: Exchange | None = None
    #: Whether the client of Configuration Manager says that a restart is due; None: there is none.
    ccm_restart_due: bool | None = None
    quirks: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fqdn(self) -> str:
        """The host's full name in lower case."""
        return f"{self.computer_name}.{self.domain}".lower() if self.part_of_domain else self.computer_name.lower()


@dataclass(frozen=True)
class LabDescription:
    """Accounts and hosts. exchange_clock: how many seconds pass for Exchange's own work in one second."""

    accounts: tuple[Account, ...]
    hosts: tuple[HostDescription, ...]
    dags: tuple[Dag, ...] = ()
    exchange_clock: float = 60.0


def load(source: Path | Mapping[str, Any], subnet: int = DEFAULT_SUBNET) -> LabDescription:
    """Reads a description. Raises DescriptionError with the place of the first mistake.

    subnet: hosts without an address get 127.<subnet>.x.y in order.
    """
    raw: Any = source
    if isinstance(source, Path):
        try:
            raw = yaml.safe_load(source.read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as exc:
            raise DescriptionError(f"{source}: {exc}") from exc
    known = _mapping(raw, "the description", {"accounts", "hosts", "dags", "exchange_clock"})
    accounts = tuple(_account(item, f"accounts[{n}]") for n, item in enumerate(_list(known, "accounts", "accounts")))
    if not accounts:
        raise DescriptionError("accounts: at least one account is needed")
    hosts_raw = known.get("hosts")
    if not isinstance(hosts_raw, Mapping) or not hosts_raw:
        raise DescriptionError("hosts: a mapping of host names is needed")
    hosts = tuple(_host(str(name), item or {}, number, subnet) for number, (name, item) in enumerate(hosts_raw.items()))
    _check_addresses(hosts)
    mailbox = {host.name: host.exchange is not None and "Mailbox" in host.exchange.roles for host in hosts}
    dags = exchange_description.dags(known.get("dags") or {}, mailbox)
    for dag in dags:
        names = {host.name: host.computer_name for host in hosts if host.name in dag.members}
        hosts = tuple(_member(host, dag, names.values()) if host.name in dag.members else host for host in hosts)
    clock = _number(known, "exchange_clock", 60.0, "the description")
    if clock <= 0:
        raise DescriptionError(f"exchange_clock: {clock!r} must be more than 0")
    return LabDescription(accounts, hosts, dags, clock)


def _member(host: HostDescription, dag: Dag, nodes: Iterable[str]) -> HostDescription:
    """A member has the cluster and its service, where its own description does not say otherwise."""
    assert host.exchange is not None
    cluster = host.exchange.cluster or Cluster(dag.name)
    if cluster.name != dag.name:
        raise DescriptionError(f"dags.{dag.name}.members: {host.name} is in the cluster {cluster.name}")
    if not cluster.nodes:
        cluster = Cluster(dag.name, dict.fromkeys(nodes, "up"), follows=True)
    services = host.services
    if not any(service.name == "ClusSvc" for service in services):
        services += (Service("ClusSvc"),)
    return replace(host, exchange=replace(host.exchange, cluster=cluster), services=services)


def _account(raw: Any, where: str) -> Account:
    account = _dataclass(Account, raw, where, required=("user", "password"))
    for text in (account.user, account.password, account.domain or ""):
        if ":" in text or "\n" in text:
            raise DescriptionError(f"{where}: user, password and domain may not hold a colon or a line break")
    return account


_HOST_KEYS = {
    "address", "windows", "os_defaults", "timezone", "fraction_digits", "clock_offset", "uptime", "computer_name",
    "domain", "part_of_domain", "registry", "protected_keys", "winrm", "endpoints", "services", "hotfixes", "restart",
    "quirks", "ubr", "shutdown_time", "exchange", "ccm_restart_due",
}  # fmt: skip


def _host(name: str, item: Any, number: int, subnet: int) -> HostDescription:
    where = f"hosts.{name}"
    raw = _mapping(item, where, _HOST_KEYS)
    try:
        windows = windows_preset(str(raw.get("windows", "2016")))
        windows = windows.changed(_os_defaults(raw.get("os_defaults") or {}, where), raw.get("ubr"))
        exchange = _exchange(raw["exchange"], f"{where}.exchange") if raw.get("exchange") else None
        ccm = raw.get("ccm_restart_due")
        given: list[Any] = [{"name": "CcmExec"}] if ccm is not None else []
        given += [{"name": "ClusSvc"}] if exchange and exchange.cluster else []
        services = _services([*given, *_list(raw, "services", where)], where)
    except PresetError as exc:
        raise DescriptionError(f"{where}: {exc}") from None
    return HostDescription(
        name=name,
        address=_address(raw.get("address"), number, subnet, where),
        windows=windows,
        clock=_clock(raw, where),
        computer_name=_string(raw, "computer_name", name.partition(".")[0].upper(), where),
        domain=_string(raw, "domain", "lab.test", where),
        part_of_domain=_bool(raw, "part_of_domain", True, where),
        clock_offset=_number(raw, "clock_offset", 0.0, where),
        uptime=_number(raw, "uptime", 864000.0, where),
        registry=tuple(_list(raw, "registry", where)) if "registry" in raw else ("stock",),
        protected_keys=tuple(
            _protection(key, f"{where}.protected_keys") for key in _list(raw, "protected_keys", where)
        ),
        winrm=_winrm(raw.get("winrm") or {}, f"{where}.winrm"),
        endpoints=tuple(
            _endpoint(entry, f"{where}.endpoints[{n}]") for n, entry in enumerate(_list(raw, "endpoints", where))
        ),
        services=services,
        hotfixes=tuple(
            _dataclass(Hotfix, entry, f"{where}.hotfixes[{n}]", required=("id",))
            for n, entry in enumerate(_list(raw, "hotfixes", where))
        ),
        restart=_dataclass(Restart, raw.get("restart") or {}, f"{where}.restart"),
        shutdown_time=_bool(raw, "shutdown_time", True, where),
        exchange=exchange,
        ccm_restart_due=None if ccm is None else _bool(raw, "ccm_restart_due", False, where),
        quirks=_mapping(raw.get("quirks") or {}, f"{where}.quirks", None),
    )


def _exchange(raw: Any, where: str) -> Exchange:
    own = {"build", "cumulative", "roles", "path", "cluster"}
    given = _mapping(raw, where, {*own, *exchange_description.KEYS})
    cluster = given.pop("cluster", None)
    asked = {name: given.pop(name) for name in exchange_description.KEYS if name in given}
    exchange = _dataclass(Exchange, given, where, required=("build",))
    exchange = replace(exchange, **exchange_description.cmdlets(asked, where))
    for name in ("build", "cumulative"):
        text = getattr(exchange, name)
        if text and not re.fullmatch(r"\d+\.\d+\.\d+\.\d+", text):
            raise DescriptionError(f"{where}.{name}: {text!r} must be four numbers, such as 15.01.2507.006")
    for role in exchange.roles:
        _one_of(role, installed.ROLES, f"{where}.roles")
    if (exchange.mail_out or exchange.mail_in) and not exchange.is_server:
        raise DescriptionError(f"{where}: no mail flows where only the management tools are")
    if cluster is None:
        return exchange
    known = _mapping(cluster, f"{where}.cluster", {"name", "nodes"})
    nodes = _mapping(known.get("nodes") or {}, f"{where}.cluster.nodes", None)
    for node, state in nodes.items():
        _one_of(state, tuple(installed.NODE_STATES), f"{where}.cluster.nodes.{node}")
    return replace(exchange, cluster=Cluster(_string(known, "name", "", f"{where}.cluster"), nodes))


def _os_defaults(raw: Any, where: str) -> dict[str, str]:
    result = {}
    for protocol, state in _mapping(raw, f"{where}.os_defaults", None).items():
        word = {True: "on", False: "off"}.get(state, state) if isinstance(state, bool) else state
        if word not in DEFAULT_STATES:
            raise DescriptionError(f"{where}.os_defaults.{protocol}: {state!r} is none of {', '.join(DEFAULT_STATES)}")
        result[str(protocol)] = str(word)
    return result


def _clock(raw: Mapping[str, Any], where: str) -> Clock:
    zone = raw.get("timezone", "Z")
    digits = raw.get("fraction_digits", 6)
    match = re.fullmatch(r"([+-])(\d\d):(\d\d)", zone) if isinstance(zone, str) else None
    if not match and zone != "Z":
        raise DescriptionError(f'{where}.timezone: {zone!r} must be "Z" or "+hh:mm" in quotes')
    if not isinstance(digits, int) or not 0 <= digits <= 6:
        raise DescriptionError(f"{where}.fraction_digits: {digits!r} must be 0 to 6")
    if match is None:
        return Clock(0, True, digits)
    minutes = int(match.group(2)) * 60 + int(match.group(3))
    return Clock(-minutes if match.group(1) == "-" else minutes, False, digits)


def _winrm(raw: Any, where: str) -> Winrm:
    winrm = _dataclass(Winrm, raw, where)
    for method in winrm.auth:
        _one_of(method, AUTH_METHODS, f"{where}.auth")
    _one_of(winrm.certificate, CERTIFICATES, f"{where}.certificate")
    _one_of(winrm.cbt, CBT_LEVELS, f"{where}.cbt")
    if winrm.mapped and "certificate" not in winrm.auth:
        raise DescriptionError(f"{where}.mapped: certificate is not among the auth of this host")
    if not winrm.path.startswith("/"):
        raise DescriptionError(f"{where}.path: {winrm.path!r} must start with a slash")
    return winrm


def _endpoint(raw: Any, where: str) -> Endpoint:
    endpoint = _dataclass(Endpoint, raw, where, required=("kind", "port"))
    _one_of(endpoint.kind, ENDPOINT_KINDS, f"{where}.kind")
    _one_of(endpoint.certificate, CERTIFICATES, f"{where}.certificate")
    _one_of(endpoint.key, KEYS, f"{where}.key")
    return endpoint


def _services(entries: Sequence[Any], where: str) -> tuple[Service, ...]:
    found: dict[str, Service] = {}
    for entry in ("windows", *entries):
        items = services_preset(entry) if isinstance(entry, str) else [entry]
        for item in items:
            service = _dataclass(Service, item, f"{where}.services", required=("name",))
            _one_of(service.start_mode, ("Auto", "Manual", "Disabled"), f"{where}.services.{service.name}.start_mode")
            found[service.name.upper()] = service
    return tuple(found.values())


def _protection(raw: Any, where: str) -> Protection:
    if isinstance(raw, str):
        return Protection(raw)
    known = _mapping(raw, where, {"key", "read"})
    if not isinstance(known.get("key"), str):
        raise DescriptionError(f"{where}: write a path, or {{key: path, read: false}}")
    return Protection(known["key"], _bool(known, "read", True, where))


def _address(raw: Any, number: int, subnet: int, where: str) -> str:
    text = str(raw) if raw is not None else f"127.{subnet}.{number // 200}.{11 + number % 200}"
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError as exc:
        raise DescriptionError(f"{where}.address: {exc}") from None
    if not address.is_loopback:
        raise DescriptionError(f"{where}.address: {text} is not in 127.0.0.0/8")
    return text


def _check_addresses(hosts: Sequence[HostDescription]) -> None:
    used: dict[tuple[str, int], str] = {}
    for host in hosts:
        ports = [host.winrm.http, host.winrm.https, *(endpoint.port for endpoint in host.endpoints)]
        if host.exchange is not None and host.exchange.shell is not None:
            ports += [host.exchange.shell.http, host.exchange.shell.https]
        for port in (port for port in ports if port):
            if (host.address, port) in used:
                raise DescriptionError(
                    f"hosts.{host.name}: {host.address}:{port} is taken by {used[host.address, port]}"
                )
            used[host.address, port] = host.name


# -- small helpers -------------------------------------------------------------------------------------------------


def _mapping(raw: Any, where: str, known: set[str] | None) -> dict[str, Any]:
    if not isinstance(raw, Mapping):
        raise DescriptionError(f"{where}: a mapping is needed, not {raw!r}")
    for key in raw:
        if known is not None and key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            hint = f" (did you mean {near[0]!r}?)" if near else f" (known: {', '.join(sorted(known))})"
            raise DescriptionError(f"{where}: unknown key {key!r}{hint}")
    return {str(key): value for key, value in raw.items()}


def _list(raw: Mapping[str, Any], key: str, where: str) -> list[Any]:
    value = raw.get(key)
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        raise DescriptionError(f"{where}.{key}: a list is needed, not {value!r}")
    return list(value)


def _one_of(value: Any, allowed: Sequence[str], where: str) -> None:
    if value not in allowed:
        raise DescriptionError(f"{where}: {value!r} is none of {', '.join(allowed)}")


def _string(raw: Mapping[str, Any], key: str, default: str, where: str) -> str:
    return _typed(raw, key, default, where, str, "text")


def _bool(raw: Mapping[str, Any], key: str, default: bool, where: str) -> bool:
    return _typed(raw, key, default, where, bool, "true or false")


def _number(raw: Mapping[str, Any], key: str, default: float, where: str) -> float:
    value = raw.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DescriptionError(f"{where}.{key}: a number is needed, not {value!r}")
    return float(value)


def _typed(raw: Mapping[str, Any], key: str, default: T, where: str, kind: type[T], words: str) -> T:
    value = raw.get(key, default)
    if not isinstance(value, kind):
        raise DescriptionError(f"{where}.{key}: {words} is needed, not {value!r}")
    return value


_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "str": (lambda value: isinstance(value, str), "text"),
    "str | None": (lambda value: value is None or isinstance(value, str), "text"),
    "bool": (lambda value: isinstance(value, bool), "true or false"),
    "int": (lambda value: isinstance(value, int) and not isinstance(value, bool) and value > 0, "a positive number"),
    "int | None": (lambda value: value is None or (isinstance(value, int) and 0 < value < 65536), "a port or null"),
    "float": (lambda value: isinstance(value, int | float) and not isinstance(value, bool) and value >= 0, "seconds"),
    "tuple[str, ...]": (lambda value: isinstance(value, list | tuple), "a list"),
}


def _dataclass(kind: type[T], raw: Any, where: str, required: Sequence[str] = ()) -> T:
    """Builds a flat dataclass from a mapping, checking each value against the annotation."""
    types = {item.name: str(item.type) for item in fields(kind)}  # type: ignore[arg-type]
    known = _mapping(raw, where, set(types))
    for key in required:
        if key not in known:
            raise DescriptionError(f"{where}: {key!r} is missing")
    values: dict[str, Any] = {}
    for key, value in known.items():
        check, words = _CHECKS[types[key]]
        if not check(value):
            raise DescriptionError(f"{where}.{key}: {words} is needed, not {value!r}")
        values[key] = tuple(value) if isinstance(value, list) else value
    return kind(**values)


# What the descriptions of other parts use as well.
mapping, items, one_of, flat = _mapping, _list, _one_of, _dataclass
