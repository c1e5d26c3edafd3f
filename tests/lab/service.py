# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WS-Management service of one host: which operation a request asks for, and what it answers."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Any

from . import cim, faults, shell, soap, wql
from . import namespaces as ns
from .faults import because, with_status
from .hosts import Host
from .soap import Identify, Request
from .wmi import CLASSES, Properties, WmiClass

_SHUTDOWN = ("Win32_OperatingSystem.Win32Shutdown", "Win32_OperatingSystem.Win32ShutdownTracker")


@dataclass(frozen=True)
class Reply:
    """Action and body of a successful reply."""

    action: str
    body: str
    close_connection: bool = False


@dataclass(frozen=True)
class Operation:
    """What a request asks for, as it appears in the log: "StdRegProv.GetDWORDValue", "Win32_Service.Pull" ..."""

    name: str
    arguments: dict[str, Any]


def classify(host: Host, request: Request | Identify) -> Operation:
    """Names the operation without judging it."""
    if isinstance(request, Identify):
        return Operation("Identify", {})
    verb = request.action.rpartition("/")[2]
    if _is_shell(request):
        return Operation(f"Shell.{verb}", dict(request.selectors))
    class_name = request.resource_uri.rpartition("/")[2]
    body = request.body[0] if len(request.body) == 1 else None
    if request.action in (ns.PULL, ns.RELEASE):
        context = body.findtext(f"{{{ns.ENUMERATION}}}EnumerationContext") if body is not None else None
        known = host.state.enumerations.get(context or "")
        return Operation(f"{known.class_name if known else class_name}.{verb}", {"context": context})
    if request.action == ns.ENUMERATE:
        text = body.findtext(f"{{{ns.WSMAN}}}Filter") if body is not None else None
        match = re.search(r"\bfrom\s+(\w+)", text or "", re.I)
        return Operation(f"{match.group(1) if match else class_name}.Enumerate", {"query": text} if text else {})
    arguments: dict[str, Any] = dict(request.selectors)
    if body is not None and body.tag.endswith("_INPUT"):
        arguments.update(soap.local_arguments(body))
    return Operation(f"{class_name}.{verb}", arguments)


def execute(host: Host, request: Request | Identify) -> Reply:
    """Runs the request. Raises SoapFault."""
    if isinstance(request, Identify):
        return Reply(f"{ns.IDENTITY}/IdentifyResponse", _identify(host))
    if _is_shell(request):
        return Reply(*shell.handle(host, request))
    if request.action in (ns.PULL, ns.RELEASE):
        return _pull(host, request)
    namespace, class_name, class_uri = _resource(host, request)
    if request.action == ns.ENUMERATE:
        return _enumerate(host, request, namespace, class_name)
    wmi_class = CLASSES.get(class_name)
    if wmi_class is None or namespace not in wmi_class.namespaces:
        raise with_status(faults.NOT_FOUND, "GetObject", class_name, "Invalid class ")
    if request.action == ns.GET:
        return _get(host, request, wmi_class, class_uri)
    return _invoke(host, request, wmi_class, class_uri)


def _namespaces(host: Host) -> frozenset[str]:
    """Those of the classes that the host has."""
    return frozenset(name for wmi_class in CLASSES.values() if wmi_class.there(host) for name in wmi_class.namespaces)


def is_shutdown(operation: Operation) -> bool:
    """True for the methods after which the quirk shutdown_cuts_connection drops the connection."""
    return operation.name in _SHUTDOWN


def _is_shell(request: Request) -> bool:
    return request.resource_uri.startswith(f"{ns.SHELL}/") or request.resource_uri == shell.POWERSHELL


def _identify(host: Host) -> str:
    windows = host.description.windows
    version = f"OS: {windows.version} SP: {'1.0' if windows.csd_version else '0.0'} Stack: {windows.stack}"
    return (
        f'<wsmid:IdentifyResponse xmlns:wsmid="{ns.IDENTITY}">'
        f"<wsmid:ProtocolVersion>{ns.WSMAN}</wsmid:ProtocolVersion>"
        "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
        f"<wsmid:ProductVersion>{version}</wsmid:ProductVersion></wsmid:IdentifyResponse>"
    )


