# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What a host tells of its Exchange, through WMI and the registry alone: up to six requests, two without Exchange.

The version is that of ExSetup.exe, as HealthChecker has it (docs/reference/exchange.md 1.1): security updates change
nothing else. The edition (Standard, Enterprise) is in Active Directory only.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._errors import ExchangeTlsError
from .._policy.rules import UNREAD_VERSION, ExchangeVersion
from .._schannel.names import same
from .._schannel.snapshot import Setting
from .._schannel.values import Type
from .._windows import cluster, services
from .._windows.cluster import Cluster
from .._windows.registry import Registry
from .._windows.services import Service
from .._windows.unread import FAILED, Unread
from .._windows.updates import CCM_SERVICE
from .._wire import wmi
from .._wire.session import Session
from . import builds
from .builds import Build, Version

_ROOT = r"SOFTWARE\Microsoft\ExchangeServer"
_FAMILIES = ("v15", "v14")
SETUP = rf"{_ROOT}\v15\Setup"
_FOLDER = "MsiInstallPath"
#: What :func:`read` reads first, for whoever reads ahead: keys that are listed, and a value.
KEYS = tuple(rf"{_ROOT}\{family}" for family in _FAMILIES)
VALUE = (Setting(SETUP, _FOLDER), Type.REG_SZ)
_NETLOGON = r"SYSTEM\CurrentControlSet\Services\Netlogon\Parameters"
# Keys below v15 by what people call the role. The others are parts of the Mailbox role, from 2016 on.
_ROLES = {"MailboxRole": "Mailbox", "EdgeTransportRole": "Edge", "AdminTools": "ManagementTools"}
TOOLS = "ManagementTools"
# In ``unread`` where the cumulative update alone is known.
UPDATES = "security_update"

# What has to run for mail where it is installed. A setup of Exchange that fails leaves services disabled.
_OF_MAIL = frozenset(
    f"msexchange{name}"
    for name in ("adtopology", "delivery", "frontendtransport", "is", "mailsubmission", "submission", "transport")
)
_SERVICES = ("MSExchange*", "W3SVC", "HostControllerService", "FMS", cluster.SERVICE, CCM_SERVICE)


@dataclasses.dataclass(frozen=True)
class Exchange:
    """``version``: None where it could not be read. ``dag``: None for a server that is in none. ``unread``: what could
    not be read, and why."""

    version: Version | None
    roles: tuple[str, ...]
    services: t.Mapping[str, Service] = dataclasses.field(default_factory=dict)
    dag: Cluster | None = None
    has_ccm: bool = False
    unread: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def build(self) -> Build | None:
        return None if self.version is None else builds.identify(self.version)

    @property
    def is_server(self) -> bool:
        """Whether mail goes through it; with the management tools alone none does."""
        return set(self.roles) != {TOOLS}

    @property
    def version_for_rules(self) -> ExchangeVersion | None:
        """As rules take it: None where no mail goes through it, :data:`UNREAD_VERSION` where nobody can tell."""
        return (self.version or UNREAD_VERSION) if self.is_server else None

    @property
    def stopped(self) -> list[str]:
        """Services that start with Windows, or that mail needs, and that do not run."""
        return sorted(
            item.name
            for folded, item in self.services.items()
            if item.state != "Running"
            and (item.start_mode == "Auto" or (item.start_mode == "Disabled" and folded in _OF_MAIL))
        )

    @property
    def mail_stopped(self) -> list[str]:
        """Those of them that mail needs."""
        return [name for name in self.stopped if name.lower() in _OF_MAIL]

    def as_result(self) -> dict[str, t.Any]:
        """Without the services that run: an audit of many servers keeps it for each."""
        build = self.build
        update = None if build is None else build.cumulative_update
        return {
            "installed": True,
            "name": None if build is None else build.name,
            "version": None if self.version is None else builds.shown(self.version),
            "product": build.product.name if build and build.product else None,
            "cumulative_update": update.name if update else None,
            "security_update": build.security_update if build else None,
            "supported": build.supported if build else None,
            "support_ends": build.product.support_ends.isoformat() if build and build.product else None,
            "newest": build.newest if build else None,
            "can_tls12": build.has_tls12 if build else None,
            "can_end_old_tls": build.does_without_old_tls if build else None,
            "newer_than_table": build.newer_than_table if build else None,
            "table_date": builds.table().date.isoformat(),
            "roles": list(self.roles),
            "dag": self.dag.as_result() if self.dag else None,
            "services_stopped": self.stopped,
            "mail_stopped": self.mail_stopped,
            "unread": dict(self.unread),
        }


class NotExchange(ExchangeTlsError):
    """The host has no Exchange that could be asked about this."""

    kind = "not_exchange"


