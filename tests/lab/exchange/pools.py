# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runspace pools in no-language mode: PowerShell remoting (MS-PSRP) in, cmdlets run, messages out."""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from typing import Any

from psrpcore import (
    CreatePipelineEvent,
    EndOfPipelineInputEvent,
    PipelineInputEvent,
    PSRPCoreError,
    PSRPPayload,
    ServerPipeline,
    ServerRunspacePool,
    StreamType,
)
from psrpcore.types import (
    ErrorCategory,
    ErrorCategoryInfo,
    ErrorRecord,
    NETException,
    PipelineState,
    PSInvocationState,
    RunspacePoolState,
)

from . import known, known_databases, known_mail, known_transport
from .cmdlets import Call, Cmdlet, Problem, Terminating, Warning_, bind_each, find, stops_at_errors
from .organisation import Organisation
from .servers import Server

#: Importing them fills the table of cmdlets.
CMDLETS_IN = (known, known_databases, known_mail, known_transport)
_FRAGMENT = 32768
# What is sent before a pipeline has ended; less is held back, so that the number of messages does not depend on time.
_ENOUGH = 256 * 1024
# Seconds until a client surely waits for the output of its cmdlet.
_UNTIL_ASKED = 0.2
_NO_LANGUAGE = Problem(
    "The syntax is not supported by this runspace. This can occur if the runspace is in no-language mode.",
    "ScriptsNotAllowed",
    "ParserError",
    "System.Management.Automation.RuntimeException",
)
_DENIED = Problem(
    "The operation on the server can't be performed because it's out of the current user's write scope. The object "
    "isn't within your current write scopes. Can't perform save operation.",
    "[FailureCategory=Cmdlet-InvalidADObjectOperationException] 2F5A8D31",
    "PermissionDenied",
    "Microsoft.Exchange.Data.Directory.ADScopeException",
)
_FAILED = Problem(
    "The Active Directory server isn't available. Try again later.",
    "[FailureCategory=Cmdlet-ADTransientException] 1C4E9B07",
    "NotSpecified",
    "Microsoft.Exchange.Data.Directory.ADTransientException",
)


