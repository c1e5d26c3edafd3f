# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Windows in memory that answers where a session would: WMI's classes and a registry behind StdRegProv.

It takes Request objects and returns the bodies of answers; nothing goes over a wire. Return codes and shapes are
those of docs/reference/wsman.md, and any call can be made to fail before or after it was carried out.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import WsmanFault
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Type, Value
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows.registry import Registry
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._wire.overlap import Read
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._wire.session import Session
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._wire.soap import Request

BOOT = datetime.datetime(2026, 11, 20, 3, 4, 5, tzinfo=datetime.timezone.utc)
# For how long a host has been up right after a restart.
JUST_STARTED = datetime.timedelta(seconds=30)
# For how long a host has been running when it is asked: its clock has nothing to do with the controller's.
UPTIME = datetime.timedelta(minutes=30)

WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
CIM = "http://schemas.dmtf.org/wbem/wscim/1/common"
WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi"

_TYPES = {
    "DWORD": (Type.REG_DWORD, 4, "uValue"),
    "QWORD": (Type.REG_QWORD, 11, "uValue"),
    "Binary": (Type.REG_BINARY, 3, "uValue"),
    "String": (Type.REG_SZ, 1, "sValue"),
    "ExpandedString": (Type.REG_EXPAND_SZ, 2, "sValue"),
    "MultiString": (Type.REG_MULTI_SZ, 7, "sValue"),
}
_NUMBERS = {kind: number for kind, number, _parameter in _TYPES.values()} | {Type.OTHER: 0}
WRONG_TYPE = 0x80041005


class Hive:
    """Keys and values of HKEY_LOCAL_MACHINE; names keep their spelling and are compared without regard to case."""

    def __init__(self, content: Mapping[str, Mapping[str, Value]] | None = None) -> None:
        self.keys: dict[str, str] = {}
        self.values: dict[tuple[str, str], tuple[str, Value]] = {}
        self.make("SOFTWARE")
        for key, values in (content or {}).items():
            self.make(key)
            for name, value in values.items():
                self.set(key, name, value)

    def make(self, key: str) -> None:
        parts = key.split("\\")
        for length in range(1, len(parts) + 1):
            path = "\\".join(parts[:length])
            self.keys.setdefault(path.lower(), path)

    def set(self, key: str, name: str, value: Value) -> None:
        self.values[key.lower(), name.lower()] = (name, value)

    def get(self, key: str, name: str) -> Value:
        return self.values.get((key.lower(), name.lower()), ("", Value()))[1]

    def below(self, key: str) -> list[str]:
        start = f"{key.lower()}\\"
        names = [
            path[len(start) :]
            for folded, path in self.keys.items()
            if folded.startswith(start) and "\\" not in folded[len(start) :]
        ]
        return sorted(names)

    def values_of(self, key: str) -> dict[str, Value]:
        return {name: value for (path, _folded), (name, value) in self.values.items() if path == key.lower()}

    def drop(self, key: str) -> None:
        self.keys.pop(key.lower(), None)
        self.values = {place: item for place, item in self.values.items() if place[0] != key.lower()}

    def image(self) -> tuple[frozenset[str], dict[tuple[str, str], Value]]:
        """All that can be observed, for comparing."""
        return frozenset(self.keys), {place: value for place, (_name, value) in self.values.items()}


@dataclasses.dataclass(frozen=True)
class Call:
    """One request that reached the host."""

    number: int  # from 1
    method: str  # of a WMI class; Get, Enumerate
    of: str = ""  # the class
    key: str = ""
    name: str | None = None
    arguments: Mapping[str, list[str | None]] = dataclasses.field(default_factory=dict)
    repeatable: bool = True

    @property
    def writes(self) -> bool:
        return self.method.startswith(("Set", "Delete", "Create", "Win32Shutdown"))


@dataclasses.dataclass(frozen=True)
class Trouble:
    """What goes wrong with a call: an error is raised, before or after it is carried out; or a code is returned."""

    error: BaseException | None = None
    code: int | None = None
    executed: bool = False


class FakeChannel:
    """The part of a channel that is seen through a session."""

    endpoint = "http://ex01:5985/wsman"
    operation_timeout = 20

    def __init__(self) -> None:
        self.reconnected = 0
        self.limits: list[tuple[float | None, float | None]] = []

    def reconnect(self) -> None:
        self.reconnected += 1

    def limit(self, seconds: float | None = None, left: float | None = None) -> None:
        self.limits.append((seconds, left))

    def post(self, message: bytes, doing: str) -> bytes:
        raise AssertionError("this fake answers above the wire")


def _wql(request: Request) -> str:
    return next((item.text or "" for item in _elements(request) if item.tag.endswith("}Filter")), "")


def _class_of(request: Request) -> str:
    """The WMI class that a request is about."""
    named = re.search(r" FROM (\w+)", _wql(request)) if request.action.endswith("/Enumerate") else None
    return named[1] if named else request.resource_uri.rpartition("/")[2]


