# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects in the shapes in which Exchange's cmdlets return them: types, ToString, properties, lists, enumerations."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from psrpcore.types import (
    PSByteArray,
    PSDateTime,
    PSDuration,
    PSEnumBase,
    PSGuid,
    PSInt,
    PSInt64,
    PSList,
    PSNoteProperty,
    PSObject,
    PSString,
    PSType,
    PSUInt,
)
from psrpcore.types._enum import PSEnumMeta

from ..installed import CONTENT_INDEX_STATES, COPY_STATES
from .described import AUTH_MECHANISMS, DELIVERY_TYPES, LOGGING, WITNESS

_TEXT = "System.String, mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089"
_ASSEMBLY = "Version=15.0.0.0, Culture=neutral, PublicKeyToken=31bf3856ad364e35"
# .NET's own serialization of the object, which no one but .NET can read.
_BLOB = b"\x00\x01\x00\x00\x00\xff\xff\xff\xff\x01"

DIRECTORY = "Microsoft.Exchange.Data.Directory"
MANAGEMENT = f"{DIRECTORY}.Management"


def enumeration(name: str, members: Mapping[str, int], base: Any = None) -> Any:
    """A .NET enumeration: members by their text. base: of a number that is no Int32."""
    short = name.rpartition(".")[2].replace("+", "_")
    space: Any = PSEnumMeta.__prepare__(short, (PSEnumBase,))
    for text, number in members.items():
        space[text] = number
    made: Any = PSEnumMeta(short, (PSEnumBase,), space, **({} if base is None else {"base_type": base}))
    return PSType([name, "System.Enum", "System.ValueType"], rehydrate=False)(made)


SERVICE_STATE = enumeration("Microsoft.Exchange.Data.ServiceState", {"Inactive": 0, "Active": 1, "Draining": 2})
OBJECT_STATE = enumeration("Microsoft.Exchange.Data.ObjectState", {"New": 0, "Unchanged": 1, "Changed": 2})
SERVER_ROLE = enumeration(
    f"{DIRECTORY}.SystemConfiguration.ServerRole", {"None": 0, "Mailbox": 2, "ClientAccess": 4, "Edge": 64}
)
EDITION = enumeration("Microsoft.Exchange.Data.ServerEditionType", {"Unknown": -1, "Standard": 0, "Enterprise": 1})
ACTIVATION_POLICY = enumeration(
    f"{DIRECTORY}.SystemConfiguration.DatabaseCopyAutoActivationPolicyType",
    {"Unrestricted": 0, "IntrasiteOnly": 1, "Blocked": 2},
)
MOUNT_DIAL = enumeration(
    f"{DIRECTORY}.SystemConfiguration.AutoDatabaseMountDial",
    {"Lossless": 0, "GoodAvailability": 6, "BestAvailability": 12},
)
DATABASE_TASKS = "Microsoft.Exchange.Management.SystemConfigurationTasks"
COPY_STATUS = enumeration(f"{DATABASE_TASKS}.CopyStatus", COPY_STATES)
CONTENT_INDEX = enumeration(f"{DATABASE_TASKS}.ContentIndexStatusType", CONTENT_INDEX_STATES)
ACTION_INITIATOR = enumeration(
    f"{DATABASE_TASKS}.ActionInitiatorType", {"Unknown": 0, "Service": 1, "Administrator": 2, "None": 3}, PSUInt
)
MOVE_STATUS = enumeration(f"{DATABASE_TASKS}.MoveStatus", {"Unknown": 0, "Succeeded": 1, "Warning": 2, "Failed": 3})
ACTIVATION_MODE = enumeration(
    f"{DIRECTORY}.SystemConfiguration.DatacenterActivationModeOption", {"Off": 0, "DagOnly": 1}
)
WITNESS_SHARE = enumeration(
    f"{DIRECTORY}.SystemConfiguration.WitnessShareUsage", {name: number for number, name in enumerate(WITNESS)}
)
DELIVERY_TYPE = enumeration("Microsoft.Exchange.Data.QueueViewer.DeliveryType", DELIVERY_TYPES)
QUEUE_STATUS = enumeration(
    "Microsoft.Exchange.Data.QueueViewer.QueueStatus",
    {"None": 0, "Active": 1, "Ready": 2, "Retry": 3, "Suspended": 4, "Connecting": 5},
)

PROTOCOL_LOGGING = enumeration(
    "Microsoft.Exchange.Data.ProtocolLoggingLevel", {name: number for number, name in enumerate(LOGGING)}
)
TRANSPORT_ROLE = enumeration(
    f"{DIRECTORY}.SystemConfiguration.ServerRole", {"HubTransport": 32, "FrontendTransport": 16384}
)


