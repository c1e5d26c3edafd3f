# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The failover cluster that a host is a member of; a DAG is one. Read through the registry and root\\MSCluster."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from .._errors import ExchangeTlsError
from .._progress import Progress
from .._schannel.values import Type
from .._wire import wmi
from .._wire.session import Session
from . import services
from .registry import Registry
from .services import Service
from .unread import FAILED, Unread

SERVICE = "ClusSvc"
_HIVE = "Cluster"
_NAMESPACE = f"{wmi.ROOT}/root/MSCluster"
UP, PAUSED, UNKNOWN, QUARANTINED = "up", "paused", "unknown", "quarantined"
# MSCluster_Node.State
_DOWN = "down"
_STATES = {0: UP, 1: _DOWN, 2: PAUSED, 3: "joining"}
# A flag of MSCluster_Node.StatusInformation (2016 and later): for two hours it may not join, whatever it does.
_IS_QUARANTINED = 2
# MSCluster_Node.Pause and Resume: their numbers are in no document that was at hand, as those of NodeStatus.
_DRAIN, _NO_FAILBACK = 1, 0
# A node that has just been restarted takes some seconds to join.
_PAUSE = 5.0
# So long a cluster may say nothing, as while its service starts.
_SILENCE = 60.0


class MemberDown(ExchangeTlsError):
    """Another member of the cluster is not up, so that this one is needed; it was not restarted."""

    kind = "member_down"


@dataclasses.dataclass(frozen=True)
class Cluster:
    """``name``: None where it could not be read. ``nodes``: states (``up``, ``down``, ``quarantined``, ``paused``,
    ``joining``, ``unknown``) by name, empty where the cluster does not answer. ``unread``: what could not be read, and
    why."""

    name: str | None
    nodes: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    unread: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    def as_result(self) -> dict[str, t.Any]:
        return {"name": self.name, "nodes": dict(self.nodes)}

    def not_up(self, own: str) -> dict[str, str]:
        """The states of the other members that are not up. Names compare without regard to case."""
        return {name: state for name, state in self.nodes.items() if state != UP and name.casefold() != own.casefold()}


def is_member(service: Service | None) -> bool:
    """By the cluster service, which is installed with Windows' feature and disabled until the server joins."""
    return service is not None and not (service.start_mode == "Disabled" and service.state == "Stopped")


def is_joined(session: Session) -> bool:
    """Whether a host is a member of a cluster (one request)."""
    return is_member(services.find(session, [SERVICE]).get(SERVICE.lower()))


def read(session: Session, registry: Registry) -> Cluster:
    """Of a host that is a member (two requests)."""
    unread = Unread()
    # the hive of the cluster is there while its service runs (assumed, as all of this class: no cluster was at hand)
    value = unread.tried("dag", registry.get, _HIVE, "ClusterName", Type.REG_SZ)
    name = value.data or None if value is not None and isinstance(value.data, str) else None
    return Cluster(name, unread.tried("nodes", _nodes, session) or {}, unread)


def _nodes(session: Session) -> dict[str, str]:
    found = wmi.query(session, "SELECT * FROM MSCluster_Node", namespace=_NAMESPACE)
    return {item.string("Name") or "": _state(item) for item in found}


def _state(node: wmi.Instance) -> str:
    number = node.integer("State")
    found = UNKNOWN if number is None else _STATES.get(number, UNKNOWN)
    return QUARANTINED if found == _DOWN and (node.integer("StatusInformation") or 0) & _IS_QUARANTINED else found


