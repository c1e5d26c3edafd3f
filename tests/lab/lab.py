# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole lab: all hosts of a description in this process."""

from __future__ import annotations

import importlib.util
import math
import os
import shutil
from pathlib import Path
from typing import Any

from . import winrm
from .auth import AccountBook
from .certificates import CertificateStore, Issued
from .description import Endpoint, HostDescription, LabDescription
from .endpoints import TlsEndpoint, offer_of
from .exchange.endpoint import Endpoint as ExchangeEndpoint
from .exchange.organisation import Organisation
from .hosts import Host
from .network import Acceptor, raise_file_limit
from .presets import LOCAL_LIST
from .schannel import POLICY_LIST, SCHANNEL
from .suites import Offer

# Seconds between looks at mail that flows.
_LOOKS = 0.5


class Lab:
    """All hosts. state_dir receives ca.pem, certificates and the file of NTLM accounts."""

    def __init__(self, description: LabDescription, state_dir: Path) -> None:
        raise_file_limit()
        _check_kerberos(description)
        self.description = description
        self.state_dir = state_dir
        self.certificates = CertificateStore(state_dir)
        self.book = AccountBook(description.accounts, [host.computer_name for host in description.hosts])
        ntlm_users = state_dir / "ntlm-users"
        self.book.write_ntlm_file(ntlm_users)
        os.environ["NTLM_USER_FILE"] = str(ntlm_users)
        for user in {user for host in description.hosts for user in host.winrm.mapped}:
            self.certificates.issue_client(user)
        self._acceptor = Acceptor()
        self.hosts = {host.name: self._make_host(host) for host in description.hosts}
        logs = state_dir / "smtp-logs"
        shutil.rmtree(logs, ignore_errors=True)  # those of a lab before this one
        self.organisation = Organisation(self.hosts.values(), logs, description.dags, description.exchange_clock)
        self._add_exchange(ExchangeEndpoint(self.organisation))

    def start(self) -> None:
        """Opens all ports. Raises OSError if one is taken."""
        self._acceptor.start()
        for host in self.hosts.values():
            if not host.quirks.get("down"):
                host.open()
        self.organisation.begin()

    def stop(self) -> None:
        """Closes all ports and cuts all connections."""
        for host in self.hosts.values():
            host.close()

    @property
    def pause(self) -> float:
        """Seconds after which a look shows what has happened by itself; very many where nothing does."""
        return _LOOKS if any(transport.flows for transport in self.organisation.mail.transports.values()) else math.inf

    def _make_host(self, description: HostDescription) -> Host:
        host = Host(description, self._acceptor)

        def issue(kind: str, key: str = "rsa") -> Issued:
            return self.certificates.issue(description.fqdn, description.address, kind, key)

        for port, listener in winrm.listeners(host, self.book, issue, self.certificates.ca_path).items():
            host.add_service(port, listener.serve)
        for endpoint in description.endpoints:
            issued = issue(endpoint.certificate, endpoint.key)
            host.add_service(endpoint.port, TlsEndpoint(host, endpoint, issued.path).serve)
        return host

    def _add_exchange(self, endpoint: ExchangeEndpoint) -> None:
        for host in self.hosts.values():
            description = host.description
            if description.exchange is None or description.exchange.shell is None:
                continue

            def issue(kind: str, to: HostDescription = description) -> Issued:
                return self.certificates.issue(to.fqdn, to.address, kind)

            for port, listener in winrm.listeners(host, self.book, issue, self.certificates.ca_path, endpoint).items():
                host.add_service(port, listener.serve)


def _check_kerberos(description: LabDescription) -> None:
    """Raises ValueError where Kerberos is asked for and cannot work."""
    if not any("kerberos" in (*host.winrm.auth, *_shell_auth(host)) for host in description.hosts):
        return
    absent = [name for name in ("gssapi", "krb5") if importlib.util.find_spec(name) is None]
    if absent:
        raise ValueError(f"hosts with Kerberos need Python's {' and '.join(absent)}: pip install pyspnego[kerberos]")
    if "KRB5_KTNAME" not in os.environ or "KRB5_CONFIG" not in os.environ:
        raise ValueError("hosts with Kerberos need KRB5_CONFIG and KRB5_KTNAME: see tests/lab/kdc.py")


def _shell_auth(host: HostDescription) -> tuple[str, ...]:
    return host.exchange.shell.auth if host.exchange is not None and host.exchange.shell is not None else ()


def facts(host: Host) -> dict[str, Any]:
    """What a client of the control channel is told about a host."""
    description = host.description
    winrm_settings = description.winrm
    ports = {"winrm_http": winrm_settings.http, "winrm_https": winrm_settings.https}
    ports.update({endpoint.kind: endpoint.port for endpoint in description.endpoints})
    if description.exchange is not None and description.exchange.shell is not None:
        shell = description.exchange.shell
        ports.update({"exchange_http": shell.http, "exchange_https": shell.https})
    windows = description.windows
    return {
        "name": description.name,
        "address": description.address,
        "fqdn": description.fqdn,
        "status": host.status,
        "ports": {kind: port for kind, port in ports.items() if port},
        "endpoints": [{"kind": endpoint.kind, "port": endpoint.port} for endpoint in description.endpoints],
        "winrm": {
            "auth": list(winrm_settings.auth),
            "allow_unencrypted": winrm_settings.allow_unencrypted,
            "certificate": winrm_settings.certificate,
            "path": winrm_settings.path,
        },
        "windows": {
            "preset": windows.name,
            "caption": windows.caption,
            "build": windows.build,
            "ubr": windows.ubr,
            "version": windows.version,
            "computer_name": description.computer_name,
            "domain": description.domain,
            "defaults": dict(windows.defaults),
        },
    }


def effective_protocols(host: Host, kind: str) -> list[str]:
    """The versions that can be negotiated with the listener of that kind now; nothing while the host is away."""
    return list(_offer(host, kind).protocols)


def effective_suites(host: Host, kind: str) -> list[str]:
    """The suites that can be negotiated with it, without curves, in its order."""
    return [suite.name for suite in _offer(host, kind).suites]


def _offer(host: Host, kind: str) -> Offer:
    """Of the listener of that kind; where the host has none, of one with an RSA certificate."""
    if host.status not in ("up", "stopping"):
        return Offer((), ())
    endpoints = {endpoint.kind: endpoint for endpoint in host.description.endpoints}
    return offer_of(endpoints.get(kind) or Endpoint(kind, 0), host.effective)


#: What a before/after comparison of a host covers.
DUMPED = (
    rf"HKLM\{SCHANNEL}",
    r"HKLM\SOFTWARE\Microsoft\.NETFramework",
    r"HKLM\SOFTWARE\Wow6432Node\Microsoft\.NETFramework",
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\WinHttp",
    r"HKLM\SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\Internet Settings\WinHttp",
    rf"HKLM\{LOCAL_LIST}".rpartition("\\")[0],
    rf"HKLM\{POLICY_LIST}".rpartition("\\")[0],
)


def dump(host: Host, path: str | None = None) -> dict[str, dict[str, Any]]:
    """The tree below one key, or all that decides TLS."""
    with host.lock:
        result: dict[str, dict[str, Any]] = {}
        for root in (path,) if path is not None else DUMPED:
            result.update(host.registry.dump(root))
        return result
