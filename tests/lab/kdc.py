# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Kerberos KDC (MIT) on 127.0.0.1 for labs whose hosts take Kerberos. Needs krb5-kdc, not root, no /etc.

    with running_kdc(directory, description) as kdc:
        with running_lab(description, state_dir, environment=kdc.environment) as lab:
            ...  # clients need kdc.environment too, and speak to hosts under their names: ex01.lab.test

Domain accounts of the description become principals of the realm named like their domain in capitals, and every host
gets the service principals HTTP, host and WSMAN.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .description import LabDescription, load

_TOOLS = ("krb5kdc", "kdb5_util", "kadmin.local")
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
_SERVICES = ("HTTP", "host", "WSMAN")
_SECONDS = 10.0

_KRB5_CONF = """\
[libdefaults]
    default_realm = {realm}
    dns_lookup_realm = false
    dns_lookup_kdc = false
    dns_canonicalize_hostname = false
    rdns = false
    udp_preference_limit = 1
    default_ccache_name = FILE:{directory}/ccache
[realms]
    {realm} = {{
        kdc = 127.0.0.1:{port}
    }}
[domain_realm]
    .{domain} = {realm}
    {domain} = {realm}
"""

_KDC_CONF = """\
[kdcdefaults]
    kdc_listen = 127.0.0.1:{port}
    kdc_tcp_listen = 127.0.0.1:{port}
[realms]
    {realm} = {{
        database_name = {directory}/principal
        key_stash_file = {directory}/stash
        acl_file = {directory}/acl
        max_life = 1h
        supported_enctypes = aes256-cts-hmac-sha1-96:normal aes128-cts-hmac-sha1-96:normal
    }}
[logging]
    kdc = FILE:{directory}/kdc.log
"""


class KdcError(Exception):
    """The KDC could not be set up; the message has the tool's own words."""


def missing() -> str | None:
    """What is not installed, as a sentence for a skipped test; None if all is there."""
    absent = [tool for tool in _TOOLS if shutil.which(tool, path=_PATH) is None]
    return f"no {', '.join(absent)}: install krb5-kdc and krb5-admin-server" if absent else None


class Kdc:
    """One realm. environment: what servers and clients need to use it."""

    def __init__(self, directory: Path, domain: str) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory = directory
        self.domain = domain
        self.realm = domain.upper()
        self.port = _free_port()
        self.environment = {
            "KRB5_CONFIG": str(directory / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(directory / "kdc.conf"),
            "KRB5_KTNAME": f"FILE:{directory / 'keytab'}",
            "KRB5CCNAME": f"FILE:{directory / 'ccache'}",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, users: Mapping[str, str], hosts: list[str]) -> None:
        """Makes the realm with these users (name: password) and hosts (full names), and starts the KDC."""
        values = {"realm": self.realm, "domain": self.domain, "directory": self.directory, "port": self.port}
        (self.directory / "krb5.conf").write_text(_KRB5_CONF.format(**values), encoding="utf-8")
        (self.directory / "kdc.conf").write_text(_KDC_CONF.format(**values), encoding="utf-8")
        (self.directory / "acl").touch()
        self._run("kdb5_util", "create", "-s", "-r", self.realm, "-P", "lab-master-key")
        names = [f"{service}/{host}" for host in hosts for service in _SERVICES]
        lines = [f'addprinc -pw "{password}" {user}' for user, password in users.items()]
        lines += [f"addprinc -randkey {name}" for name in names]
        lines += [f"ktadd -k {self.directory / 'keytab'} {name}" for name in names]
        self._run("kadmin.local", "-r", self.realm, text="\n".join(lines) + "\n")
        self._process = subprocess.Popen(
            [str(shutil.which("krb5kdc", path=_PATH)), "-n", "-r", self.realm],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._await_port(self._process)

    def stop(self) -> None:
        """Ends the KDC."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(5)

    def _environment(self) -> dict[str, str]:
        return {"PATH": _PATH, **self.environment}

    def _run(self, tool: str, *arguments: str, text: str = "") -> None:
        path = shutil.which(tool, path=_PATH)
        if path is None:
            raise KdcError(missing() or tool)
        done = subprocess.run(
            [path, *arguments],
            input=text,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            raise KdcError(f"{tool}: {done.stderr.strip() or done.stdout.strip()}")

    def _await_port(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        log = self.directory / "kdc.log"
        raise KdcError(f"the KDC did not start: {log.read_text(encoding='utf-8') if log.exists() else 'no log'}")


@contextmanager
def running_kdc(directory: Path, description: Mapping[str, Any] | Path | LabDescription) -> Iterator[Kdc]:
    """A KDC for the domain accounts and hosts of a lab's description, for the duration of the block."""
    lab = description if isinstance(description, LabDescription) else load(description)
    domains = {account.domain for account in lab.accounts if account.domain}
    if len(domains) != 1:
        raise KdcError(f"one domain is needed among the accounts, not {len(domains)}")
    kdc = Kdc(directory, domains.pop())
    users = {account.user: account.password for account in lab.accounts if account.domain}
    try:
        kdc.start(users, [host.fqdn for host in lab.hosts])
        yield kdc
    finally:
        kdc.stop()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
