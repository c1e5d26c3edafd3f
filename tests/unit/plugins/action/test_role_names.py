# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of the role: how messages name them, misspelt ones, and what they are where they are blank."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailops.exchange_tls.plugins.action import (
    exchange_maintenance,
    mail_flow_proof,
    tls_rollback,
    tls_settings,
    tls_settings_info,
    wmi_reboot,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _given, _options
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._role import (
    ALIASES,
    PLAY_VARIABLES,
    VARIABLES,
    WANTED,
    may_pass_over,
    misspelt,
    misspelt_alias,
    named,
    one_for_many,
    out_of_place,
    passed_over,
    without_prefix,
)
from jinja2 import Template

from tests.unit import _metadata

from .actions import Runner

ROLE = _metadata.ROOT / "roles" / "tls12"
DEFAULTS: dict[str, Any] = _metadata.load_yaml(ROLE / "defaults" / "main.yml")
MODULES = {
    "tls_settings": {**tls_settings.ARGUMENT_SPEC, **tls_settings.ActionModule.ROLE_SPEC},
    "tls_settings_info": {**tls_settings_info.ARGUMENT_SPEC, **tls_settings_info.ActionModule.ROLE_SPEC},
    "tls_rollback": {**tls_rollback.ARGUMENT_SPEC, **tls_rollback.ActionModule.ROLE_SPEC},
    "wmi_reboot": {**wmi_reboot.ARGUMENT_SPEC, **wmi_reboot.ActionModule.ROLE_SPEC},
    "exchange_maintenance": {**exchange_maintenance.ARGUMENT_SPEC, **exchange_maintenance.ActionModule.ROLE_SPEC},
    "mail_flow_proof": {**mail_flow_proof.ARGUMENT_SPEC, **mail_flow_proof.ActionModule.ROLE_SPEC},
}


@pytest.mark.parametrize(("role_file", "name"), [("change", "tls12_maintenance"), (None, "restart.maintenance.when")])
def test_warnings_of_a_module_name_variables_too(
    run: Runner, monkeypatch: pytest.MonkeyPatch, role_file: str | None, name: str
) -> None:
    told = {"changed": False, "warnings": ["Left as it is: set 'restart.maintenance.when' to auto."]}
    monkeypatch.setattr(tls_settings.ActionModule, "perform", lambda self, options: told)
    assert run(tls_settings, role_file=role_file)["warnings"] == [f"Left as it is: set '{name}' to auto."]


# --- from the role to the modules ------------------------------------------------------------------------------------


