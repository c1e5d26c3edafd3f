# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one command: said in one line before, with a hard time limit, and with nothing left behind."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import textwrap
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
LOGS = CACHE / "logs"


# By how much longer a command may take, where others run beside it.
_PATIENCE = "GATES_PATIENCE"


class GateFailed(Exception):
    """A check did not pass; the sentence says which and where to look."""


class GateSkipped(Exception):
    """A check cannot be made on this machine; the sentence says why."""


def say(text: str) -> None:
    """Print one plain line, at once: what follows may take minutes."""
    print(text, flush=True)


def left_out(what: str, reason: GateSkipped) -> None:
    """Say what cannot be run here, and why. On a machine of ours (CI=true) that is a failure."""
    say(f"SKIPPED: {what} because {reason}")
    if os.environ.get("CI") == "true":
        raise GateFailed(f"{what} was left out, and nothing may be where CI=true")


def beside_others() -> None:
    """From now on what this process starts has to share the processors."""
    os.environ[_PATIENCE] = "3"


def _within(limit: float) -> float:
    return limit * float(os.environ.get(_PATIENCE, "1"))


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the whole process group of a command that was started by :func:`run`."""
    for number, patience in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(patience)
            return
        except subprocess.TimeoutExpired:
            continue


# The commands that run now, several where steps run side by side.
_running: list[subprocess.Popen[bytes]] = []


def obey_signals() -> None:
    """`make` is ended by `timeout` with SIGTERM; the commands are in groups of their own, and have to be told."""

    def terminated(number: int, dummy_frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, terminated)


def run(
    what: str,
    command: Sequence[str | Path],
    *,
    limit: float,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    log: str | None = None,
    problems: re.Pattern[str] | None = None,
    quiet: bool = False,
) -> None:
    """Run a command, or raise :class:`GateFailed`.

    what: the line printed first. limit: seconds, after which the command and its children are ended.
    log: name of a file under .cache/logs that takes the output, which is then shown only when the command fails;
    without it the output goes to the terminal as it comes. problems: the lines of the log that say what is wrong, where
    the rest would bury them. quiet: the caller shows the log, whatever became of the command.
    """
    say(f"-- {what}")
    limit = _within(limit)
    output = None
    if log is not None:
        LOGS.mkdir(parents=True, exist_ok=True)
        output = (LOGS / f"{log}.log").open("wb")
    started = time.monotonic()
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=cwd,
        env=dict(env) if env is not None else None,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        start_new_session=True,
    )
    _running.append(process)
    try:
        code = process.wait(limit)
    except subprocess.TimeoutExpired:
        _stop(process)
        if not quiet:
            _show(log, problems)
        raise GateFailed(f"{what}: stopped after {limit:.0f} s, its time limit") from None
    finally:
        if process.poll() is None:
            _stop(process)
        _running.remove(process)
        if output:
            output.close()
    if code != 0:
        if not quiet:
            _show(log, problems)
        said = textwrap.shorten(shlex.join(map(str, command)), 200, placeholder=" ...")
        raise GateFailed(f"{what}: exit code {code} after {time.monotonic() - started:.0f} s from: {said}")


def run_all(*steps: Callable[[], None], at_once: int = 1) -> None:
    """Run the steps, also after one has failed, and raise for all that did.

    at_once: how many of them side by side, for commands that use one processor each and whose output goes to a log.
    """
    failures = []
    pool = ThreadPoolExecutor(at_once)
    try:
        for step in [pool.submit(step) for step in steps]:
            try:
                step.result()
            except GateFailed as failure:
                failures.append(str(failure))
    finally:
        # Where this thread was told to end, so does what the others wait for, and nothing new begins.
        ending = threading.Thread(target=pool.shutdown, kwargs={"cancel_futures": True})
        ending.start()
        while ending.is_alive():
            for process in tuple(_running):
                _stop(process)
            ending.join(0.1)
    if failures:
        raise GateFailed("; ".join(failures))


def output_of(command: Sequence[str | Path], *, limit: float, env: Mapping[str, str] | None = None) -> str:
    """What a short command prints, or :class:`GateFailed` with what it said."""
    words = [str(part) for part in command]
    limit = _within(limit)
    try:
        done = subprocess.run(
            words,
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise GateFailed(f"stopped after {limit:.0f} s, its time limit: {shlex.join(words)}") from None
    if done.returncode != 0:
        raise GateFailed(f"exit code {done.returncode} from: {shlex.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout


def _show(log: str | None, problems: re.Pattern[str] | None) -> None:
    if log is None:
        return
    path = LOGS / f"{log}.log"
    lines = path.read_text(errors="replace").splitlines()
    chosen = [line for line in lines if problems.search(line)] if problems else []
    for line in chosen or lines:
        say(f"   {line}")
    if chosen:
        say(f"   (all of it: {path.relative_to(ROOT)})")