class Pool:
    """One runspace pool of one account on one server. Thread-safe."""

    def __init__(self, shell_id: str, user: str, organisation: Organisation, here: Server) -> None:
        self.shell_id = shell_id
        self.user = user
        self.changed = threading.Condition()
        #: The server forgot it while somebody waits: his connection is to be cut.
        self.dead = False
        #: Gone for the next pipeline.
        self.lost = False
        self._organisation = organisation
        self._here = here
        self._pool = ServerRunspacePool()
        self._queues: dict[str | None, deque[bytes]] = {None: deque()}
        self._pipelines: dict[str, ServerPipeline] = {}
        self._piped: dict[str, list[Any]] = {}  # what was sent so far to pipelines that wait for it
        self._done: set[str] = set()
        self._running = threading.Lock()  # one runspace: one pipeline after the other

    # -- in --------------------------------------------------------------------------------------------------------

    def open(self, creation: bytes) -> None:
        """The client's first messages. Raises PSRPCoreError."""
        with self.changed:
            self._feed(creation, None)
            if self._pool.state != RunspacePoolState.Opened:
                raise PSRPCoreError("creationXml holds no request to open a runspace pool")
            self._collect()

    def begin(self, command_id: str, data: bytes) -> None:
        """A new pipeline, whose description may not be complete yet. Raises PSRPCoreError."""
        with self.changed:
            if command_id in self._pipelines:
                raise PSRPCoreError(f"CommandId {command_id} is known already")
            self._pipelines[command_id] = ServerPipeline(self._pool, uuid.UUID(command_id))
            self._queues[command_id] = deque()
            self._feed(data, command_id)

    def more(self, command_id: str, data: bytes) -> None:
        """The rest of a pipeline's description, and what is piped to it. Raises PSRPCoreError."""
        with self.changed:
            if command_id not in self._pipelines:
                raise PSRPCoreError(f"CommandId {command_id} is not known")
            self._feed(data, command_id)

    def _feed(self, data: bytes, command_id: str | None) -> None:
        pipeline_id = None if command_id is None else uuid.UUID(command_id)
        self._pool.receive_data(PSRPPayload(data, StreamType.default, pipeline_id))
        while (event := self._pool.next_event()) is not None:
            if command_id is None:
                continue
            if isinstance(event, CreatePipelineEvent):
                if event.pipeline.no_input:
                    self._launch(command_id, event.pipeline, None)
                else:
                    self._piped[command_id] = []
            elif isinstance(event, PipelineInputEvent) and command_id in self._piped:
                self._piped[command_id].append(event.data)
            elif isinstance(event, EndOfPipelineInputEvent) and command_id in self._piped:
                self._launch(command_id, self._pipelines[command_id].metadata, self._piped.pop(command_id))

    def _launch(self, command_id: str, description: Any, piped: list[Any] | None) -> None:
        threading.Thread(target=self._run, args=(command_id, description, piped), daemon=True).start()

    # -- out -------------------------------------------------------------------------------------------------------

    def knows(self, command_id: str) -> bool:
        return command_id in self._pipelines

    def take(self, command_id: str | None, seconds: float, size: int) -> tuple[bytes, bool] | None:
        """Whole fragments of at most that size, and whether the pipeline has ended; None where nothing came in time."""
        with self.changed:
            queue = self._queues[command_id]

            def ready() -> bool:
                ended = command_id is None or command_id in self._done
                return self.dead or (bool(queue) and (ended or sum(map(len, queue)) >= _ENOUGH))

            self.changed.wait_for(ready, timeout=seconds)
            if not queue or self.dead:
                return None
            data = b""
            while queue and (not data or len(data) + len(queue[0]) <= size):
                data += queue.popleft()
            return data, command_id in self._done and not queue

    def end(self, command_id: str) -> None:
        """Forgets a pipeline, stopping it where it still runs."""
        with self.changed:
            pipeline = self._pipelines.pop(command_id, None)
            self._queues.pop(command_id, None)
            self._piped.pop(command_id, None)
            if pipeline is not None and pipeline.state == PSInvocationState.Running:
                pipeline.stop()
                while self._pool.data_to_send(_FRAGMENT) is not None:
                    pass  # nobody asks for it any more

    def die(self) -> None:
        """Ends as if its process had ended: who waits is cut off."""
        with self.changed:
            self.dead = True
            self.changed.notify_all()

    def _collect(self) -> None:
        """Moves what is to be sent into the queues; the condition is held."""
        while (payload := self._pool.data_to_send(_FRAGMENT)) is not None:
            target = None if payload.pipeline_id is None else str(payload.pipeline_id).upper()
            if target in self._queues:
                self._queues[target].append(bytes(payload.data))
        self.changed.notify_all()

    # -- running ---------------------------------------------------------------------------------------------------

    def _run(self, command_id: str, description: Any, piped: list[Any] | None) -> None:
        with self._running:
            _Run(self, command_id, description, piped).execute()

    def write(self, command_id: str, action: Any, *, last: bool = False) -> None:
        """Lets a running pipeline say something, unless it was ended meanwhile."""
        with self.changed:
            pipeline = self._pipelines.get(command_id)
            if pipeline is None or self.dead:
                return
            action(pipeline)
            if last:
                self._done.add(command_id)
            self._collect()

    @property
    def organisation(self) -> Organisation:
        return self._organisation

    @property
    def here(self) -> Server:
        return self._here

    @property
    def alive(self) -> bool:
        """Whether its server still has it: a restart forgets all."""
        return not self.dead and self._here.host.state.pools.get(self.shell_id) is self


def _start(pipeline: ServerPipeline) -> None:
    """Not the library's way, which tells the client that it runs: Windows says nothing until there is something."""
    pipeline.state = PSInvocationState.Running


