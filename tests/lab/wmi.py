# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WMI classes of a host: what Get and Enumerate return, and the methods of Win32_OperatingSystem."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import faults, stdregprov
from .cim import Method, Moment, Parameter
from .faults import because, with_status
from .hosts import Host
from .installed import NODE_STATES

Properties = dict[str, Any]


@dataclass(frozen=True)
class WmiClass:
    """One class. keys: the properties that select an instance; singleton: Get needs no selectors."""

    name: str
    namespaces: tuple[str, ...]
    keys: tuple[str, ...] = ()
    singleton: bool = False
    static_only: bool = False
    instances: Callable[[Host], list[Properties]] = lambda host: []
    #: Whether a host has the class at all.
    there: Callable[[Host], bool] = lambda host: True
    methods: Mapping[str, Method] = field(default_factory=dict)
    call: Callable[[Host, str, dict[str, Any]], dict[str, Any]] | None = None
    #: Instead of call, where methods are those of one instance: it comes second.
    act: Callable[[Host, Properties, str, dict[str, Any]], dict[str, Any]] | None = None


# -- StdRegProv ----------------------------------------------------------------------------------------------------


def _call_registry(host: Host, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return stdregprov.Provider(host.registry, host.quirks).call(method, arguments)


# -- Win32_OperatingSystem -----------------------------------------------------------------------------------------


def _operating_system(host: Host) -> list[Properties]:
    windows, description = host.description.windows, host.description
    return [
        {
            "BootDevice": r"\Device\HarddiskVolume1",
            "BuildNumber": str(windows.build),
            "BuildType": "Multiprocessor Free",
            "Caption": windows.caption,
            "CodeSet": "1252",
            "CountryCode": "1",
            "CreationClassName": "Win32_OperatingSystem",
            "CSCreationClassName": "Win32_ComputerSystem",
            "CSDVersion": windows.csd_version,
            "CSName": description.computer_name,
            "CurrentTimeZone": description.clock.offset_minutes,
            "DataExecutionPrevention_Available": True,
            "Debug": False,
            "Description": "",
            "Distributed": False,
            "FreePhysicalMemory": 9437184,
            "InstallDate": Moment(host.now() - description.uptime - 31536000),
            "LastBootUpTime": Moment(host.boot_time()),
            "LocalDateTime": Moment(host.now()),
            "Locale": "0409",
            "Manufacturer": "Microsoft Corporation",
            "MaxNumberOfProcesses": 4294967295,
            "MaxProcessMemorySize": 137438953344,
            "MUILanguages": ["en-US"],
            "Name": f"{windows.caption.rstrip()}|C:\\Windows|\\Device\\Harddisk0\\Partition2",
            "NumberOfProcesses": 143,
            "NumberOfUsers": 2,
            "OperatingSystemSKU": 8 if "Datacenter" in windows.caption else 7,
            "Organization": "",
            "OSArchitecture": "64-bit",
            "OSLanguage": 1033,
            "OSProductSuite": 272,
            "OSType": 18,
            "OtherTypeDescription": None,
            "PlusProductID": None,
            "Primary": True,
            "ProductType": 3,
            "RegisteredUser": "Windows User",
            "SerialNumber": "00377-70000-00000-AA000",
            "ServicePackMajorVersion": 1 if windows.csd_version else 0,
            "ServicePackMinorVersion": 0,
            "Status": "OK",
            "SuiteMask": 272,
            "SystemDevice": r"\Device\HarddiskVolume2",
            "SystemDirectory": r"C:\Windows\system32",
            "SystemDrive": "C:",
            "TotalSwapSpaceSize": None,
            "TotalVisibleMemorySize": 33554432,
            "Version": windows.version,
            "WindowsDirectory": r"C:\Windows",
        }
    ]


_POWER_OFF = {1, 5, 8, 12}
_REBOOT = {2, 6}
_LOG_OFF = {0, 4}
_INVALID_PARAMETER = 87
_FLAGS = Parameter("Flags", "sint32")

_OS_METHODS = {
    "Win32Shutdown": Method("Win32Shutdown", (_FLAGS, Parameter("Reserved", "sint32"))),
    "Win32ShutdownTracker": Method(
        "Win32ShutdownTracker",
        (
            Parameter("Timeout", "uint32"),
            Parameter("Comment", "string", nullable=True),
            Parameter("ReasonCode", "uint32"),
            _FLAGS,
        ),
    ),
}


def _call_operating_system(host: Host, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
    flags = arguments["Flags"]
    if flags in _LOG_OFF:
        return {"ReturnValue": 0}
    if flags not in _POWER_OFF | _REBOOT:
        return {"ReturnValue": _INVALID_PARAMETER}
    timeout = float(arguments.get("Timeout", 0))
    return {"ReturnValue": host.begin_shutdown(flags in _POWER_OFF, timeout=timeout)}


# -- Win32_ComputerSystem, Win32_Service, Win32_QuickFixEngineering ------------------------------------------------


def _computer_system(host: Host) -> list[Properties]:
    description = host.description
    return [
        {
            "AdminPasswordStatus": 3,
            "AutomaticManagedPagefile": True,
            "BootupState": "Normal boot",
            "Caption": description.computer_name,
            "ChassisSKUNumber": None,
            "CreationClassName": "Win32_ComputerSystem",
            "CurrentTimeZone": description.clock.offset_minutes,
            "DaylightInEffect": None,
            "Description": "AT/AT COMPATIBLE",
            "DNSHostName": description.computer_name.lower(),
            "Domain": description.domain if description.part_of_domain else "WORKGROUP",
            "DomainRole": 3 if description.part_of_domain else 2,
            "EnableDaylightSavingsTime": True,
            "HypervisorPresent": True,
            "Manufacturer": "Microsoft Corporation",
            "Model": "Virtual Machine",
            "Name": description.computer_name,
            "NumberOfLogicalProcessors": 8,
            "NumberOfProcessors": 1,
            "PartOfDomain": description.part_of_domain,
            "PauseAfterReset": -1,
            "PrimaryOwnerName": "Windows User",
            "Roles": ["LM_Workstation", "LM_Server", "NT", "Server_NT"],
            "Status": "OK",
            "SystemType": "x64-based PC",
            "TotalPhysicalMemory": 34359132160,
            "UserName": None,
            "Workgroup": None if description.part_of_domain else "WORKGROUP",
        }
    ]


def _services(host: Host) -> list[Properties]:
    result = []
    for number, service in enumerate(host.description.services):
        state = host.service_state(service.name)
        running = state == "Running"
        result.append(
            {
                "AcceptPause": False,
                "AcceptStop": running,
                "Caption": service.display_name or service.name,
                "CheckPoint": 0,
                "CreationClassName": "Win32_Service",
                "DelayedAutoStart": False,
                "Description": None,
                "DesktopInteract": False,
                "DisplayName": service.display_name or service.name,
                "ErrorControl": "Normal",
                "ExitCode": 0 if running else 1077,
                "InstallDate": None,
                "Name": service.name,
                "PathName": rf"C:\Windows\system32\svchost.exe -k {service.name}",
                "ProcessId": 1000 + 4 * number if state != "Stopped" else 0,
                "ServiceSpecificExitCode": 0,
                "ServiceType": "Own Process",
                "Started": running,
                "StartMode": service.start_mode,
                "StartName": "LocalSystem",
                "State": state,
                "Status": "OK",
                "SystemCreationClassName": "Win32_ComputerSystem",
                "SystemName": host.description.computer_name,
                "TagId": 0,
                "WaitHint": 0,
            }
        )
    return result


def _hotfixes(host: Host) -> list[Properties]:
    return [
        {
            "Caption": f"http://support.microsoft.com/?kbid={hotfix.id.removeprefix('KB')}",
            "CSName": host.description.computer_name,
            "Description": hotfix.description,
            "FixComments": "",
            "HotFixID": hotfix.id,
            "InstallDate": None,
            "InstalledBy": r"NT AUTHORITY\SYSTEM",
            "InstalledOn": hotfix.installed_on,
            "Name": None,
            "ServicePackInEffect": "",
            "Status": None,
        }
        for hotfix in host.description.hotfixes
    ]


# -- what programs bring: files, the cluster, Configuration Manager ---------------------------------------------------


def _files(host: Host) -> list[Properties]:
    exchange = host.description.exchange
    if exchange is None:
        return []
    folder, _backslash, name = exchange.file.rpartition("\\")
    return [
        {
            "Caption": exchange.file.lower(),
            "Drive": exchange.file[:2].lower(),
            "Extension": "exe",
            "FileName": name.partition(".")[0].lower(),
            "FileSize": 35784,
            "FileType": "Application",
            "InstallDate": None,
            "Manufacturer": "Microsoft Corporation",
            "Name": exchange.file.lower(),
            "Path": f"{folder[2:].lower()}\\",
            "Version": exchange.build,
        }
    ]


def _has_cluster(host: Host) -> bool:
    exchange = host.description.exchange
    return exchange is not None and exchange.cluster is not None and host.service_state("ClusSvc") == "Running"


def _nodes(host: Host) -> list[Properties]:
    exchange = host.description.exchange
    assert exchange
    assert exchange.cluster
    states = host.cluster.nodes() if host.cluster is not None else exchange.cluster.nodes
    states = {**states, **(host.quirks.get("nodes") or {})}
    return [
        {
            "Caption": None,
            "CreationClassName": "MSCluster_Node",
            "Description": "",
            "MajorVersion": 10,
            "Name": name,
            "NodeHighestVersion": 589832,
            "NodeWeight": 1,
            "State": NODE_STATES[state],
            "StatusInformation": 2 if state == "quarantined" else 0,
        }
        for name, state in states.items()
    ]


_NODE_METHODS = {
    "Pause": Method(
        "Pause", (Parameter("DrainType", "uint32"), Parameter("TargetNode", "string", nullable=True, optional=True))
    ),
    "Resume": Method("Resume", (Parameter("FailbackType", "uint32"),)),
}
_MOST_OF = {"DrainType": 2, "FailbackType": 2}


def _act_on_node(host: Host, node: Properties, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Void methods: there is no ReturnValue, and a refusal is a fault."""
    for name, most in _MOST_OF.items():
        if arguments.get(name, 0) > most:
            raise because(faults.PARAMETER_TYPE, f"{name}: {arguments[name]} is more than {most}")
    if host.cluster is None:
        raise with_status(faults.PROVIDER_CANNOT, "ExecMethod", method, "The cluster is not there ")
    target = arguments.get("TargetNode")
    if target and host.cluster.nodes().get(target.upper()) != "up":
        raise with_status(faults.PROVIDER_CANNOT, "ExecMethod", method, f"The node {target} is not available ")
    name = node["Name"]
    done = host.cluster.pause(name, bool(arguments["DrainType"])) if method == "Pause" else host.cluster.resume(name)
    if not done:
        raise with_status(faults.PROVIDER_CANNOT, "ExecMethod", method, "The state of the node does not allow that ")
    return {}


def _act_on_service(host: Host, service: Properties, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"ReturnValue": host.order_service(service["Name"], method == "StartService")}


def _ccm(host: Host, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
    due = bool(host.description.ccm_restart_due)
    return {
        "DisableHideTime": Moment(0.0),
        "InGracePeriod": False,
        "IsHardRebootPending": False,
        "NotifyUI": due,
        "RebootDeadline": Moment(0.0),
        "RebootPending": due,
        "ReturnValue": 0,
    }


_CIMV2 = ("root/cimv2",)

CLASSES: dict[str, WmiClass] = {
    wmi_class.name: wmi_class
    for wmi_class in (
        WmiClass(
            "StdRegProv",
            ("root/default", "root/cimv2"),
            static_only=True,
            methods=stdregprov.METHODS,
            call=_call_registry,
        ),
        WmiClass(
            "Win32_OperatingSystem",
            _CIMV2,
            keys=("Name",),
            singleton=True,
            instances=_operating_system,
            methods=_OS_METHODS,
            call=_call_operating_system,
        ),
        WmiClass("Win32_ComputerSystem", _CIMV2, keys=("Name",), instances=_computer_system),
        WmiClass(
            "Win32_Service",
            _CIMV2,
            keys=("Name",),
            instances=_services,
            methods={name: Method(name, ()) for name in ("StartService", "StopService")},
            act=_act_on_service,
        ),
        WmiClass("Win32_QuickFixEngineering", _CIMV2, keys=("HotFixID", "ServicePackInEffect"), instances=_hotfixes),
        WmiClass("CIM_DataFile", _CIMV2, keys=("Name",), instances=_files),
        WmiClass(
            "MSCluster_Node",
            ("root/MSCluster",),
            keys=("Name",),
            instances=_nodes,
            there=_has_cluster,
            methods=_NODE_METHODS,
            act=_act_on_node,
        ),
        WmiClass(
            "CCM_ClientUtilities",
            ("root/ccm/ClientSDK",),
            static_only=True,
            there=lambda host: host.description.ccm_restart_due is not None,
            methods={"DetermineIfRebootPending": Method("DetermineIfRebootPending", ())},
            call=_ccm,
        ),
    )
}
