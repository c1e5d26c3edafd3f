# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects as Exchange sends them: the shapes were recorded, these are made up."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange import clixml
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.records import Record

_STATES = "Microsoft.Exchange.Data.Directory.Management.ServerComponentStatePresentationObject"
_ENUM = "<T>System.Enum</T><T>System.ValueType</T><T>System.Object</T>"

# A Send connector, where an object beside a list is the one inside an object of the list.
REFERENCE_INTO_A_LIST = f"""
<Obj RefId="0"><TN RefId="0"><T>A.SmtpSendConnectorConfig</T><T>System.Object</T></TN><ToString>To the cloud</ToString>
  <Props>
    <Nil N="TlsDomain"/>
    <Obj N="SmartHosts" RefId="1">
      <TN RefId="1"><T>Microsoft.Exchange.Data.MultiValuedProperty`1[[A.SmartHost, A, Version=15.0.0.0]]</T>
        <T>Microsoft.Exchange.Data.MultiValuedPropertyBase</T><T>System.Object</T></TN>
      <LST>
        <Obj RefId="2"><TN RefId="2"><T>A.SmartHost</T><T>System.Object</T></TN><ToString>relay.example</ToString>
          <Props><Obj N="Address" RefId="3"><TN RefId="3"><T>System.Net.IPAddress</T><T>System.Object</T></TN>
            <ToString>0.0.0.0</ToString><Props><I64 N="Address">0</I64></Props></Obj></Props></Obj>
      </LST>
    </Obj>
    <Ref N="SourceIPAddress" RefId="3"/>
    <Obj N="Fallback" RefId="4"><TNRef RefId="2"/><ToString>other.example</ToString><Props/></Obj>
    <Obj N="Level" RefId="5"><TN RefId="4"><T>A.ProtocolLoggingLevel</T>{_ENUM}</TN><ToString>None</ToString>
      <I32>0</I32></Obj>
    <Obj N="AddressSpaces" RefId="6"><TNRef RefId="1"/><LST/></Obj>
    <S N="Comment"/>
  </Props>
  <MS><BA N="SerializationData">AAEAAAD/////AQ==</BA></MS>
</Obj>
"""


def entry(requester: str, state: str, stamp: str = "2026-03-01T10:00:00.1234567Z", reference: int = 90) -> str:
    """An item of LocalStates or RemoteStates as an object."""
    return (
        f'<Obj RefId="{reference}"><TN RefId="9"><T>{_STATES}+RequesterDetails</T><T>System.Object</T></TN>'
        f"<ToString>Requestor:{requester}; State:{state}; Timestamp:3/1/2026 10:00:00 AM</ToString><Props>"
        f'<S N="Requester">{requester}</S><S N="State">{state}</S><DT N="Timestamp">{stamp}</DT>'
        '<S N="Component">X</S></Props></Obj>'
    )


def words(requester: str, state: str, stamp: str = "3/27/2026 10:00:00 AM") -> str:
    """The same as a text."""
    return f"<S>Requestor:{requester}; State:{state}; Timestamp:{stamp}</S>"


def component(name: str, state: str, local: str | None = "", remote: str | None = "") -> Record:
    """One component; local and remote: the items, or None for a list that is null."""

    def listed(side: str, items: str | None, reference: int) -> str:
        if items is None:
            return f'<Nil N="{side}"/>'
        return (
            f'<Obj N="{side}" RefId="{reference}"><TN RefId="{reference}"><T>System.Collections.Generic.List`1'
            f"[[{_STATES}+RequesterDetails, D, Version=15.0.0.0]]</T><T>System.Object</T></TN><LST>{items}</LST></Obj>"
        )

    found: Any = clixml.read(
        f'<Obj RefId="0"><TN RefId="0"><T>{_STATES}</T><T>System.Object</T></TN><ToString>{_STATES}</ToString><Props>'
        f'<S N="ServerFqdn">EX01.lab.test</S><S N="Component">{name}</S><Obj N="State" RefId="1"><TN RefId="1">'
        f"<T>Microsoft.Exchange.Data.ServiceState</T>{_ENUM}</TN><ToString>{state}</ToString><I32>0</I32></Obj>"
        f"{listed('RemoteStates', remote, 10)}{listed('LocalStates', local, 20)}</Props></Obj>"
    )
    assert isinstance(found, Record)
    return found


def error(message: str = "It failed.", error_id: str = "X,Get-Y", category: str = "NotSpecified") -> Record:
    """An error record."""
    exception = Record(None, ["System.Exception"], {"Message": message})
    return Record(
        message,
        ["System.Management.Automation.ErrorRecord"],
        {"Exception": exception, "FullyQualifiedErrorId": error_id, "ErrorCategory_Message": category},
    )
