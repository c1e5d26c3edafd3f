# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Handshakes beside the registry, for a page: what is configured and what clients get. Pure."""

from __future__ import annotations

import typing as t

from .._schannel.protocols import SIDES
from .page_matrix import word

Result = t.Mapping[str, t.Any]

_SERVER = SIDES[1]
_OFF = ("disabled",)
_VERSIONS = ("SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")
_ANSWERS = {True: ("accepted", "on"), False: ("refused", "off"), None: ("not known", "unknown")}


def endpoint_rows(servers: t.Iterable[Result], head: t.Mapping[str, Result], check_mode: bool) -> dict[str, t.Any]:
    """``endpoints``: one for each that was tried, those that contradict the registry first; ``versions``: what was
    tried on any of them; ``contradictions``: how many versions contradict."""
    found, tried, number = [], set(), 0
    for server in servers:
        registry = (server["before"] if check_mode else server["after"] or server["before"]) or {}
        for item in server["handshakes"]["after"] or server["handshakes"]["before"] or ():
            cells = {name: _cell(name, item["versions"].get(name), registry) for name in _VERSIONS}
            tried |= {name for name in _VERSIONS if name in item["versions"]}
            wrong = [cell["contradicts"] for cell in cells.values() if cell["contradicts"]]
            number += len(wrong)
            reason = item.get("error") or item.get("reason") or ""
            found.append(
                {**head[server["name"]], "endpoint": item["endpoint"], "cells": cells, "wrong": wrong, "reason": reason}
            )
    versions = [name for name in _VERSIONS if name in tried]
    for entry in found:
        entry["cells"] = [entry["cells"][name] for name in versions]
    found.sort(key=lambda entry: not entry["wrong"])
    return {"endpoints": found, "versions": versions, "contradictions": number}


def _cell(version: str, tried: Result | None, registry: Result) -> dict[str, str]:
    """``shape`` and ``said``: what the endpoint did; ``registry``: what Windows makes of the Server side;
    ``contradicts``: a sentence where the two do not go together."""
    effect = ((registry.get(version) or {}).get(_SERVER) or {}).get("effective") or "unknown"
    if tried is None:
        return {"shape": "", "said": "not tried", "registry": word(effect), "contradicts": "", "tone": "plain"}
    accepted = tried.get("accepted")
    said, shape = _ANSWERS.get(accepted, _ANSWERS[None])
    contradicts = ""
    if accepted is True and effect in _OFF:
        contradicts = f"{version} is off in the registry, and was accepted"
    if accepted is False and effect == "enabled":
        contradicts = f"{version} is on in the registry, and was refused"
    tone = "bad" if contradicts else "good" if accepted and version == "TLS 1.2" else "plain"
    return {"shape": shape, "said": said, "registry": word(effect), "contradicts": contradicts, "tone": tone}