def _modules(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The tasks of ours in a task file: module and arguments."""
    for item in node:
        for name, value in item.items():
            module = name.removeprefix("mailops.exchange_tls.")
            if module in MODULES:
                yield module, value
            elif name in ("block", "always", "rescue"):
                yield from _modules(value)


def _fed() -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    """Each option that the role feeds from a variable: task file, path of the option, variable, spec."""
    mappings = _metadata.load_yaml(ROLE / "vars" / "main.yml")
    for path in sorted((ROLE / "tasks").glob("*.yml")):
        for module, arguments in _modules(yaml.safe_load(path.read_text(encoding="utf-8"))):
            for option, template in arguments.items():
                name = re.fullmatch(r"\{\{ (tls12_[a-z0-9_]+) \}\}", str(template))
                if name is not None:
                    yield path.stem, option, name[1], MODULES[module][option]
            for mapping in arguments.get("from_variables", ()):
                yield from ((path.stem, *item) for item in _looked_up(mappings[mapping], MODULES[module], ""))


def _looked_up(
    mapping: Mapping[str, Any], spec: Mapping[str, Any], within: str
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """The options of a mapping for from_variables: path, variable, spec."""
    for option, variable in mapping.items():
        if isinstance(variable, str):
            yield f"{within}{option}", variable, spec[option]
        else:
            yield from _looked_up(variable, spec[option]["options"], f"{within}{option}.")


FED = list(_fed())


def test_options_are_fed() -> None:
    assert len({variable for _file, _option, variable, _spec in FED}) > 25


@pytest.mark.parametrize(("file", "option", "variable", "spec"), FED, ids=lambda value: str(value)[:40])
def test_a_blank_variable_is_the_default_of_the_role(
    file: str, option: str, variable: str, spec: Mapping[str, Any]
) -> None:
    """A blank option is not given, so that the default of the module counts: it must be the one of the role."""
    default, own = DEFAULTS[variable], spec.get("default")
    if isinstance(default, (list, dict)) and not default:
        assert not own
    elif default == "" or (default == 0 and spec["type"] == "int"):
        assert own is None
    else:
        assert own == default
        assert type(own) is type(default)


@pytest.mark.parametrize(("file", "option", "variable", "spec"), FED, ids=lambda value: str(value)[:40])
def test_messages_name_the_variable(file: str, option: str, variable: str, spec: Mapping[str, Any]) -> None:
    assert named(f"Bad: '{option}' is 5.", file) == f"Bad: '{variable}' is 5."


# Options that the role gives itself, or has no use for.
SAID_BY_THE_ROLE = {
    # it has the handshakes of "prove", and its findings fail nothing
    "tls_settings": {"prove_if_done", "handshakes", "handshake_policy", "fail_on"},
    # the policy is for a server that somebody else has taken out
    "exchange_maintenance": {"state", "activation_policy"},
}


@pytest.mark.parametrize("module", MODULES)
def test_every_option_of_a_module_has_a_variable(module: str) -> None:
    """Also one that the role gives itself, as a constant or as nothing at all."""
    mappings = _metadata.load_yaml(ROLE / "vars" / "main.yml")
    # the second phase puts this in its place
    mappings["_tls12_peers"] = mappings["_tls12_peers_of_logs"]
    fed: set[str] = set()
    for path in sorted((ROLE / "tasks").glob("*.yml")):
        for name, arguments in _modules(yaml.safe_load(path.read_text(encoding="utf-8"))):
            if name == module:
                fed |= {option for option, value in arguments.items() if "tls12_" in str(value)}
                fed |= {option for mapping in arguments.get("from_variables", ()) for option in mappings[mapping]}
    assert set(MODULES[module]) - fed == SAID_BY_THE_ROLE.get(module, set())


def test_a_blank_patience_for_members_is_the_default_of_the_role() -> None:
    """The module itself waits longer, so that a blank is not left to it."""
    template = _metadata.load_yaml(ROLE / "vars" / "main.yml")["_tls12_member_patience"]
    for blank in (None, "", " "):
        assert Template(template).render(tls12_wait_for_members=blank) == str(DEFAULTS["tls12_wait_for_members"])
    assert Template(template).render(tls12_wait_for_members=300) == "300"


@pytest.mark.parametrize("option", ["backup", "backup_dir", "force"])
def test_the_role_needs_no_hint_at_its_variable(option: str) -> None:
    for hint in ("", f" (tls12_{option} in the role)", f" (tls12_{option})"):
        assert named(f"Set '{option}'{hint}, or wait.", "change") == f"Set 'tls12_{option}', or wait."
    assert named("'services' takes names", "change") == "'tls12_reboot_services' takes names"


def test_a_blank_baseline_of_the_second_phase_is_its_default() -> None:
    default = DEFAULTS["tls12_harden_baseline"]
    (block,) = yaml.safe_load((ROLE / "tasks" / "harden.yml").read_text(encoding="utf-8"))
    assert block["vars"]["_tls12_baseline"].endswith(f"| trim or '{default}' }}}}")
    assert named("'baseline' is odd", "change", hardens=True) == "'tls12_harden_baseline' is odd"
    assert named("'baseline' is odd", "change") == "'tls12_baseline' is odd"


def test_every_variable_is_known() -> None:
    """Those that a next command repeats."""
    assert {*DEFAULTS, *PLAY_VARIABLES} == VARIABLES


def test_every_wish_has_its_option() -> None:
    """What the next command leaves out where it names a baseline."""
    assert set(_options.POLICY) - set(WANTED) == {"strays", "exchange", "waivers", "fail_on"}
    assert set(WANTED) <= set(_options.POLICY)


def test_a_baseline_that_the_second_phase_passes_over() -> None:
    second = {"_tls12_baseline": "exchange_best_practice"}
    (told,) = passed_over(second, {"tls12_baseline": "mine.yml"})
    assert "takes tls12_harden_baseline" in told
    assert passed_over({}, {"tls12_baseline": "mine.yml"}) == []
    assert passed_over(second, {"tls12_baseline": "mine.yml", "tls12_harden_baseline": "mine.yml"}) == []
    assert passed_over(second, {}) == []
    since = {"tls12_smtp_logs_since": "2026-11-01"}
    for nothing in ("", None, [], "[]"):
        (told,) = passed_over({**second, "tls12_smtp_logs": nothing}, since)
        assert told == "tls12_smtp_logs_since does nothing without tls12_smtp_logs: no log is read."
    assert passed_over({**second, "tls12_smtp_logs": ["logs"]}, since) == []


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ({"tls12_fail_on": "severity == 'high'"}, 1),
        ({"tls12_fail_on": " ", "tls12_fail_on_findings": "false"}, 0),
        ({"tls12_fail_on": None, "tls12_fail_on_findings": True}, 1),
        ({"tls12_fail_on": "x", "tls12_fail_on_findings": "yes"}, 2),
    ],
)
def test_what_makes_an_audit_fail_is_passed_over_by_a_change(typed: dict[str, Any], number: int) -> None:
    assert may_pass_over(typed) is bool(number)
    told = passed_over({}, typed)
    assert len(told) == number
    assert all("when audit-tls12.yml fails" in line for line in told)


@pytest.mark.parametrize(
    ("backup", "hosts", "problems"),
    [
        ("/b/ex01.json", 2, 1),
        (" /b/ex01.json ", 200, 1),
        ("/b/ex01.json", 1, 0),
        ("/b/{{ inventory_hostname }}.json", 2, 0),
        (" ", 2, 0),
        (None, 2, 0),
    ],
)
def test_one_backup_for_several_servers(backup: Any, hosts: int, problems: int) -> None:
    """Only the second server would tell that it is another one's, after the first was restored."""
    play = {"ansible_play_hosts_all": [f"ex{number}" for number in range(hosts)]}
    found = one_for_many(play, {} if backup is None else {"tls12_backup": backup})
    assert len(found) == problems
    assert all(f"{hosts} servers" in line for line in found)


def test_the_word_for_restarts_is_its_default_where_it_is_blank() -> None:
    text = _metadata.load_yaml(ROLE / "vars" / "main.yml")["_tls12_when"]
    default = DEFAULTS["tls12_reboot"]
    assert text.endswith(f"| trim or '{default}' }}}}")


@pytest.mark.parametrize(
    ("module", "given"),
    [
        (tls_settings, {"prove_if_done": False}),
        (tls_settings_info, {"known": {"host": "ex01"}}),
        (wmi_reboot, {"maintenance": {"when": "never"}}),
        (wmi_reboot, {"task_files": {"before": None}}),
        (exchange_maintenance, {"report_dir": "reports"}),
    ],
)
def test_what_the_role_gives_itself_is_no_option_for_others(run: Runner, module: ModuleType, given: Any) -> None:
    result = run(module, **given)
    assert f"unknown option '{next(iter(given))}'" in result["msg"]
    assert "unknown option" not in run(module, role_file="change", **given).get("msg", "")


def test_what_is_no_option_keeps_its_name() -> None:
    for text in (
        "there is no file 'x.yml'",
        "'EX01' is not 'ex01'",
        "'known' lacks 'findings'",
        "it's 'on'",
        "'a.b.c'",
    ):
        assert named(text, "change") == text
    assert named("'timeout' of a probe", "verify") == "'timeout' of a probe", "it has a name in tasks that restart"
    assert named("'waivers[2].reason'", "audit") == "'waivers[2].reason'"
    assert named("'waivers.reason' and 'dotnet.v4'", "audit") == "'tls12_waivers.reason' and 'tls12_dotnet.v4'"


# --- variables that nobody reads -------------------------------------------------------------------------------------

KNOWN = list(DEFAULTS)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("tls12_rebot", "tls12_reboot"),
        ("tls12_Reboot", "tls12_reboot"),
        ("tls12_endpoint", "tls12_endpoints"),
        ("tls12_host", "tls12_hosts"),
        ("tls12_seriel", "tls12_serial"),
        ("tls12_ciphersuites", "tls12_cipher_suites"),
        ("tls12_reboot_time_out", "tls12_reboot_timeout"),
        ("TLS12_reboot", "tls12_reboot"),
        ("TLS12_REBOOT_SERVICES", "tls12_reboot_services"),
        ("Tls12_rebot", "tls12_reboot"),
        ("tls_12_reboot", "tls12_reboot"),
        ("tls1_2_fail_on_findings", "tls12_fail_on_findings"),
        ("tls12reboot", "tls12_reboot"),
        ("tsl12_reboot", "tls12_reboot"),
        ("tls21_hosts", "tls12_hosts"),
        ("tls12__reboot", "tls12_reboot"),
        ("tls12-handshakes", "tls12_handshakes"),
    ],
)
def test_misspelt(name: str, meant: str) -> None:
    (sentence,) = misspelt({name: 1, "other": 2, "_tls12_change": 3})
    assert sentence == f"there is no variable '{name}' (did you mean '{meant}'?)"


