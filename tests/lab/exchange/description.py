# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What descriptions say of Exchange: where its cmdlets can be asked and by whom, mail that waits, DAGs."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from .. import description as base
from .described import (
    AUTH_MECHANISMS,
    DELIVERY_TYPES,
    LOGGING,
    RECEIVE_CONNECTORS,
    TRANSPORT_ROLES,
    WITNESS,
    Certificate,
    Dag,
    Database,
    Inbound,
    Outbound,
    Queue,
    ReceiveConnector,
    SendConnector,
    Shell,
)

T = TypeVar("T")

AUTH_METHODS = ("basic", "kerberos")
#: The keys of a host's `exchange` that are read here.
KEYS = (
    "shell", "accounts", "hidden", "queues", "mail_out", "mail_in", "send_connectors", "receive_connectors",
    "certificates",
)  # fmt: skip


def cmdlets(raw: Mapping[str, Any], where: str) -> dict[str, Any]:
    """These keys as fields of installed.Exchange. Raises DescriptionError."""
    hidden = base.mapping(raw.get("hidden") or {}, f"{where}.hidden", None)
    found = {
        "shell": None if raw.get("shell") is None else _shell(raw["shell"], f"{where}.shell"),
        "accounts": tuple(base.items(raw, "accounts", where)) if "accounts" in raw else None,
        "hidden": {user: tuple(base.items(hidden, user, f"{where}.hidden")) for user in hidden},
        "queues": tuple(
            _queue(item, f"{where}.queues[{n}]") for n, item in enumerate(base.items(raw, "queues", where))
        ),
        "mail_out": _each(raw, "mail_out", where, _mail_out),
        "mail_in": _each(raw, "mail_in", where, _mail_in),
        "send_connectors": _each(raw, "send_connectors", where, _send_connector),
        "receive_connectors": _each(raw, "receive_connectors", where, _receive_connector)
        if "receive_connectors" in raw
        else None,
        "certificates": _each(raw, "certificates", where, _certificate) if "certificates" in raw else None,
    }
    _check_flows(found, where)
    return found


def _each(raw: Mapping[str, Any], key: str, where: str, read: Callable[[Any, str], T]) -> tuple[T, ...]:
    return tuple(read(item, f"{where}.{key}[{n}]") for n, item in enumerate(base.items(raw, key, where)))


def _send_connector(raw: Any, where: str) -> SendConnector:
    connector = base.flat(SendConnector, raw, where, required=("name",))
    base.one_of(connector.logging, LOGGING, f"{where}.logging")
    return connector


def _receive_connector(raw: Any, where: str) -> ReceiveConnector:
    connector = base.flat(ReceiveConnector, raw, where, required=("name",))
    base.one_of(connector.logging, LOGGING, f"{where}.logging")
    base.one_of(connector.role, TRANSPORT_ROLES, f"{where}.role")
    for word in connector.auth:
        base.one_of(word, tuple(AUTH_MECHANISMS), f"{where}.auth")
    return connector


def _certificate(raw: Any, where: str) -> Certificate:
    return base.flat(Certificate, raw, where, required=("subject",))


def _queue(raw: Any, where: str) -> Queue:
    queue = base.flat(Queue, raw, where, required=("domain",))
    base.one_of(queue.delivery_type, tuple(DELIVERY_TYPES), f"{where}.delivery_type")
    if queue.deferred > queue.messages:
        raise base.DescriptionError(f"{where}.deferred: {queue.deferred:g} of {queue.messages:g} messages")
    return queue


def _mail_out(raw: Any, where: str) -> Outbound:
    return _with_address(base.flat(Outbound, raw, where, required=("to",)), where)


def _mail_in(raw: Any, where: str) -> Inbound:
    return _with_address(base.flat(Inbound, raw, where), where)


Flow = TypeVar("Flow", Outbound, Inbound)


def _with_address(flow: Flow, where: str) -> Flow:
    try:
        ipaddress.ip_address(flow.address)
    except ValueError as exc:
        raise base.DescriptionError(f"{where}.address: {exc}") from None
    return flow


