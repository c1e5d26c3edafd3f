# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cmdlets for DAGs and for the copies of their databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import objects
from .cmdlets import SWITCH, Call, Parameter, Problem, Warning_, away, cmdlet
from .databases import Copy, Dag, Database
from .servers import Server

_TASKS = objects.DATABASE_TASKS
_GROUP = f"{objects.DIRECTORY}.SystemConfiguration.DatabaseAvailabilityGroup"
_PRESENTED = (
    f"{objects.DIRECTORY}.ADConfigurationObject",
    f"{objects.DIRECTORY}.ADObject",
    f"{objects.DIRECTORY}.ADRawEntry",
    "Microsoft.Exchange.Data.ConfigurableObject",
)
_OBJECT_ID = f"{objects.DIRECTORY}.ADObjectId"


def _refused(text: str, target: str) -> Problem:
    return Problem(
        text,
        "[FailureCategory=Cmdlet-InvalidOperationException] 2E7C90B3",
        "InvalidOperation",
        "System.InvalidOperationException",
        target,
    )


# --- DAGs ------------------------------------------------------------------------------------------------------------


@cmdlet("Get-DatabaseAvailabilityGroup", Parameter("Identity"), Parameter("Status", SWITCH), changes=False)
def get_database_availability_group(call: Call) -> Iterator[Any]:
    """All DAGs, or one. Without Status nothing that only the cluster knows."""
    wanted = call.get("Identity")
    if wanted is None:
        for dag in call.organisation.dags:
            yield _group(dag, bool(call.get("Status")))
        return
    found = call.organisation.dags.find_dag(wanted)
    yield call.no_such(wanted) if found is None else _group(found, bool(call.get("Status")))


def _group(dag: Dag, status: bool) -> Any:
    described, first = dag.description, dag.members[0]
    identity = objects.group_identity(dag.name, dag.guid, first)
    there = [server for server in dag.members if dag.is_there(server)]
    quorum = status and dag.has_quorum()
    witness = described.witness if "." in described.witness else f"{described.witness}.{first.domain}".lower()
    share = "None" if len(dag.members) % 2 and described.witness_share == "Primary" else described.witness_share
    frequency = described.balances or 3600.0
    return objects.thing(
        [_GROUP, *_PRESENTED],
        dag.name,
        {
            "Name": dag.name,
            "Servers": _servers(dag.members),
            "WitnessServer": witness,
            "WitnessDirectory": rf"C:\DAGFileShareWitnesses\{dag.name}.{first.domain}",
            "AlternateWitnessServer": None,
            "AlternateWitnessDirectory": None,
            "NetworkCompression": "InterSubnetOnly",
            "NetworkEncryption": "InterSubnetOnly",
            "ManualDagNetworkConfiguration": False,
            "DatacenterActivationMode": objects.ACTIVATION_MODE["Off"],
            "StoppedMailboxServers": objects.many([]),
            "StartedMailboxServers": objects.many([server.fqdn for server in dag.members]),
            "DatabaseAvailabilityGroupIpv4Addresses": objects.many([]),
            "OperationalServers": _servers(there if quorum else []) if status else None,
            "PrimaryActiveManager": dag.leader.identity() if quorum and dag.leader is not None else None,
            "ServersInMaintenance": _servers(s for s in there if s.name in dag.paused) if status else None,
            "ServersInDeferredRecovery": _servers([]) if status else None,
            "ThirdPartyReplication": "Disabled",
            "ReplicationPort": 64327,
            "WitnessShareInUse": objects.WITNESS_SHARE[share] if status else None,
            "AutoDagSchemaVersion": "1.0",
            "AutoDagDatabaseCopiesPerDatabase": 1,
            "PreferenceMoveFrequency": objects.span(frequency),
            "AdminDisplayName": "",
            "ExchangeVersion": "0.10 (14.0.100.0)",
            "DistinguishedName": identity.DistinguishedName,
            "Identity": identity,
            "Guid": identity.ObjectGuid,
            "Id": identity,
            "IsValid": True,
            "ObjectState": objects.OBJECT_STATE["Unchanged"],
        },
    )


def _servers(servers: Any) -> Any:
    return objects.many([server.identity() for server in servers], _OBJECT_ID)


# --- copies ----------------------------------------------------------------------------------------------------------


