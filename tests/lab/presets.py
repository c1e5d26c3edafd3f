# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets: Windows versions, registry layers and services, all of them data in data/*.yml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_DATA = Path(__file__).parent / "data"
#: Where Windows keeps its own order of cipher suites.
LOCAL_LIST = r"SYSTEM\CurrentControlSet\Control\Cryptography\Configuration\Local\SSL\00010002"


class PresetError(ValueError):
    """No preset has this name."""


@dataclass(frozen=True)
class Windows:
    """One Windows version.

    defaults: per protocol "on", "off" (supported, not offered), "off_until_offered" (only DisabledByDefault=0
    brings it) or "none" (not supported), for the server side, when the registry says nothing.
    """

    name: str
    caption: str
    build: int
    ubr: int
    version: str
    csd_version: str | None
    installation_type: str
    display_version: str | None
    max_envelope_kb: int
    stack: str
    defaults: Mapping[str, str]

    def changed(self, defaults: Mapping[str, str], ubr: int | None) -> Windows:
        """The same version with other defaults or another update build."""
        for protocol in defaults:
            if protocol not in self.defaults:
                raise PresetError(f"os_defaults: unknown protocol {protocol!r} (known: {', '.join(self.defaults)})")
        return replace(self, defaults={**self.defaults, **defaults}, ubr=self.ubr if ubr is None else ubr)


@cache
def _data(name: str) -> Any:
    return yaml.load((_DATA / f"{name}.yml").read_text(encoding="utf-8"), Loader=_LOADER)


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _named(kind: str, file: str, name: str) -> Any:
    known = _data(file)
    if name not in known:
        raise PresetError(f"unknown {kind} {name!r} (known: {', '.join(known)})")
    return known[name]


def windows_preset(name: str) -> Windows:
    """The Windows version of that name. Raises PresetError."""
    return Windows(name=name, **_named("windows version", "windows", name))


def services_preset(name: str) -> list[dict[str, Any]]:
    """The services of that preset, as entries of a description. Raises PresetError."""
    return [{"name": item} if isinstance(item, str) else item for item in _named("services preset", "services", name)]


def suites_preset() -> Any:
    """The table of cipher suites: see data/suites.yml and suites.py."""
    return _data("suites")


def layer_names() -> list[str]:
    """All registry layers, "stock" first."""
    return ["stock", *_data("layers")]


def registry_layer(name: str, windows: Windows) -> dict[str, Any]:
    """{key: {value: data}} of that layer; "stock" depends on the Windows version. Raises PresetError."""
    if name == "stock":
        stock = _data("stock")
        layer = dict(stock["all"])
        layer.update(stock.get(windows.name) or {})
        layer[r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"] = _current_version(windows)
        order = {"type": "REG_MULTI_SZ", "data": _data("suites")["windows"][windows.name]["default"]}
        layer[rf"HKLM\{LOCAL_LIST}"] = {"Functions": order}
        return layer
    result: dict[str, Any] = {}
    for part in _named("registry layer", "layers", name):
        for key, values in part["keys"].items():
            result[f"{part['under']}\\{key}" if key else part["under"]] = values
    return result


def _current_version(windows: Windows) -> dict[str, Any]:
    def text(data: str) -> dict[str, str]:
        return {"type": "REG_SZ", "data": data}

    values: dict[str, Any] = {
        "ProductName": text(windows.caption.strip().removeprefix("Microsoft ")),
        "CurrentBuild": text(str(windows.build)),
        "CurrentBuildNumber": text(str(windows.build)),
        "InstallationType": text(windows.installation_type),
        "SystemRoot": text(r"C:\Windows"),
        "UBR": windows.ubr,
    }
    if windows.display_version is not None:
        values["DisplayVersion"] = text(windows.display_version)
    if windows.build < 9600:
        del values["UBR"]  # older versions have no such value
    return values
