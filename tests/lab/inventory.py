# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes an Ansible inventory of the lab's hosts, for either stock connection plugin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from .certificates import client_path
from .client import HostClient, LabClient, LabError

CONNECTIONS = ("winrm", "psrp")
TRANSPORTS = ("ntlm", "basic", "kerberos", "credssp", "certificate")


def host_variables(
    lab: LabClient,
    host: HostClient,
    connection: str = "winrm",
    scheme: str | None = None,
    transport: str | None = None,
    user: str | None = None,
    password: str | None = None,
) -> dict[str, Any]:
    """Connection variables of one host.

    scheme: http or https; http where the host has it. transport: one of TRANSPORTS; the first that the host
    offers and that works over the scheme. user: an account of the lab (the first administrator), or any other name
    together with a password.
    """
    if connection not in CONNECTIONS:
        raise LabError(f"connection {connection!r} is none of {', '.join(CONNECTIONS)}")
    scheme = scheme or ("http" if "winrm_http" in host.ports else "https")
    transport = transport or min(host.winrm["auth"], key=TRANSPORTS.index)
    kerberos = transport == "kerberos"
    variables: dict[str, Any] = {
        "ansible_connection": connection,
        "ansible_host": host.address,
        "ansible_port": host.port(f"winrm_{scheme}"),
    }
    if transport != "certificate":
        variables["ansible_user"] = user or _user(_administrator(lab, domain=kerberos), kerberos)
        variables["ansible_password"] = password or _password(lab, user, domain=kerberos)
    client = str(client_path(lab.state_dir, user or _administrator(lab, domain=False)["user"]))
    encryption = "never" if transport == "basic" else "auto"
    if connection == "winrm":
        variables["ansible_winrm_scheme"] = scheme
        variables["ansible_winrm_transport"] = transport
        variables["ansible_winrm_path"] = host.winrm["path"]
        variables["ansible_winrm_message_encryption"] = encryption
        if kerberos:
            variables["ansible_winrm_kerberos_hostname_override"] = host.fqdn
            # Ansible starts kinit with an empty environment.
            variables["ansible_winrm_kinit_env_vars"] = ["KRB5_CONFIG"]
        if transport == "certificate":
            variables.update(dict.fromkeys(("ansible_winrm_cert_pem", "ansible_winrm_cert_key_pem"), client))
        if scheme == "https":
            variables["ansible_winrm_ca_trust_path"] = str(lab.ca_path)
    else:
        variables["ansible_psrp_protocol"] = scheme
        variables["ansible_psrp_auth"] = {"ntlm": "negotiate"}.get(transport, transport)
        variables["ansible_psrp_path"] = host.winrm["path"].lstrip("/")
        variables["ansible_psrp_message_encryption"] = encryption
        if kerberos:
            variables["ansible_psrp_negotiate_hostname_override"] = host.fqdn
        if transport == "certificate":
            variables.update(
                dict.fromkeys(("ansible_psrp_certificate_pem", "ansible_psrp_certificate_key_pem"), client)
            )
        if scheme == "https":
            variables["ansible_psrp_ca_cert"] = str(lab.ca_path)
    variables["lab_endpoints"] = [
        f"{'smtp' if endpoint['kind'] == 'smtp587' else endpoint['kind']}://{host.address}:{endpoint['port']}"
        for endpoint in host.endpoints
    ]
    return variables


def exchange_variables(lab: LabClient, entry: HostClient, auth: str = "basic") -> dict[str, Any]:
    """Variables with which a host asks Exchange's cmdlets of another one, the entry point, as a domain account.

    auth: basic over https, or kerberos over http.
    """
    account = _administrator(lab, domain=True)
    scheme = "https" if auth == "basic" else "http"
    variables = {
        "exchange_server": entry.address,
        "exchange_port": entry.port(f"exchange_{scheme}"),
        "exchange_scheme": scheme,
        "exchange_auth": auth,
        "exchange_user": _user(account, kerberos=auth == "kerberos"),
        "exchange_password": account["password"],
    }
    if auth == "kerberos":
        return {**variables, "exchange_kerberos_hostname_override": entry.fqdn}
    return {**variables, "exchange_ca_cert": str(lab.ca_path)}


def inventory(lab: LabClient, group: str = "exchange", **options: Any) -> dict[str, Any]:
    """The whole inventory as data; options as for host_variables."""
    hosts = {host.name: host_variables(lab, host, **options) for host in lab.hosts()}
    return {"all": {"children": {group: {"hosts": hosts}}}}


def write_inventory(lab: LabClient, path: Path | None = None, group: str = "exchange", **options: Any) -> Path:
    """Writes the inventory, readable by the owner only as it holds passwords, and returns its path."""
    path = path or lab.state_dir / "inventory.yml"
    path.touch(mode=0o600)
    path.write_text("---\n" + yaml.safe_dump(inventory(lab, group, **options), sort_keys=False), encoding="utf-8")
    return path


def _administrator(lab: LabClient, domain: bool) -> dict[str, Any]:
    for account in lab.accounts():
        if account["administrator"] and (account["domain"] or not domain):
            return account
    raise LabError(f"the lab has no {'domain account that is ' if domain else ''}administrator: name an account")


def _user(account: dict[str, Any], kerberos: bool) -> str:
    return f"{account['user']}@{account['domain'].upper()}" if kerberos else str(account["user"])


def _password(lab: LabClient, user: str | None, domain: bool) -> str:
    if user is None:
        return str(_administrator(lab, domain)["password"])
    for account in lab.accounts():
        if user.rpartition("\\")[2].partition("@")[0].lower() == account["user"].lower():
            return str(account["password"])
    raise LabError(f"the lab has no account {user!r}: give a password")