@cmdlet(
    "Get-MailboxDatabaseCopyStatus",
    Parameter("Identity"),
    Parameter("Server"),
    Parameter("Active", SWITCH),
    changes=False,
)
def get_mailbox_database_copy_status(call: Call) -> Iterator[Any]:
    """Copies of one database, one copy, all copies (*), or those on one server, which is asked itself."""
    if call.get("Identity") is not None:
        copies = list(_meant(call, call.arguments["Identity"]))
    else:
        server = call.server("Server") if call.get("Server") is not None else call.here
        if isinstance(server, Problem) or not server.is_up:
            yield server if isinstance(server, Problem) else away(server)
            return
        copies = [copy for item in call.organisation.dags.databases for copy in item.copies if copy.server is server]
    for copy in copies:
        if isinstance(copy, Problem):
            yield copy
        elif copy.is_active or not call.get("Active"):
            yield _copy(call, copy)


def _meant(call: Call, identity: str) -> Iterator[Copy | Problem]:
    """The copies named by "DB", "DB\\SERVER", "*" or "*\\SERVER"."""
    database_name, backslash, server_name = identity.partition("\\")
    server = call.organisation.find(server_name) if backslash else None
    dags = call.organisation.dags
    database = dags.find_database(database_name)
    found = dags.databases if database_name == "*" else [database] if database is not None else []
    copies = [copy for item in found for copy in item.copies if not backslash or copy.server is server]
    if not copies:
        yield call.no_such(identity)
    yield from copies


def _copy(call: Call, copy: Copy) -> Any:
    database, server, now = copy.database, copy.server, call.organisation.clock.now()
    status = copy.status(now)
    quirk = {} if copy.is_active else copy.quirk
    index = "Healthy" if server.exchange.version in ("2013", "2016") else "NotApplicable"
    comment = str(quirk.get("comment", copy.comment))
    suspended = copy.suspended or status in ("FailedAndSuspended", "Suspended")
    return objects.thing(
        [f"{_TASKS}.DatabaseCopyStatusEntry", "Microsoft.Exchange.Data.ConfigurableObject"],
        copy.name,
        {
            "Identity": _copy_identity(copy),
            "Id": _copy_identity(copy),
            "Name": copy.name,
            "DatabaseName": database.name,
            "Status": objects.COPY_STATUS[status],
            "InstanceStartTime": None,
            "LastStatusTransitionTime": None,
            "MailboxServer": server.name,
            "ActiveDatabaseCopy": database.active.name.lower(),
            "ActiveCopy": copy.is_active,
            "ActivationPreference": database.copies.index(copy) + 1,
            "StatusRetrievedTime": objects.moment(server.host.now()),
            "WorkerProcessId": None,
            "IsLastCopyAvailabilityChecksPassed": status in ("Healthy", "Mounted"),
            "IsLastCopyRedundancyChecksPassed": status in ("Healthy", "Mounted"),
            "ActivationSuspended": suspended or copy.activation_suspended,
            "ActionInitiator": objects.ACTION_INITIATOR[copy.by],
            "ErrorMessage": None,
            "ErrorEventId": None,
            "ExtendedErrorInfo": None,
            "SuspendComment": comment or None,
            "CopyQueueLength": objects.long(int(quirk.get("copy_queue", 0))),
            "ReplayQueueLength": objects.long(int(quirk.get("replay_queue", 0))),
            "ReplaySuspended": suspended,
            "ResumeBlocked": False,
            "ContentIndexState": objects.CONTENT_INDEX[str(quirk.get("content_index", index))],
            "ContentIndexErrorMessage": None,
            "LatestFullBackupTime": None,
            "LogReplayQueueIncreasing": False,
            "LogCopyQueueIncreasing": False,
            "AutoActivationPolicy": objects.ACTIVATION_POLICY[server.activation_policy],
            "ActivationDisabledAndMoveNow": server.move_now,
            "IsPrimaryActiveManager": database.dag.leader is server,
            "IsValid": True,
            "ObjectState": objects.OBJECT_STATE["New"],
        },
    )


def _copy_identity(copy: Copy) -> Any:
    return objects.thing(
        [f"{_TASKS}.DatabaseCopyIdParameter", "Microsoft.Exchange.Data.ObjectId"],
        copy.name,
        {"DatabaseName": copy.database.name, "ServerName": copy.server.name},
    )