class OwnNode:
    """The node that a host is in its cluster. Its methods are documented as void: nothing says that they worked, so
    look at :meth:`state` afterwards."""

    def __init__(self, session: Session, computer: str) -> None:
        self._session, self._name = session, computer

    def all(self) -> dict[str, str]:
        """The states of all nodes by name, empty where the cluster does not tell (one request)."""
        try:
            return _nodes(self._session)
        except FAILED:
            return {}

    def state(self) -> str | None:
        """That of this node; None where the cluster does not tell (one request)."""
        nodes = self.all()
        return next((state for name, state in nodes.items() if name.casefold() == self._name.casefold()), None)

    def pause(self) -> None:
        """It takes no group over, and those that it has leave it. It stays paused over a restart (assumed)."""
        self._tell("Pause", {"DrainType": _DRAIN, "TargetNode": None})

    def resume(self) -> None:
        """It takes groups over again; none is moved to it."""
        self._tell("Resume", {"FailbackType": _NO_FAILBACK})

    def _tell(self, method: str, arguments: t.Mapping[str, wmi.CimInput]) -> None:
        wmi.invoke(
            self._session,
            "MSCluster_Node",
            method,
            arguments,
            namespace=_NAMESPACE,
            selectors={"Name": self._name},
            doing=f"{method.lower()} for the node {self._name} of its cluster",
            repeatable=False,
        )


@dataclasses.dataclass(frozen=True)
class Wait:
    """How long others are waited for, in seconds. ``sleep`` and ``clock`` are there for tests."""

    seconds: float = 0.0
    say: t.Callable[[str], None] = lambda _line: None
    sleep: t.Callable[[float], None] = time.sleep
    clock: t.Callable[[], float] = time.monotonic


def check_others(session: Session, registry: Registry, own: str, wait: Wait, refused: str = "Not restarted") -> None:
    """Raises :class:`MemberDown` where ``own`` is a member of a cluster another member of which is not up, and does not
    come up within the time (one that is paused is not waited for), and where the cluster does not tell. One request for
    a host that is in no cluster, three and more for a member."""
    if not is_joined(session):
        return
    begun = wait.clock()
    progress = Progress(wait.say, wait.seconds, wait.clock)
    while True:
        cluster = read(session, registry)
        missing = cluster.not_up(own)
        if not missing and cluster.nodes:
            return
        # what somebody has paused stays so until somebody resumes it, and a right that is missing stays missing
        longest = wait.seconds if missing else min(wait.seconds, _SILENCE)
        if PAUSED in missing.values() or wait.clock() - begun >= longest:
            raise MemberDown(f"{refused}: {refusal(cluster, missing)}", members=missing)
        progress.now(f"waiting for other members of its DAG: {_listed(missing) or 'its cluster does not tell'}")
        wait.sleep(_PAUSE)


def refusal(cluster: Cluster, missing: t.Mapping[str, str]) -> str:
    """Why a member is not restarted."""
    if not missing:
        reason = cluster.unread.get("nodes", "it lists no members").rstrip(".")
        return (
            f"whether the other members of its DAG are up, its cluster does not tell: {reason}. See for yourself that "
            "they are; then set 'dag_check' to false."
        )
    of = f"its DAG {cluster.name}" if cluster.name else "its DAG"
    return (
        f"of {of}, {_listed(missing)}. Two members away at a time may cost the DAG its quorum, and "
        f"databases their last copy. Bring it back first{how(missing)}; or, where that is as it should be, "
        "set 'dag_check' to false."
    )


def how(missing: t.Mapping[str, str]) -> str:
    """How nodes come back that do not by themselves. One that is paused may have been left so by a run of ours that was
    cut off; that is known there only."""
    paused = [name for name, state in missing.items() if state == PAUSED]
    ways = [f"if a run was cut off at {', '.join(paused)}, run this for it: it finishes that"] if paused else []
    ways += [cleared(name) for name, state in missing.items() if state == QUARANTINED]
    return f" ({'; '.join(ways)})" if ways else ""


def cleared(name: str) -> str:
    """How a node joins again before its quarantine has passed."""
    return f"once it is mended why {name} left the cluster again and again: Start-ClusterNode {name} -ClearQuarantine"


def _listed(missing: t.Mapping[str, str]) -> str:
    return ", ".join(f"{name} is {state}" for name, state in missing.items())
