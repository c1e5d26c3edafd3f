# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""A result as JUnit XML, for pipelines: a suite for each server, a case for each setting that is asked for. Pure."""

from __future__ import annotations

import re
import typing as t
import xml.etree.ElementTree as ET

from .._text import NAME, visible

Result = t.Mapping[str, t.Any]
_LONGEST = 1000
# Outside of what XML 1.0 can hold, and not among what `visible` shows.
_NO_XML = re.compile("[\ufffe\uffff]")
_OF_STATUS = {
    "noncompliant": "failure",
    "not_configured": "failure",
    "unknown": "error",
    "waived": "skipped",
    "not_applicable": "skipped",
}


def as_xml(result: Result) -> str:
    suites = ET.Element("testsuites", name="mailops.exchange_tls")
    for server in result["servers"]:
        suites.append(_suite(server, result["run"]))
    for name in result["not_touched"]:
        suite = ET.SubElement(suites, "testsuite", name=_fit(name, NAME))
        _case(suite, name, "run", "skipped", "The run did not come to this server.")
        _count(suite)
    _count(suites)
    ET.indent(suites, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _suite(server: Result, run: Result) -> ET.Element:
    name = server["name"]
    # UTC without a zone, as the form has it
    suite = ET.Element("testsuite", name=_fit(name, NAME), timestamp=_fit(run["began"], NAME).rstrip("Z"))
    ended = "error" if server["state"] in ("failed", "unreachable") else "failure" if server["error"] else None
    _case(suite, name, "run", ended, server["error"] or server["verdict"])
    for finding in server["findings"]:
        if finding["expected"] is None and finding["status"] in ("compliant", "not_applicable"):
            continue
        _case(
            suite, name, finding["id"], _OF_STATUS.get(finding["status"]), finding.get("waiver") or finding["message"]
        )
    _count(suite)
    return suite


def _case(suite: ET.Element, server: str, name: str, ended: str | None, message: t.Any) -> None:
    case = ET.SubElement(suite, "testcase", classname=_fit(server, NAME), name=_fit(name, NAME))
    if ended:
        ET.SubElement(case, ended, message=_fit(message, _LONGEST))


def _count(element: ET.Element) -> None:
    element.set("tests", str(sum(1 for _case in element.iter("testcase"))))
    for ended in ("failure", "error", "skipped"):
        number = sum(1 for _item in element.iter(ended))
        element.set({"failure": "failures", "error": "errors"}.get(ended, ended), str(number))


def _fit(text: t.Any, longest: int) -> str:
    return _NO_XML.sub(lambda match: f"<U+{ord(match[0]):04X}>", visible(text, longest))