def _one_copy(call: Call) -> Copy | Problem:
    """The one copy that a command which changes it must name in full."""
    identity = call.arguments["Identity"]
    found = list(_meant(call, identity)) if identity.count("\\") == 1 and "*" not in identity else []
    if len(found) != 1:
        return _refused(f"'{identity}' doesn't name one copy of one database: use Database\\Server.", identity)
    (copy,) = found
    if isinstance(copy, Problem):
        return copy
    return copy if copy.database.dag.serves(copy.server) else away(copy.server)


@cmdlet(
    "Suspend-MailboxDatabaseCopy",
    Parameter("Identity", mandatory=True),
    Parameter("ActivationOnly", SWITCH),
    Parameter("SuspendComment"),
    changes=True,
    asks=True,
)
def suspend_mailbox_database_copy(call: Call) -> Iterator[Any]:
    """No more logs are copied, or with ActivationOnly it is only not to be activated."""
    copy = _one_copy(call)
    if isinstance(copy, Problem):
        yield copy
        return
    if copy.is_active:
        yield _refused(f"Database copy '{copy.name}' is active, so it can't be suspended.", copy.name)
        return
    copy.suspended = copy.suspended or not call.get("ActivationOnly")
    copy.activation_suspended, copy.by = True, "Administrator"
    copy.comment = call.get("SuspendComment", copy.comment)


@cmdlet(
    "Resume-MailboxDatabaseCopy",
    Parameter("Identity", mandatory=True),
    Parameter("ReplicationOnly", SWITCH),
    changes=True,
)
def resume_mailbox_database_copy(call: Call) -> Iterator[Any]:
    """Takes back whatever suspended it; with ReplicationOnly it is still not to be activated."""
    copy = _one_copy(call)
    if isinstance(copy, Problem):
        yield copy
        return
    if not (copy.suspended or copy.activation_suspended):
        yield Warning_(f"Database copy '{copy.name}' isn't suspended.")
    if copy.suspended:
        copy.since = call.organisation.clock.now()
    copy.suspended = False
    if not call.get("ReplicationOnly"):
        copy.activation_suspended, copy.by, copy.comment = False, "None", ""


@cmdlet(
    "Move-ActiveMailboxDatabase",
    Parameter("Identity"),
    Parameter("Server"),
    Parameter("ActivateOnServer"),
    Parameter("MoveComment"),
    changes=True,
    asks=True,
)
def move_active_mailbox_database(call: Call) -> Iterator[Any]:
    """One database, or all that are active on a server; to the server that is named, or to the best copy."""
    if (call.get("Identity") is None) is (call.get("Server") is None):
        yield _refused("Exactly one of Identity and Server is needed.", "Move-ActiveMailboxDatabase")
        return
    target = call.server("ActivateOnServer") if call.get("ActivateOnServer") is not None else None
    if isinstance(target, Problem):
        yield target
        return
    dags = call.organisation.dags
    if call.get("Identity") is not None:
        database = dags.find_database(call.arguments["Identity"])
        if database is None:
            yield call.no_such(call.arguments["Identity"])
            return
        databases = [database]
    else:
        source = call.server("Server")
        if isinstance(source, Problem):
            yield source
            return
        # what is active there and can go at all
        databases = [item for item in dags.databases if item.active is source and len(item.copies) > 1]
    for database in databases:
        before = database.active
        trouble = dags.move(database, target)
        yield _refused(trouble, database.name) if trouble is not None else _moved(database, before)


def _moved(database: Database, before: Server) -> Any:
    return objects.thing(
        [f"{_TASKS}.DatabaseMoveResult", "Microsoft.Exchange.Data.ConfigurableObject"],
        database.name,
        {
            "Identity": database.name,
            "ActiveServerAtStart": before.name.lower(),
            "ActiveServerAtEnd": database.active.name.lower(),
            "Status": objects.MOVE_STATUS["Succeeded" if before is not database.active else "Warning"],
            "NumberOfLogsLost": objects.long(0),
            "MountStatusAtMoveStart": "Mounted",
            "MountStatusAtMoveEnd": "Mounted",
            "ErrorMessage": "",
            "IsValid": True,
            "ObjectState": objects.OBJECT_STATE["New"],
        },
    )