OF_OTHERS = (
    "tls_ciphers",
    "tls13_ciphers",
    "tls_protocols",
    "ssl12_force",
    "_tls12_mail_flow",
    "_tls12_baseline",
    "site12",
)


def test_variables_that_there_are() -> None:
    assert misspelt([*KNOWN, "tls12_hosts", "tls12_serial", "tls12", "tls1", "xtls12_a", "_tls12_x", *OF_OTHERS]) == []


def test_misspelt_beyond_guessing() -> None:
    (sentence,) = misspelt(["tls12_qqqqqq"])
    lists = "ansible-doc -t role mailops.exchange_tls.tls12 lists them"
    assert sentence == f"there is no variable 'tls12_qqqqqq'; {lists}", "a hundred names would hide the one"


@pytest.mark.parametrize("name", ["symtom", "sympton", "Symptom", "symptoms", "SYMPTOM", "simptom", "symptome"])
def test_a_slip_of_a_short_name(name: str) -> None:
    sentence = f"there is no variable '{name}' (did you mean 'tls12_symptom'?)"
    assert misspelt_alias([name, "symptom", "tls12_symptom"], "why") == [sentence]
    assert misspelt_alias([name], "audit") == [], "nothing reads it there in any case"


@pytest.mark.parametrize("name", ["symptom", "system", "symbol", "syslog", "template", "stop", "x", "", "post_mtom"])
def test_what_is_no_slip_of_a_short_name(name: str) -> None:
    assert misspelt_alias([name], "why") == []