def auth_mechanism(words: Iterable[str]) -> Any:
    """A value of flags, whose text has all that are set."""
    chosen = list(words) or ["None"]
    kind = enumeration(
        f"{DIRECTORY}.SystemConfiguration.AuthMechanisms",
        {", ".join(chosen): sum(AUTH_MECHANISMS[word] for word in chosen)},
    )
    return kind[", ".join(chosen)]


def connector_guid(name: str) -> str:
    """The GUID of a connector: of the same name, always the same."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name.casefold()))


def long(value: int) -> PSInt64:
    """A number of 64 bits."""
    return PSInt64(value)


def numbers(values: Iterable[int]) -> PSList:
    """An array of Int32."""
    made = PSList(PSInt(value) for value in values)
    made.PSObject.type_names = ["System.Int32[]", "System.Array", "System.Object"]
    return made


def span(seconds: float) -> PSDuration:
    """A TimeSpan."""
    return PSDuration(seconds=seconds)


class Member(Protocol):
    """What is needed of a server."""

    @property
    def distinguished_name(self) -> str:
        """Its place in the directory."""

    @property
    def domain(self) -> str:
        """Its domain."""


def thing(types: Iterable[str], text: str | None, properties: Mapping[str, Any]) -> PSObject:
    """An object with these properties and the blob that all of Exchange's own have. text: its ToString."""
    names = [*types, "System.Object"]
    made = PSObject()
    made.PSObject.type_names = names
    made.PSObject.to_string = names[0] if text is None else text
    for name, value in properties.items():
        made.PSObject.adapted_properties.append(PSNoteProperty(name, _value(value)))
    made.PSObject.extended_properties.append(PSNoteProperty("SerializationData", PSByteArray(_BLOB)))
    return made


def plain(types: Iterable[str], text: str, properties: Mapping[str, Any]) -> PSObject:
    """An object without the blob, as items of lists are."""
    made = thing(types, text, properties)
    made.PSObject.extended_properties.clear()
    return made


def many(items: Iterable[Any], item_type: str = _TEXT) -> PSList:
    """A MultiValuedProperty."""
    made = PSList(_value(item) for item in items)
    made.PSObject.type_names = [
        f"Microsoft.Exchange.Data.MultiValuedProperty`1[[{item_type}]]",
        "Microsoft.Exchange.Data.MultiValuedPropertyBase",
        "System.Object",
    ]
    return made


def listed(items: Iterable[Any], item_type: str, assembly: str) -> PSList:
    """A List<T> of a type of Exchange's."""
    made = PSList(items)
    made.PSObject.type_names = [
        f"System.Collections.Generic.List`1[[{item_type}, {assembly}, {_ASSEMBLY}]]",
        "System.Object",
    ]
    return made


def identity(name: str, distinguished: str, guid: str, domain: str) -> PSObject:
    """An ADObjectId, which says its name."""
    return thing(
        [f"{DIRECTORY}.ADObjectId", "Microsoft.Exchange.Data.ObjectId"],
        name,
        {
            "OrgHierarchyToIgnore": None,
            "IsDeleted": False,
            "Rdn": distinguished.partition(",")[0],
            "DistinguishedName": distinguished,
            "DomainId": domain,
            "ObjectGuid": PSGuid(guid),
            "Name": name.rpartition("/")[2],
        },
    )


def group_identity(name: str, guid: str, member: Member) -> PSObject:
    """The ADObjectId of a DAG."""
    below = member.distinguished_name.partition(",CN=Servers,")[2]
    return identity(name, f"CN={name},CN=Database Availability Groups,{below}", guid, member.domain)


def version(numbers: tuple[int, int, int, int]) -> PSObject:
    """An AdminDisplayVersion, which does not pad its numbers."""
    major, minor, build, revision = numbers
    return thing(
        ["Microsoft.Exchange.Data.ServerVersion"],
        f"Version {major}.{minor} (Build {build}.{revision})",
        {"Major": major, "Minor": minor, "Build": build, "Revision": revision, "FilePatchLevelDescription": None},
    )


def moment(seconds: float) -> PSDateTime:
    """A UTC time, from seconds since the epoch."""
    return PSDateTime.fromtimestamp(seconds, datetime.timezone.utc)


def _value(value: Any) -> Any:
    if isinstance(value, bool) or value is None or hasattr(value, "PSObject"):
        return value
    return PSInt(value) if isinstance(value, int) else PSString(value)