def _resource(host: Host, request: Request) -> tuple[str, str, str]:
    """Namespace, class and URI of a WMI resource, with the __cimnamespace selector checked."""
    prefix = f"{ns.WMI}/"
    namespace, dummy, class_name = request.resource_uri.removeprefix(prefix).rpartition("/")
    if not request.resource_uri.startswith(prefix) or not namespace or not class_name:
        raise because(faults.INVALID_URI, request.resource_uri)
    if namespace not in _namespaces(host):
        raise with_status(faults.NOT_FOUND, "ConnectServer", namespace, "Invalid namespace ")
    for name, value in request.selectors.items():
        if name.lower() == "__cimnamespace" and value.replace("\\", "/").lower() != namespace.lower():
            raise because(faults.CIM_NAMESPACE, f"{value} is not {namespace}")
    return namespace, class_name, request.resource_uri


def _keys(request: Request) -> dict[str, str]:
    return {name: value for name, value in request.selectors.items() if name.lower() != "__cimnamespace"}


# -- Get and Invoke ------------------------------------------------------------------------------------------------


def _get(host: Host, request: Request, wmi_class: WmiClass, class_uri: str) -> Reply:
    if request.body:
        raise because(faults.INVALID_BODY, "Get has an empty s:Body")
    instance = _select(host, wmi_class, _keys(request))
    body = cim.write_instance(class_uri, wmi_class.name, instance, host.description.clock)
    return Reply(f"{ns.GET}Response", body)


def _select(host: Host, wmi_class: WmiClass, keys: dict[str, str]) -> Properties:
    if not keys and not wmi_class.singleton:
        raise faults.SoapFault(faults.NOT_SINGLETON)
    unknown = {name.lower() for name in keys} - {name.lower() for name in wmi_class.keys}
    if unknown or (keys and len(keys) != len(wmi_class.keys)):
        raise because(faults.UNEXPECTED_SELECTORS, f"keys of {wmi_class.name}: {', '.join(wmi_class.keys)}")
    wanted = {name.lower(): value.lower() for name, value in keys.items()}
    with host.lock:
        for instance in wmi_class.instances(host):
            if all(str(instance[key]).lower() == wanted[key.lower()] for key in wmi_class.keys if wanted):
                return instance
    raise with_status(faults.NOT_FOUND, "GetObject", f"{wmi_class.name} {keys}", "Not found ")


def _invoke(host: Host, request: Request, wmi_class: WmiClass, class_uri: str) -> Reply:
    prefix = f"{class_uri}/"
    name = request.action.removeprefix(prefix)
    method = wmi_class.methods.get(name) if request.action.startswith(prefix) else None
    if method is None:
        raise because(faults.ACTION_NOT_SUPPORTED, request.action)
    keys = _keys(request)
    if keys and wmi_class.static_only:
        raise because(faults.UNEXPECTED_SELECTORS, f"{wmi_class.name}.{name} is a static method")
    instance = _select(host, wmi_class, keys) if keys or wmi_class.act is not None else {}
    arguments = cim.read_input(request.only_body(), class_uri, method)
    with host.lock:
        if wmi_class.act is not None:
            outputs = wmi_class.act(host, instance, name, arguments)
        else:
            assert wmi_class.call is not None
            outputs = wmi_class.call(host, name, arguments)
    body = cim.write_output(class_uri, name, outputs, host.description.clock)
    return Reply(f"{prefix}{name}Response", body)


# -- Enumerate and Pull --------------------------------------------------------------------------------------------


def _enumerate(host: Host, request: Request, namespace: str, class_name: str) -> Reply:
    element = request.only_body()
    if element.tag != f"{{{ns.ENUMERATION}}}Enumerate":
        raise because(faults.INVALID_BODY, f"body element {element.tag}, expected n:Enumerate")
    options = _children(element, {f"{{{ns.WSMAN}}}{name}" for name in ("OptimizeEnumeration", "MaxElements", "Filter")})
    query = _query(options.get("Filter"), class_name)
    wmi_class = CLASSES.get(next((name for name in CLASSES if name.lower() == query.class_name.lower()), ""))
    if wmi_class is None or namespace not in wmi_class.namespaces:
        raise with_status(faults.CANNOT_PROCESS_FILTER, "ExecQuery", _text(options.get("Filter")), "Invalid class ")
    items = _items(host, wmi_class, query, f"{ns.WMI}/{namespace}/{wmi_class.name}")
    settings = host.description.winrm
    page: list[str] = []
    optimized, most = "OptimizeEnumeration" in options, _max_elements(options)
    if optimized and not settings.first_page_empty:
        page, items = _page(items, most, settings.page_size)
    if optimized and not items and not settings.first_page_empty:
        inner = f"<n:EnumerationContext/>{_wrap('w', page)}<w:EndOfSequence/>"
    else:
        inner = f"<n:EnumerationContext>{host.new_enumeration(wmi_class.name, items)}</n:EnumerationContext>"
        inner += _wrap("w", page) if page else ""
    return Reply(f"{ns.ENUMERATE}Response", f"<n:EnumerateResponse>{inner}</n:EnumerateResponse>")