def test_short_names_are_read_by_a_playbook() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (_metadata.ROOT / "playbooks").glob("*.yml"))
    for alias, file in ALIASES.items():
        assert re.search(rf"tls12_{alias}: .*\b{alias} \|", text)
        assert (ROLE / "tasks" / f"{file}.yml").is_file()


def test_variables_without_their_prefix() -> None:
    told = without_prefix(["reboot", "Smtp-Logs", "symptom", "tls12_force", "region", "_hosts"])
    assert told == [
        "'Smtp-Logs' is no variable of this collection, and 'tls12_smtp_logs' is.",
        "'reboot' is no variable of this collection, and 'tls12_reboot' is.",
    ]


def test_a_name_that_is_no_text() -> None:
    """Ansible takes -e '{1: 2}'."""
    typed = {1: 2, "reboot": "never", None: 3}
    assert len(without_prefix(typed)) == 1
    assert misspelt_alias(typed, "why") == []


def test_every_variable_that_playbooks_and_tasks_read_is_known() -> None:
    folders = (_metadata.ROOT / "playbooks", ROLE / "tasks", ROLE / "vars")
    text = "\n".join(path.read_text(encoding="utf-8") for folder in folders for path in folder.glob("*.yml"))
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    read = set(re.findall(r"(?<![\w.'/-])tls12_[a-z0-9_]+", code))
    assert read > {"tls12_hosts", "tls12_serial", "tls12_reboot"}
    assert misspelt(read - {"tls12_hosts", "tls12_serial"}) == []


