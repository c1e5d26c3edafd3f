# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WinRS shells, as far as the stock connection plugins open and close them: nothing ever runs in one."""

from __future__ import annotations

import uuid
from xml.sax.saxutils import escape

from . import faults
from . import namespaces as ns
from .faults import because
from .hosts import Host
from .soap import Request

CMD = f"{ns.SHELL}/cmd"


def handle(host: Host, request: Request) -> tuple[str, str]:
    """Action and body of the reply to a request for a shell. Raises SoapFault."""
    if request.resource_uri != CMD:
        raise because(faults.INVALID_URI, f"{request.resource_uri}: the lab has only the cmd shell")
    if request.action == ns.CREATE:
        return f"{ns.CREATE}Response", _create(host, request)
    shell_id = request.selectors.get("ShellId", "")
    with host.lock:
        if set(request.selectors) != {"ShellId"} or shell_id not in host.state.shells:
            raise because(faults.SHELL_NOT_FOUND, f"ShellId {shell_id or 'missing'}")
        if request.action == ns.DELETE:
            host.state.shells.discard(shell_id)
            return f"{ns.DELETE}Response", ""
    if request.action == f"{ns.SHELL}/Command":
        raise because(faults.ACCESS_DENIED_SHELL, "the lab runs no commands")
    raise because(faults.ACTION_NOT_SUPPORTED, request.action)


def _create(host: Host, request: Request) -> str:
    element = request.only_body()
    if element.tag != f"{{{ns.SHELL}}}Shell" or request.selectors:
        raise because(faults.SCHEMA_ERROR, f"body element {element.tag}, expected rsp:Shell, and no selectors")
    shell_id = str(uuid.uuid4()).upper()
    with host.lock:
        host.state.shells.add(shell_id)
    streams = {
        name: escape(element.findtext(f"{{{ns.SHELL}}}{name}") or "") for name in ("InputStreams", "OutputStreams")
    }
    to = f"http://{host.description.fqdn}:{host.description.winrm.http or 5985}{host.description.winrm.path}"
    return (
        f"<x:ResourceCreated><a:Address>{to}</a:Address><a:ReferenceParameters><w:ResourceURI>{CMD}</w:ResourceURI>"
        f'<w:SelectorSet><w:Selector Name="ShellId">{shell_id}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
        f"</x:ResourceCreated><rsp:Shell><rsp:ShellId>{shell_id}</rsp:ShellId><rsp:ResourceUri>{CMD}</rsp:ResourceUri>"
        f"<rsp:InputStreams>{streams['InputStreams']}</rsp:InputStreams>"
        f"<rsp:OutputStreams>{streams['OutputStreams']}</rsp:OutputStreams></rsp:Shell>"
    )