def _pull(host: Host, request: Request) -> Reply:
    element = request.only_body()
    release = request.action == ns.RELEASE
    if element.tag != f"{{{ns.ENUMERATION}}}{'Release' if release else 'Pull'}":
        raise because(faults.INVALID_BODY, f"body element {element.tag}")
    options = _children(element, {f"{{{ns.ENUMERATION}}}{name}" for name in ("EnumerationContext", "MaxElements")})
    context = _text(options.get("EnumerationContext"))
    with host.lock:
        enumeration = host.state.enumerations.pop(context, None)
        if enumeration is None:
            raise because(faults.INVALID_CONTEXT, context or "no context")
        if release:
            return Reply(f"{ns.RELEASE}Response", "")
        if host.quirks.get("list_ends_early"):
            return Reply(f"{ns.PULL}Response", "<n:PullResponse><n:Items/></n:PullResponse>")
        page, rest = _page(enumeration.items, _max_elements(options), host.description.winrm.page_size)
        if rest:
            enumeration.items = rest
            host.state.enumerations[context] = enumeration
    inner = f"<n:EnumerationContext>{context}</n:EnumerationContext>" if rest else ""
    inner += _wrap("n", page) + ("" if rest else "<n:EndOfSequence/>")
    return Reply(f"{ns.PULL}Response", f"<n:PullResponse>{inner}</n:PullResponse>")


def _children(element: ET.Element, allowed: set[str]) -> dict[str, ET.Element]:
    result: dict[str, ET.Element] = {}
    for child in element:
        if child.tag not in allowed:
            raise because(faults.UNSUPPORTED_FEATURE, f"{child.tag} in {element.tag}")
        name = child.tag.rpartition("}")[2]
        if name in result:
            raise because(faults.SCHEMA_ERROR, f"{child.tag} twice")
        result[name] = child
    return result


def _text(element: ET.Element | None) -> str:
    return (element.text or "") if element is not None else ""


def _max_elements(options: dict[str, ET.Element]) -> int:
    if "MaxElements" not in options:
        return 1  # DSP0226: the default
    text = _text(options["MaxElements"])
    if not re.fullmatch("[1-9][0-9]*", text):
        raise because(faults.SCHEMA_ERROR, f"MaxElements {text!r}")
    return int(text)


def _query(element: ET.Element | None, class_name: str) -> wql.Query:
    if element is None:
        if class_name == "*":
            raise because(faults.CANNOT_PROCESS_FILTER, "all classes (*) need a filter")
        return wql.parse(f"SELECT * FROM {class_name}")
    if element.get("Dialect") != ns.WQL_DIALECT:
        raise because(faults.FILTER_DIALECT, f"dialect {element.get('Dialect')!r}")
    if class_name != "*":
        raise because(faults.CANNOT_PROCESS_FILTER, "a WQL filter needs a resource URI that ends in /*")
    try:
        return wql.parse(_text(element))
    except wql.WqlError as exc:
        raise with_status(
            faults.CANNOT_PROCESS_FILTER, "ExecQuery", f"{_text(element)}: {exc}", "Invalid query "
        ) from None


def _items(host: Host, wmi_class: WmiClass, query: wql.Query, class_uri: str) -> list[str]:
    clock = host.description.clock
    items = []
    with host.lock:
        instances = wmi_class.instances(host)
    for instance in instances:
        folded = {name.upper(): (name, value) for name, value in instance.items()}
        for name in query.mentioned:
            if name.upper() not in folded:
                text = f"{name} is no property of {wmi_class.name}"
                raise with_status(faults.CANNOT_PROCESS_FILTER, "ExecQuery", text, "Invalid query ")
        if not query.where({name.upper(): value for name, value in instance.items()}):
            continue
        if query.columns is None:
            items.append(cim.write_instance(class_uri, wmi_class.name, instance, clock))
        else:
            items.append(cim.write_fragment(dict(folded[name.upper()] for name in query.columns), clock))
    return items


def _page(items: list[str], wanted: int, limit: int) -> tuple[list[str], list[str]]:
    size = min(wanted, limit)
    return items[:size], items[size:]


def _wrap(prefix: str, items: list[str]) -> str:
    return f"<{prefix}:Items>{''.join(items)}</{prefix}:Items>"