# --- a serial that no play reads -------------------------------------------------------------------------------------


def at(serial: Any, batch: str, every: str = "abcde", gone: str = "", **more: Any) -> list[str]:
    """At one server of a play: hosts are letters."""
    left = [name for name in every if name not in gone]
    return out_of_place(
        {
            "tls12_serial": serial,
            "ansible_play_batch": [name for name in batch if name not in gone],
            "ansible_play_hosts": left,
            "ansible_play_hosts_all": list(every),
            **more,
        }
    )


@pytest.mark.parametrize("serial", [2, "2", " 3 ", 5, 100])
def test_a_serial_of_the_inventory(serial: Any) -> None:
    (sentence,) = at(serial, "a")
    assert f"'tls12_serial' is {str(serial).strip()}, but this play takes 1 at a time" in sentence
    assert f"-e tls12_serial={str(serial).strip()}" in sentence


@pytest.mark.parametrize(
    ("serial", "batch", "gone"),
    [
        (2, "ab", ""),
        (2, "cd", ""),
        (2, "e", ""),  # the last batch may be smaller
        (9, "abcde", ""),
        (2, "ab", "a"),  # one of the batch has failed, and the other is still verified
        (2, "ab", "b"),
        (3, "abc", "bc"),
        (1, "a", ""),
        ("", "a", ""),
        (None, "a", ""),
        ("25%", "a", ""),
        ([2, 3], "a", ""),
        ("two", "a", ""),
        ("\u0662", "a", ""),
        (2, "", ""),
    ],
)
def test_a_serial_that_is_read(serial: Any, batch: str, gone: str) -> None:
    assert at(serial, batch, gone=gone) == []


def test_a_serial_does_not_count_in_check_mode() -> None:
    assert at(2, "a", ansible_check_mode=True) == []
    assert out_of_place({}) == []
    assert out_of_place({"tls12_serial": 2}) == []


def test_a_play_that_goes_by_dag_has_another_variable() -> None:
    play = {
        "ansible_play_batch": ["ex01"],
        "ansible_play_hosts_all": ["ex01", "ex02"],
        "group_names": ["tls12_wave_001"],
    }
    for check in (False, True):  # what is refused is refused by a check as well
        (problem,) = out_of_place({**play, "tls12_serial": 2, "ansible_check_mode": check})
        assert "-e tls12_dags_at_once=2" in problem
    assert out_of_place({**play, "tls12_serial": 1}) == []


def test_options_of_the_role_are_checked_by_the_same_rules() -> None:
    """Every default of the role is taken as it stands, as a blank, and as the text that a survey makes of it."""
    for _file, _option, variable, spec in FED:
        default = DEFAULTS[variable]
        text = json.dumps(default) if isinstance(default, (list, dict)) else str(default)
        for value in (default, "", text):
            found, problems = _given.options({"x": value}, {"x": spec})
            assert problems == [], variable
            assert ArgumentSpecValidator({"x": spec}).validate(found).error_messages == [], variable