def _check_flows(found: Mapping[str, Any], where: str) -> None:
    """Each flow has a connector of this host, which is in use, and each next hop one queue."""
    hops = {hop.casefold() for item in found["send_connectors"] if item.enabled for hop in item.smart_hosts}
    queues = {queue.domain.casefold() for queue in found["queues"]}
    for number, flow in enumerate(found["mail_out"]):
        place, hop = f"{where}.mail_out[{number}].to", flow.to.casefold()
        if hop not in hops:
            known = ", ".join(sorted(hops)) or "none"
            raise base.DescriptionError(f"{place}: {flow.to} is a smart host of no Send connector here ({known})")
        if hop in queues:
            raise base.DescriptionError(f"{place}: there is a queue to {flow.to} already")
        queues.add(hop)
    given = found["receive_connectors"]
    names = tuple(item.name for item in (RECEIVE_CONNECTORS if given is None else given) if item.enabled)
    for number, incoming in enumerate(found["mail_in"]):
        base.one_of(incoming.connector, names, f"{where}.mail_in[{number}].connector")


def dags(raw: Any, hosts: Mapping[str, bool]) -> tuple[Dag, ...]:
    """The key `dags`. hosts: whether each is a mailbox server. Raises DescriptionError."""
    found: list[Dag] = []
    for name, item in base.mapping(raw, "dags", None).items():
        dag = _dag(name, item, hosts)
        for other in found:
            for member in set(dag.members) & set(other.members):
                raise base.DescriptionError(f"dags.{name}.members: {member} is a member of {other.name} already")
            for database in {one.name.casefold() for one in dag.databases}:
                if database in {one.name.casefold() for one in other.databases}:
                    raise base.DescriptionError(f"dags.{name}.databases: {other.name} has a {database} already")
        found.append(dag)
    return tuple(found)


def _dag(name: str, raw: Any, hosts: Mapping[str, bool]) -> Dag:
    where = f"dags.{name}"
    given = base.mapping(raw, where, None)
    databases = base.mapping(given.pop("databases", None) or {}, f"{where}.databases", None)
    dag = base.flat(Dag, {**given, "name": name}, where, required=("members",))
    base.one_of(dag.witness_share, WITNESS, f"{where}.witness_share")
    if not dag.members or len(set(dag.members)) != len(dag.members):
        raise base.DescriptionError(f"{where}.members: different hosts are needed, not {list(dag.members)}")
    for member in dag.members:
        base.one_of(member, tuple(hosts), f"{where}.members")
        if not hosts[member]:
            raise base.DescriptionError(f"{where}.members: {member} is no mailbox server: its key exchange says so")
    made = tuple(_database(one, item, dag, f"{where}.databases.{one}") for one, item in databases.items())
    return replace(dag, databases=made)


def _database(name: str, raw: Any, dag: Dag, where: str) -> Database:
    given = base.mapping(raw, where, {"copies", "active", "recovery"})
    copies = tuple(base.items(given, "copies", where)) or dag.members
    database = base.flat(Database, {"active": copies[0], **given, "name": name, "copies": copies}, where)
    for copy in copies:
        base.one_of(copy, dag.members, f"{where}.copies")
    if database.active not in copies:
        raise base.DescriptionError(f"{where}.active: {database.active} has no copy of it")
    if len(set(copies)) != len(copies) or (database.recovery and len(copies) > 1):
        raise base.DescriptionError(f"{where}.copies: one for each server, and only one of a recovery database")
    return database


def _shell(raw: Any, where: str) -> Shell:
    shell = base.flat(Shell, raw, where)
    for method in shell.auth:
        base.one_of(method, AUTH_METHODS, f"{where}.auth")
    base.one_of(shell.certificate, base.CERTIFICATES, f"{where}.certificate")
    if not shell.path.startswith("/"):
        raise base.DescriptionError(f"{where}.path: {shell.path!r} must start with a slash")
    return shell