class FakeWindows:
    """Stands where a Session stands."""

    def __init__(
        self,
        content: Mapping[str, Mapping[str, Value]] | None = None,
        *,
        build: int = 17763,
        last_boot: datetime.datetime = BOOT,
    ) -> None:
        self.hive = Hive(content)
        self.build = build
        self.last_boot = last_boot
        self.uptime = UPTIME
        self.name = "EX01"
        self.services: list[dict[str, str]] = []
        # of other classes: their objects, by class; what is not there is no class of this Windows
        self.instances: dict[str, list[dict[str, str]]] = {"Win32_QuickFixEngineering": []}
        self.channel = FakeChannel()
        self.calls: list[Call] = []
        self.denied: set[str] = set()  # keys, in lower case, that CheckAccess and writing refuse
        self.hide_lone_defaults = False  # as Windows does
        self.shutdown_code = 0
        self.trouble: Callable[[Call], Trouble | None] = lambda call: None

    # --- what tests look at ----------------------------------------------------------------------------------------

    @property
    def writes(self) -> list[Call]:
        return [call for call in self.calls if call.writes]

    def count(self, method: str) -> int:
        return sum(call.method == method for call in self.calls)

    # --- the session -----------------------------------------------------------------------------------------------

    def limit(self, seconds: float | None = None, left: float | None = None) -> None:
        self.channel.limit(seconds, left)

    def overlapping(self, _logins: int) -> AbstractContextManager[None]:
        return nullcontext()

    def ahead(self, reads: Iterable[Read]) -> None:
        """A line that is not long: reads are not made before they are asked for."""

    def call(self, request: Request, *, doing: str, repeatable: bool) -> ET.Element:
        action = request.action.rpartition("/")[2]
        arguments = _arguments(request)
        call = Call(
            len(self.calls) + 1,
            action,
            _class_of(request),
            (arguments.get("sSubKeyName") or [""])[0] or "",
            (arguments["sValueName"][0] or "") if "sValueName" in arguments else None,
            arguments,
            repeatable,
        )
        self.calls.append(call)
        trouble = self.trouble(call)
        if trouble and trouble.error and not trouble.executed:
            raise trouble.error
        if trouble and trouble.code is not None and not trouble.executed:
            return _output(request, action, [], trouble.code)
        answer = self._carry_out(request, call)
        if trouble and trouble.error:
            raise trouble.error
        if trouble and trouble.code is not None:
            return _output(request, action, [], trouble.code)
        return answer

    def _carry_out(self, request: Request, call: Call) -> ET.Element:
        if call.method == "Get" and call.of != "Win32_OperatingSystem":
            return self._instance(request, call.of)
        if call.method == "Get":
            return self._operating_system(request)
        if call.method == "Enumerate":
            return self._enumerate(request)
        if call.of not in ("StdRegProv", "Win32_OperatingSystem"):
            return _output(request, call.method, list(self._objects(request, call.of)[0].items()), 0)
        if call.method in ("Win32Shutdown", "Win32ShutdownTracker"):
            return _output(request, call.method, [], self.shutdown_code)
        code, items = self._stdregprov(call)
        return _output(request, call.method, items, code)

    def _operating_system(self, request: Request) -> ET.Element:
        body = ET.Element("Body")
        instance = ET.SubElement(body, f"{{{request.resource_uri}}}Win32_OperatingSystem")
        uri = request.resource_uri

        def add(name: str, value: str) -> None:
            ET.SubElement(instance, f"{{{uri}}}{name}").text = value

        add("CSName", self.name)
        add("Caption", "Microsoft Windows Server 2019 Standard ")
        add("BuildNumber", str(self.build))
        add("ProductType", "3")
        for name, moment in (("LastBootUpTime", self.last_boot), ("LocalDateTime", self.last_boot + self.uptime)):
            outer = ET.SubElement(instance, f"{{{uri}}}{name}")
            ET.SubElement(outer, f"{{{CIM}}}Datetime").text = moment.isoformat().replace("+00:00", "Z")
        return body

    def _objects(self, request: Request, name: str) -> list[dict[str, str]]:
        if name not in self.instances:
            raise WsmanFault(f"{request.resource_uri}: Invalid class")
        return self.instances[name]

    def _instance(self, request: Request, name: str) -> ET.Element:
        keys = {key: value.lower() for key, value in request.selectors.items()}
        for item in self._objects(request, name):
            if all(item[key].lower() == value for key, value in keys.items()):
                body = ET.Element("Body")
                instance = ET.SubElement(body, name)
                for key, value in item.items():
                    ET.SubElement(instance, key).text = value
                return body
        raise WsmanFault(f"{name} {keys}: Not found")

    def _enumerate(self, request: Request) -> ET.Element:
        wql = _wql(request)
        name = _class_of(request)
        if name != "Win32_Service":
            found = self._objects(request, name)
            wanted = re.search(r"WHERE Name='(.*)'$", wql)
            text = wanted[1].replace("\\\\", "\\").lower() if wanted else None
            return _enumeration([item for item in found if text in (None, item.get("Name", "").lower())])
        if " WHERE " not in wql:
            return _enumeration(self.services)
        patterns = [
            (name or pattern, bool(pattern)) for name, pattern in re.findall(r"Name='([^']*)'|Name LIKE '([^']*)'", wql)
        ]
        return _enumeration([item for item in self.services if any(_like(item["Name"], *p) for p in patterns)])

    # --- StdRegProv: return codes of docs/reference/wsman.md 1.4 ------------------------------------------------

    def _stdregprov(self, call: Call) -> tuple[int, list[tuple[str, Any]]]:
        assert call.arguments["hDefKey"] == ["2147483650"]
        exists = call.key.lower() in self.hive.keys
        method = call.method
        if method == "CreateKey":
            if self._is_denied(call.key):
                return 5, []
            self.hive.make(call.key)
            return 0, []
        if not exists:
            return 2, []
        if method == "EnumKey":
            return 0, [("sNames", name) for name in self.hive.below(call.key)]
        if method == "EnumValues":
            values = self.hive.values_of(call.key)
            if self.hide_lone_defaults and list(values) == [""]:
                values = {}
            names: list[tuple[str, Any]] = [("sNames", name) for name in values]
            return 0, names + [("Types", _NUMBERS[value.type]) for value in values.values() if value.type]
        if method == "CheckAccess":
            return 0, [("bGranted", "FALSE" if call.key.lower() in self.denied else "TRUE")]
        if call.writes and self._is_denied(call.key):
            return 5, []
        if method == "DeleteKey":
            if self.hive.below(call.key):
                return 5, []
            self.hive.drop(call.key)
            return 0, []
        name = call.name or ""
        value = self.hive.get(call.key, name)
        if method == "DeleteValue":
            self.hive.values.pop((call.key.lower(), name.lower()), None)
            return (0 if value.present else 2), []
        kind, _number, parameter = _TYPES[method[3:].removesuffix("Value")]
        if method.startswith("Set"):
            self.hive.set(call.key, name, Value(kind, _typed(kind, call.arguments.get(parameter, []))))
            return 0, []
        if not value.present:
            return (2 if kind is Type.REG_MULTI_SZ else 1), []
        if value.type is not kind:
            return WRONG_TYPE, []
        items = value.data if isinstance(value.data, tuple) else (value.data,)
        return 0, [(parameter, item) for item in items]

    def _is_denied(self, key: str) -> bool:
        return any(key.lower() == item or key.lower().startswith(f"{item}\\") for item in self.denied)


