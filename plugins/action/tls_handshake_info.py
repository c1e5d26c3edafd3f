# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tls_handshake_info: what TLS clients really get. Documented in plugins/modules/tls_handshake_info.yml."""

from __future__ import annotations

import collections.abc as c
import datetime
import typing as t

from ..plugin_utils import _handshake
from ..plugin_utils._action import ExchangeTlsAction, display
from ..plugin_utils._errors import OptionError

_VERSIONS = [version.value for version in _handshake.TlsVersion]
# Python's ssl has no SSL 3.0, so it cannot complete a handshake with it
_COMPLETABLE = [version for version in _VERSIONS if version != "SSL 3.0"]
_LONGEST_TIMEOUT = 300

ARGUMENT_SPEC: dict[str, t.Any] = {
    "endpoints": {"type": "list", "elements": "raw", "default": ["smtp", "https"]},
    "server_name": {"type": "str"},
    "versions": {"type": "list", "elements": "str", "choices": _VERSIONS, "default": _VERSIONS},
    "required": {"type": "list", "elements": "str", "choices": _COMPLETABLE, "default": ["TLS 1.2"]},
    "timeout": {"type": "float", "default": 10},
}


class ActionModule(ExchangeTlsAction):
    """Runs on the controller alone: the connection of the host is not used."""

    ARGUMENT_SPEC = ARGUMENT_SPEC

    def perform(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        endpoints = _handshake.parse_endpoints(options["endpoints"], self.address)
        wanted = options["server_name"]
        names = {
            endpoint: _handshake.parse_server_name(wanted)
            if wanted
            else _handshake.own_server_name(endpoint, self.host_name)
            for endpoint in endpoints
        }
        versions = {_handshake.TlsVersion(name) for name in options["versions"]}
        required = {_handshake.TlsVersion(name) for name in options["required"]}
        reports = _handshake.probe_host(names, versions, required, options["timeout"])
        for item in reports:
            display.vv(f"{item.endpoint.name}: {item.verdict} {item.error or ''}".rstrip(), host=self.host_name)
        now = datetime.datetime.now(datetime.timezone.utc)
        overview = _handshake.overview(reports, versions | required)
        return {
            "changed": False,
            "endpoints": [_handshake.as_result(item, now) for item in reports],
            **overview,
            "msg": self._summary(reports, overview),
        }

    def check(self, options: dict[str, t.Any]) -> None:
        """Names everything that is wrong with the options, not only the first."""
        problems = []
        try:
            _handshake.parse_endpoints(options["endpoints"], self.address)
        except OptionError as exc:
            problems.append(exc.message)
        try:
            _handshake.parse_server_name(options["server_name"] or "unset")
        except OptionError as exc:
            problems.append(exc.message)
        if not options["versions"] and not options["required"]:
            problems.append("versions and required are both empty, so there is nothing to try.")
        if not 0 < options["timeout"] <= _LONGEST_TIMEOUT:
            problems.append(
                f"timeout is {options['timeout']:g}, but it is seconds, more than 0 and at most {_LONGEST_TIMEOUT}."
            )
        if problems:
            raise OptionError(" ".join(problems))

    def _summary(self, reports: c.Sequence[_handshake.EndpointReport], overview: dict[str, t.Any]) -> str:
        verified = sum(item.verdict == _handshake.VERIFIED for item in reports)
        versions = ", ".join(f"{version} {word}" for version, word in overview["versions"].items())
        message = f"{verified} of {len(reports)} endpoints verified: {versions}."
        if self.check_mode:
            message += " These are real handshakes, also in check mode: they show how the servers are now."
        return message
