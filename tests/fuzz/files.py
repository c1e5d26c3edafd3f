# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets: files that a run reads again, and what people write into files, options and surveys."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from typing import Any

from ansible import context
from ansible.errors import AnsibleError
from ansible.module_utils.common.collections import ImmutableDict
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import (
    _given,
    _mail_options,
    _options,
    _patterns,
    _report_files,
    _typed,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change import backups, notes, owners, rollback
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange import before
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._endpoint import (
    own_server_name,
    parse_endpoints,
    parse_server_name,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy import baselines, waiving
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy import options as policy_options
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.expressions import FINDING, Expression
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report import comparing, merging
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.names import fold
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, show
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._text import utc_text

from . import given

SPEC: dict[str, Any] = {
    **_options.POLICY,
    "number": {"type": "int"},
    "factor": {"type": "float"},
    "switch": {"type": "bool"},
    "anything": {"type": "raw"},
}


def baseline(data: bytes) -> None:
    found = baselines.load(given.file(data, "baseline.yml"))
    assert found.rules


def backup(data: bytes) -> None:
    """A backup is read, looked through before a rollback, and written as it was."""
    found = backups.load(given.file(data, "backup.json"))
    rollback.objection_to_content("backup.json", found), rollback.foreign(found)
    for setting, value in found.values.items():
        show(setting.key, setting.name), str(value)
    assert found.after is None or backups.Backup.from_json(found.as_json()) == found


def note(data: bytes) -> None:
    """A note of a run on a host, which anybody there may have written."""
    found = notes.Note.decode(given.text(data))
    found.waiting(lambda _setting: ABSENT)
    for setting in (*found.at_boot, *found.unfinished):
        show(setting.key, setting.name), fold(setting.key), fold(setting.name)
    for moment in (found.boot, found.written):
        utc_text((moment or given.NOW) + notes.AT_WORK)
    with given.refusals(owners.AnotherRun):
        notes.refuse_another(found, given.NOW)
    assert notes.Note.decode(found.encode()) == found


def maintenance(data: bytes) -> None:
    """What a host keeps of how it was before its maintenance."""
    found = before.from_text(given.text(data))
    found.as_result()
    for name in ("HubTransport", "ServerWideOffline"):
        found.word(name)
    with contextlib.suppress(KeyError, TypeError, ValueError, OverflowError):
        str(owners.Owner.from_json(found.by))
    utc_text((before.moment_of(found.seen) or given.NOW) + notes.AT_WORK)
    assert before.from_text(found.to_text()) == found


def result(data: bytes) -> None:
    """A result that is merged, compared with itself and reported again."""
    found = _report_files.read(given.file(data, "result.json"))
    merged = merging.merge([found, found])
    comparing.compare(found, merged)
    for text in _report_files._texts(merged).values():
        text.encode("utf-8", "backslashreplace")


def survey(data: bytes) -> None:
    """One answer of a survey, as each option would take it."""
    text = given.text(data)
    for name in ("baseline", "protocols", "cipher_suites", "waivers", "number", "factor", "switch", "anything"):
        dummy, problems = _given.options({name: text}, SPEC)
        assert all(problem.startswith(f"'{name}") for problem in problems)


def survey_values(data: bytes) -> None:
    """Answers that Ansible has made into values; what is found becomes a policy, and waivers."""
    with contextlib.suppress(ValueError, RecursionError):
        values = json.loads(data)
        if isinstance(values, dict):
            found, problems = _given.options(values, SPEC)
            _given.explained(["value of baseline must be one of: a, got: b", *map(str, values)], values)
            if not problems:
                _policy({name: spec.get("default") for name, spec in SPEC.items()} | found)


def _policy(found: Mapping[str, Any]) -> None:
    with given.refusals(OptionError):
        if all(isinstance(found[name], dict) for name in ("protocols", "ciphers", "hashes", "key_exchanges")):
            policy_options.from_options({**found, "baseline": "none", "dotnet": None, "cipher_suites": []})


def waivers(data: bytes) -> None:
    """Waivers as text; of each, what an argument spec makes sure of is there."""
    found, dummy = _given.options({"waivers": given.text(data)}, SPEC)
    listed = [{"match": "true", "reason": "", "expires": None, **item} for item in found.get("waivers") or ()]
    texts = [{name: value if value is None else str(value) for name, value in item.items()} for item in listed]
    waiving.from_options({"waivers": texts, "fail_on": found.get("fail_on")})


def expression(data: bytes) -> None:
    value = {"present": True, "type": "REG_DWORD", "data": 1}
    finding = {name: value if shape else "text" for name, shape in FINDING.items()}
    Expression(given.text(data), "fail_on").matches(finding)


def endpoints(data: bytes) -> None:
    text = given.text(data)
    with given.refusals(OptionError):
        parse_server_name(text)
    with given.refusals(OptionError):
        parse_endpoints(text.split("\n"), "mail.example.com")
    for endpoint in parse_endpoints(text, "mail.example.com"):
        own_server_name(endpoint, "mail.example.com")


def mailbox(data: bytes) -> None:
    chosen = {"patience": 1, "probe_mailbox": given.text(data), "send_logs": [given.text(data)]}
    _mail_options.check(chosen, [os.path.dirname(given.file(b""))])


def hosts(data: bytes) -> None:
    """A pattern of hosts, as a survey asks for it."""
    pattern = _patterns.text_of(given.text(data), "exchange")
    _patterns.parts(pattern)
    _patterns.matching(pattern, {"exchange": ["ex01", "ex02"], "ungrouped": ["other"]})


def typed(data: bytes) -> None:
    """One ``-e``, as it was typed."""
    text = given.text(data)
    before = context.CLIARGS
    context.CLIARGS = ImmutableDict(extra_vars=(text,))
    try:
        _typed.cut(["_raw_params"])
        _typed.whole_symptom(text.partition("=")[2][:3])
        _typed.without_symptom()
    finally:
        context.CLIARGS = before


PATTERN_ERRORS = (AnsibleError, ValueError)
