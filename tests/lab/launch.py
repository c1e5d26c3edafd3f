# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting and stopping a lab process, for pytest fixtures, for the demo and for the command line."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import yaml

from .client import LabClient, LabError

ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 30.0


@contextmanager
def running_lab(
    description: Mapping[str, Any] | Path, state_dir: Path, max_lifetime: float = 3600, environment: Any = None
) -> Iterator[LabClient]:
    """Runs a lab for the duration of the block; it ends with the block, and with this process if that dies."""
    process = start_process(description, state_dir, max_lifetime, environment=environment, follow=True)
    try:
        with LabClient(state_dir) as client:
            yield client
    finally:
        end_process(process)


def start_process(
    description: Mapping[str, Any] | Path,
    state_dir: Path,
    max_lifetime: float = 3600,
    environment: Mapping[str, str] | None = None,
    follow: bool = False,
) -> subprocess.Popen[bytes]:
    """Starts a lab and waits until it listens. follow: it ends when our end of its standard input is closed."""
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if isinstance(description, Path):
        file = description.resolve()
    else:
        file = state_dir / "description.yml"
        file.touch(mode=0o600)
        file.write_text(yaml.safe_dump(dict(description), sort_keys=False), encoding="utf-8")
    command = [sys.executable, "-m", "tests.lab", "start", str(file), "--state-dir", str(state_dir), "--foreground"]
    command += ["--max-lifetime", str(max_lifetime), *(["--until-stdin-closes"] if follow else [])]
    log = state_dir / "lab.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE if follow else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    assert process.stdout is not None
    line = _first_line(process.stdout)
    process.stdout.close()
    if line != b"ready\n":
        end_process(process)
        reason = log.read_text(encoding="utf-8", errors="replace").strip()
        raise LabError(f"the lab did not start: {reason or 'no reason given'}")
    return process


def end_process(process: subprocess.Popen[bytes]) -> None:
    """Ends a lab process that this process started, gently at first."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def _first_line(stream: IO[bytes]) -> bytes:
    deadline = time.monotonic() + _START_SECONDS
    data = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while b"\n" not in data and (left := deadline - time.monotonic()) > 0:
            if not selector.select(left):
                break
            chunk = os.read(stream.fileno(), 4096)
            if not chunk:
                break
            data += chunk
    return data