class _Run:
    """One pipeline. piped: the objects that are piped to it, None where it takes none."""

    def __init__(self, pool: Pool, command_id: str, description: Any, piped: list[Any] | None) -> None:
        self.pool = pool
        self.command_id = command_id
        self.description = description
        self.piped = piped
        self.host = pool.here.host
        self.name = "?"
        self.parameters: dict[str, Any] = {}
        self.objects = 0
        self.error: str | None = None

    def execute(self) -> None:
        started = time.time()
        self.pool.write(self.command_id, _start)
        try:
            self._cmdlet()
        except Terminating as exc:
            self.error = exc.problem.message
            self._log(started)
            self._fail(exc.problem)
        else:
            self._log(started)
            self.pool.write(self.command_id, lambda pipeline: pipeline.complete(), last=True)

    def _log(self, started: float) -> None:
        self.host.log.add_cmdlet(
            cmdlet=self.name,
            parameters=self.parameters,
            user=self.pool.user,
            shell=self.pool.shell_id,
            objects=self.objects,
            error=self.error,
            at=started,
        )

    def _cmdlet(self) -> None:
        commands = getattr(self.description, "commands", None)
        if not commands or len(commands) != 1 or commands[0].is_script:
            self.name = "script" if commands and commands[0].is_script else "pipeline"
            raise Terminating(_NO_LANGUAGE)
        command = commands[0]
        self.name = str(command.command_text)
        self.parameters = {str(name): _shown(value) for name, value in command.parameters}
        exchange = self.pool.here.exchange
        cmdlet = find(self.name, exchange.hidden.get(self.pool.user, ()))
        self.name = cmdlet.name
        if self.piped is not None:
            self.parameters["piped"] = [_shown(item) for item in self.piped]
        strike = self.host.quirks.strike_cmdlet(cmdlet.name)
        effect = strike.get("effect")
        if effect == "slow":
            time.sleep(float(strike.get("seconds", 1.0)))
        if effect == "takes_no_input":
            cmdlet = cmdlet.without_input()
        stops = stops_at_errors(command.parameters)
        for bound in bind_each(cmdlet, command.parameters, self.piped):
            if effect in ("error", "denied"):
                self._say(_FAILED if effect == "error" else _DENIED, stops)
                return
            for result in self._results(cmdlet, bound):
                self._say(result, stops)
                if effect == "dies":
                    self._die()
                    return
        if effect == "dies":
            self._die()
        self.pool.lost = effect == "lost"

    def _results(self, cmdlet: Cmdlet, bound: dict[str, Any] | Problem) -> list[Any]:
        """What one run of a cmdlet says."""
        if isinstance(bound, Problem):
            return [bound]
        organisation, named = self.pool.organisation, [str(value) for value in bound.values()]
        with organisation.lock:
            organisation.advance_around(*named, here=self.host)
            hidden = self.pool.here.exchange.hidden.get(self.pool.user, ())
            call = Call(organisation, self.pool.here, cmdlet, bound, hidden)
            results = list(cmdlet.run(call)) if self.pool.alive else []
            organisation.advance_around(*named, here=self.host)
        return results

    def _die(self) -> None:
        time.sleep(_UNTIL_ASKED)
        with self.host.lock:
            pools = list(self.host.state.pools.values())
            self.host.state.pools.clear()
        for pool in pools:
            pool.die()

    def _say(self, result: Any, stops: bool) -> None:
        """stops: whether the first error is the last."""
        if isinstance(result, Problem):
            if stops:
                raise Terminating(result)
            self.error = self.error or result.message
            record = self._record(result)
            self.pool.write(
                self.command_id,
                lambda pipeline: pipeline.write_error(
                    record.Exception, record.CategoryInfo, None, record.FullyQualifiedErrorId
                ),
            )
        elif isinstance(result, Warning_):
            self.pool.write(self.command_id, lambda pipeline: pipeline.write_warning(result.message))
        else:
            self.objects += 1
            self.pool.write(self.command_id, lambda pipeline: pipeline.write_output(result))

    def _fail(self, problem: Problem) -> None:
        state = PipelineState(PipelineState=int(PSInvocationState.Failed))
        state.ExceptionAsErrorRecord = self._record(problem)

        def fail(pipeline: ServerPipeline) -> None:
            pipeline.prepare_message(state)
            pipeline.state = PSInvocationState.Failed

        self.pool.write(self.command_id, fail, last=True)

    def _record(self, problem: Problem) -> ErrorRecord:
        exception = NETException(Message=problem.message, HResult=-2146233088)
        exception.PSObject.type_names = [problem.exception, "System.Exception", "System.Object"]
        return ErrorRecord(
            Exception=exception,
            CategoryInfo=ErrorCategoryInfo(
                Category=ErrorCategory[problem.category],
                Activity=self.name,
                Reason=problem.exception.rpartition(".")[2],
                TargetName=problem.target or "",
                TargetType="String" if problem.target else "",
            ),
            FullyQualifiedErrorId=f"{problem.error_id},{self.name}",
        )


def _shown(value: Any) -> Any:
    """A parameter's value for the log."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return int(value) if isinstance(value, int) else str(value)