def _elements(request: Request) -> list[ET.Element]:
    """What is in the body of a request."""
    return list(ET.fromstring(request.body.replace(b"\r", b"&#13;"))) if request.body else []


def _arguments(request: Request) -> dict[str, list[str | None]]:
    found: dict[str, list[str | None]] = {}
    for item in _elements(request):
        found.setdefault(item.tag.rpartition("}")[2], []).append(
            None if item.get(f"{{{XSI}}}nil") == "true" else item.text or ""
        )
    return found


def _typed(kind: Type, texts: list[str | None]) -> Any:
    if kind is Type.REG_MULTI_SZ:
        return tuple(text or "" for text in texts)
    if kind is Type.REG_BINARY:
        return tuple(int(text or "") for text in texts)
    (text,) = texts
    return text if kind in (Type.REG_SZ, Type.REG_EXPAND_SZ) else int(text or "")


def _output(request: Request, method: str, items: list[tuple[str, Any]], code: int) -> ET.Element:
    body = ET.Element("Body")
    output = ET.SubElement(body, f"{{{request.resource_uri}}}{method}_OUTPUT")
    for name, value in [*items, ("ReturnValue", code)]:
        ET.SubElement(output, f"{{{request.resource_uri}}}{name}").text = str(value)
    return body


def _enumeration(instances: list[dict[str, str]]) -> ET.Element:
    body = ET.Element("Body")
    answer = ET.SubElement(body, f"{{{ENUMERATION}}}EnumerateResponse")
    ET.SubElement(answer, f"{{{ENUMERATION}}}EnumerationContext")
    items = ET.SubElement(answer, f"{{{WSMAN}}}Items")
    for properties in instances:
        instance = ET.SubElement(items, "Instance")
        for name, value in properties.items():
            ET.SubElement(instance, name).text = value
    ET.SubElement(answer, f"{{{WSMAN}}}EndOfSequence")
    return body


def _like(name: str, pattern: str, wildcards: bool) -> bool:
    """WQL: in LIKE only, % is any text, _ any character and [...] one of those in it."""
    if not wildcards:
        return name.lower() == pattern.lower()
    parts = re.findall(r"\[[^\]]*\]|.", pattern)
    expression = "".join({"%": ".*", "_": "."}.get(part, part if len(part) > 1 else re.escape(part)) for part in parts)
    return re.fullmatch(expression, name, re.IGNORECASE) is not None


def service(name: str, state: str = "Running", start_mode: str = "Auto") -> dict[str, str]:
    return {"Name": name, "StartMode": start_mode, "State": state}


def names(calls: list[Call]) -> Iterator[str]:
    return (call.method for call in calls)


def registry_of(windows: FakeWindows) -> Registry:
    return Registry(cast(Session, windows))


def no_shell(_computer: str, _others: Sequence[str]) -> Any:
    """Nobody here has Exchange."""
    raise AssertionError("no cmdlet is to be asked")
