# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tls_handshake_info: what TLS clients really get. Documented in plugins/modules/tls_handshake_info.yml."""

from __future__ import annotations

import typing as t

from ..plugin_utils import _handshake
from ..plugin_utils._action import ExchangeTlsAction, display
from ..plugin_utils._errors import OptionError
from ..plugin_utils._tasks import proving

_VERSIONS = [version.value for version in _handshake.TlsVersion]
# Python's ssl has no SSL 3.0, so it cannot complete a handshake with it
_COMPLETABLE = [version for version in _VERSIONS if version != "SSL 3.0"]

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
        found = proving.probe(
            options["endpoints"],
            self.address,
            self.host_name,
            options["server_name"],
            {_handshake.TlsVersion(name) for name in options["versions"]},
            {_handshake.TlsVersion(name) for name in options["required"]},
            options["timeout"],
        )
        for item in found["endpoints"]:
            display.vv(f"{item['endpoint']}: {item['verdict']} {item['error'] or ''}".rstrip(), host=self.host_name)
        return {"changed": False, **found, "msg": self._summary(found)}

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
        seconds, most = options["timeout"], proving.LONGEST_TIMEOUT
        if not 0 < seconds <= most:
            problems.append(f"timeout is {seconds:g}, but it is seconds, more than 0 and at most {most}.")
        if problems:
            raise OptionError(" ".join(problems))

    def _summary(self, found: dict[str, t.Any]) -> str:
        verified = sum(item["verdict"] == _handshake.VERIFIED for item in found["endpoints"])
        versions = ", ".join(f"{version} {word}" for version, word in found["versions"].items())
        message = f"{verified} of {len(found['endpoints'])} endpoints verified: {versions}."
        if self.check_mode:
            message += " These are real handshakes, also in check mode: they show how the servers are now."
        return message