def roles(registry: Registry) -> tuple[str, ...] | None:
    """The roles of the Exchange on a host (one request); None without Exchange (two). Raises :class:`NotExchange` for
    2010, which knows no component states."""
    family, keys = _installed(registry)
    if family == _FAMILIES[-1]:
        raise NotExchange("This is Exchange 2010, which knows no component states; it takes Exchange 2013 or later.")
    return None if family is None else _roles(keys)


def version(session: Session, registry: Registry) -> ExchangeVersion | None:
    """The version alone, as rules take it (three requests, two without Exchange; more where the file does not tell)."""
    found = _begun(session, registry)
    return None if found is None else found.version_for_rules


def site(registry: Registry) -> str | None:
    """The Active Directory site of the host, as its registry tells it (two requests; assumed, see
    docs/exchange_maintenance.md). None where it does not tell, as for a host in no domain, such as an Edge server."""
    for name in ("SiteName", "DynamicSiteName"):
        try:
            value = registry.get(_NETLOGON, name, Type.REG_SZ)
        except FAILED:
            return None
        # some tools show it with a null at its end
        if value is not None and isinstance(value.data, str) and (found := value.data.strip("\0 ")):
            return found
    return None


def _begun(session: Session, registry: Registry) -> Exchange | None:
    """The version and the roles."""
    unread = Unread()
    try:
        family, keys = _installed(registry)
    except FAILED as exc:
        return Exchange(None, (), unread={"installed": exc.message})
    if family is None:
        return None
    setup = rf"{_ROOT}\{family}\Setup"
    number, failure = unread.tried("version", _of_file, session, registry, setup) or (None, None)
    if number is None and "version" not in unread:
        number = unread.tried("version", _set_up, registry, setup)
        if number is not None:
            unread[UPDATES] = failure or "ExSetup.exe does not tell its version"
        else:
            unread.setdefault("version", failure or "neither ExSetup.exe nor the values of its setup tell it")
    return Exchange(number, _roles(keys), unread=unread)


def read(session: Session, registry: Registry) -> Exchange | None:
    """None without Exchange."""
    begun = _begun(session, registry)
    if begun is None or "installed" in begun.unread:
        return begun
    unread = Unread(begun.unread)
    found = unread.tried("services", services.find, session, _SERVICES) or {}
    has_cluster = cluster.is_member(found.get(cluster.SERVICE.lower()))
    if not has_cluster:
        found.pop(cluster.SERVICE.lower(), None)
    has_ccm = found.pop(CCM_SERVICE.lower(), None) is not None
    dag = cluster.read(session, registry) if has_cluster else None
    unread.update(dag.unread if dag else {})
    return dataclasses.replace(begun, services=found, dag=dag, has_ccm=has_ccm, unread=unread)


def _installed(registry: Registry) -> tuple[str | None, tuple[str, ...]]:
    """The family of versions that is set up, with the keys of its roles. An uninstallation leaves keys behind, but not
    that of the setup."""
    for family, key in zip(_FAMILIES, KEYS, strict=True):
        keys = registry.subkeys(key) or ()
        if same("Setup", keys):
            return family, keys
    return None, ()


def _roles(keys: t.Sequence[str]) -> tuple[str, ...]:
    roles = [role for key, role in _ROLES.items() if same(key, keys)]
    if not {"Mailbox", "Edge"} & set(roles):
        # 2010 and 2013 could have one of them alone
        roles = [*sorted(key[:-4] for key in keys if key.lower().endswith("role")), *roles]
    return tuple(roles)


def _of_file(session: Session, registry: Registry, setup: str) -> tuple[Version | None, str | None]:
    """That of ExSetup.exe, or why it cannot be asked for."""
    folder = registry.get(setup, _FOLDER, Type.REG_SZ)
    failure = None
    if folder is not None and isinstance(folder.data, str) and folder.data.strip():
        path = rf"{folder.data.strip().rstrip(chr(92))}\bin\ExSetup.exe"
        for look in (_file_by_name, _file_by_query):
            try:
                version = builds.parse(look(session, path) or "")
            except FAILED as exc:
                failure = exc.message
            else:
                if version is not None:
                    return version, None
    return None, failure


def _file_by_name(session: Session, path: str) -> str | None:
    return wmi.get(session, "CIM_DataFile", selectors={"Name": path}).string("Version")


def _file_by_query(session: Session, path: str) -> str | None:
    wql = f"SELECT * FROM CIM_DataFile WHERE Name={wmi.literal(path)}"  # noqa: S608 - WQL, read-only, quoted
    return next((item.string("Version") for item in wmi.query(session, wql)), None)


def _set_up(registry: Registry, setup: str) -> Version | None:
    """That of the last cumulative update."""
    numbers: list[int] = []
    for name in ("MsiProductMajor", "MsiProductMinor", "MsiBuildMajor", "MsiBuildMinor"):
        value = registry.get(setup, name)
        if value is None or not isinstance(value.data, int):
            return None
        numbers.append(value.data)
    return tuple(numbers)
