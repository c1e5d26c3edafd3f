# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line of the lab: start it, look at it, change it, stop it. Run from the root of the checkout."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from .client import STATE_FILE, LabClient, LabError
from .inventory import CONNECTIONS, write_inventory

_DEFAULT_DIR = Path(".cache") / "lab"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit code."""
    options = _parser().parse_args(arguments)
    options.state_dir = options.state_dir.resolve()
    try:
        return int(options.run(options) or 0)
    except (LabError, ValueError, OSError) as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, help: str, *positional: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help)
        sub.add_argument("--state-dir", type=Path, default=_DEFAULT_DIR, help="where the running lab keeps its files")
        for argument in positional:
            sub.add_argument(
                argument.strip("?").lower(), metavar=argument.strip("?"), nargs="?" if "?" in argument else None
            )
        sub.set_defaults(run=run)
        return sub

    start = command("start", _start, "start a lab and print the path of its inventory")
    start.add_argument("description", metavar="DESCRIPTION.yml", type=Path)
    start.add_argument("--foreground", action="store_true", help="stay in this process until stopped")
    start.add_argument("--max-lifetime", type=float, default=3600, metavar="SECONDS", help="end after that time")
    start.add_argument("--until-stdin-closes", action="store_true", help=argparse.SUPPRESS)
    command("status", _status, "list the hosts and what they accept")
    command("show", _show, "print a registry key, or all that decides TLS", "HOST", "KEY?")
    setter = command("set", _set, "set a registry value", "HOST", "KEY", "VALUE", "DATA")
    setter.add_argument("--type", default="REG_DWORD")
    command("delete", _delete, "delete a registry value, or a key with all below it", "HOST", "KEY", "VALUE?")
    command("restart", _restart, "restart a host and wait until it is back", "HOST")
    clock = command("clock", _clock, "set the clock of a host forward, or back", "HOST")
    clock.add_argument("seconds", metavar="SECONDS", type=float)
    command("log", _log, "print what a host was asked", "HOST")
    command("mail", _mail, "print the queues of a host, and the folder with its protocol logs", "HOST")
    command(
        "quirk", _quirk, "make a host misbehave; without JSON, list or clear (NAME clear)", "HOST", "NAME?", "JSON?"
    )
    inventory = command("inventory", _inventory, "write an Ansible inventory and print its path")
    inventory.add_argument("--connection", choices=CONNECTIONS, default="winrm")
    inventory.add_argument("--transport", choices=("ntlm", "basic", "kerberos"))
    inventory.add_argument("--scheme", choices=("http", "https"))
    inventory.add_argument("--user", help="one of the lab's accounts")
    inventory.add_argument("--output", type=Path)
    command("stop", _stop, "end the lab")
    return parser


# -- start and stop ------------------------------------------------------------------------------------------------


def _start(options: argparse.Namespace) -> int:
    if options.foreground:
        return _serve(options)
    from .launch import start_process

    if (options.state_dir / STATE_FILE).exists():
        try:
            with LabClient(options.state_dir) as running:
                raise ValueError(f"a lab is running already (process {running.pid}): stop it first")
        except LabError:
            (options.state_dir / STATE_FILE).unlink(missing_ok=True)
    process = start_process(options.description, options.state_dir, options.max_lifetime)
    process.returncode = 0  # it outlives this process on purpose: nobody is to wait for it
    with LabClient(options.state_dir) as lab:
        print(write_inventory(lab))
    return 0


def _serve(options: argparse.Namespace) -> int:
    from .control import ControlServer
    from .description import DEFAULT_SUBNET, load
    from .lab import Lab
    from .network import claim_subnet

    end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    options.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    subnet, claim = claim_subnet(DEFAULT_SUBNET)
    lab = Lab(load(options.description, subnet), options.state_dir)
    lab.start()
    control = ControlServer(lab, end.set)
    control.write_state()
    if options.until_stdin_closes:
        threading.Thread(target=_await_end_of_input, args=(end,), daemon=True).start()
    print("ready", flush=True)
    deadline = time.monotonic() + options.max_lifetime
    # logs get what was written by time, for who reads them without asking anything
    while not end.wait(min(lab.pause, max(0.0, deadline - time.monotonic()))) and time.monotonic() < deadline:
        lab.organisation.advance()
    control.close()
    lab.stop()
    claim.close()
    sys.stdout.flush()
    os._exit(0)  # connections that sleep on purpose are not waited for


def _await_end_of_input(end: threading.Event) -> None:
    while os.read(0, 4096):
        pass
    end.set()


def _stop(options: argparse.Namespace) -> None:
    with LabClient(options.state_dir) as lab:
        lab.stop()


# -- looking and changing ------------------------------------------------------------------------------------------


def _print(data: Any) -> None:
    print(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120), end="")


def _status(options: argparse.Namespace) -> None:
    with LabClient(options.state_dir) as lab:
        _print(
            {
                host.name: {
                    "address": host.address,
                    "windows": host.windows["caption"].strip(),
                    "status": host.status(),
                    "ports": host.ports,
                    "booted": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(host.boot_time())),
                    "accepts": ", ".join(host.effective_protocols()) or "nothing",
                    **({"quirks": host.quirks()} if host.quirks() else {}),
                }
                for host in lab.hosts()
            }
        )


def _show(options: argparse.Namespace) -> None:
    with LabClient(options.state_dir) as lab:
        tree = lab.host(options.host).dump(options.key)
    if options.key and not tree:
        raise ValueError(f"{options.host} has no key {options.key}")
    for key, values in tree.items():
        print(key)
        for name, value in values.items():
            print(f"    {name or '(default)'}  {value['type']}  {json.dumps(value['data'], ensure_ascii=False)}")


def _set(options: argparse.Namespace) -> None:
    data: Any = options.data
    if options.type == "REG_MULTI_SZ":
        data = options.data.split(",") if options.data else []
    with LabClient(options.state_dir) as lab:
        lab.host(options.host).set_value(options.key, options.value, data, options.type)


def _delete(options: argparse.Namespace) -> None:
    with LabClient(options.state_dir) as lab:
        host = lab.host(options.host)
        if options.value is None:
            host.delete_key(options.key)
        else:
            host.delete_value(options.key, options.value)


def _restart(options: argparse.Namespace) -> None:
    with LabClient(options.state_dir) as lab:
        host = lab.host(options.host)
        host.restart()
        print(f"{host.name} is back; it accepts {', '.join(host.effective_protocols()) or 'nothing'}")


def _clock(options: argparse.Namespace) -> None:
    with LabClient(options.state_dir) as lab:
        lab.host(options.host).step_clock(options.seconds)


def _log(options: argparse.Namespace) -> None:
    with LabClient(options.state_dir) as lab:
        host = lab.host(options.host)
        for login in host.logins():
            print(f"login {login['n']}: {login['mechanism']} {login['user']} {login['reason'] or 'ok'}")
        for request in host.requests():
            arguments = ", ".join(f"{name}={value}" for name, value in request["arguments"].items())
            outcome = request["http_status"] or "cut"
            print(f"{request['n']:4} #{request['connection']} {request['operation']}({arguments}) {outcome}")
        _print(host.counters())


def _mail(options: argparse.Namespace) -> None:
    with LabClient(options.state_dir) as lab:
        _print(lab.host(options.host).exchange.queues())
        logs = lab.smtp_logs() / options.host
        print(f"protocol logs: {logs if logs.is_dir() else 'none'}")


def _quirk(options: argparse.Namespace) -> None:
    with LabClient(options.state_dir) as lab:
        host = lab.host(options.host)
        if options.name == "clear":
            host.clear_quirks()
        elif options.name is not None:
            host.set_quirk(options.name, json.loads(options.json) if options.json is not None else True)
        _print(host.quirks())


def _inventory(options: argparse.Namespace) -> None:
    choices = {name: getattr(options, name) for name in ("connection", "transport", "scheme", "user")}
    with LabClient(options.state_dir) as lab:
        print(write_inventory(lab, options.output, **choices))


if __name__ == "__main__":
    sys.exit(main())
