# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects in the shapes in which Exchange's cmdlets return them: types, ToString, properties, lists, enumerations."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from psrpcore.types import (
    PSByteArray,
    PSDateTime,
    PSEnumBase,
    PSGuid,
    PSInt,
    PSList,
    PSNoteProperty,
    PSObject,
    PSString,
    PSType,
)

_TEXT = "System.String, mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089"
_ASSEMBLY = "Version=15.0.0.0, Culture=neutral, PublicKeyToken=31bf3856ad364e35"
# .NET's own serialization of the object, which no one but .NET can read.
_BLOB = b"\x00\x01\x00\x00\x00\xff\xff\xff\xff\x01"

DIRECTORY = "Microsoft.Exchange.Data.Directory"
MANAGEMENT = f"{DIRECTORY}.Management"


def enumeration(name: str, members: Mapping[str, int]) -> Any:
    """A .NET enumeration: members by their text."""
    make: Any = PSEnumBase  # as enum's own functional form
    made = make(name.rpartition(".")[2].replace("+", "_"), dict(members))
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
