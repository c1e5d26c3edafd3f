# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The definitions for AWX, held against what AWX takes, what the role knows, and what keeps servers safe there."""

from __future__ import annotations

import copy
import functools
import re
import typing as t

import pytest

from tests.awx import definitions, rules
from tests.unit import _metadata

DEFINED = definitions.definitions()
TEMPLATES = definitions.templates()
BY_NAME = {item["name"]: item for item in TEMPLATES.values()}
# On the controller alone: it knows no servers, and writes a report.
MERGING = "merge reports"
CHANGING = [name for name, item in TEMPLATES.items() if item["job_type"] == "run" and name != MERGING]
# The variable of a definition, and what the API calls such things.
KINDS = {
    "controller_execution_environments": "execution_environments",
    "controller_instance_groups": "instance_groups",
    "controller_credential_types": "credential_types",
    "controller_credentials": "credentials",
    "controller_projects": "projects",
    "controller_inventories": "inventories",
    "controller_groups": "groups",
    "controller_templates": "job_templates",
    "controller_workflows": "workflow_job_templates",
    "controller_schedules": "schedules",
}
SURVEYS = {
    item["name"]: item["survey_spec"] for item in (*DEFINED["controller_templates"], *DEFINED["controller_workflows"])
}
# The entry point of the role that a playbook runs.
ENTRY = {
    "audit_tls12": "audit",
    "why_mail_stopped": "why",
    "learn_dags": "learn",
    "harden_tls": "harden",
    "harden_tls_by_dag": "harden",
    "rollback_tls12": "rollback",
}
OF_PLAYBOOKS = {"tls12_hosts", "tls12_serial"}
OF_MERGING = {"tls12_reports", "tls12_report_since"}


@functools.cache
def entry_points() -> dict[str, t.Any]:
    found: dict[str, t.Any] = _metadata.load_yaml(_metadata.ROOT / "roles/tls12/meta/argument_specs.yml")
    return {name: entry["options"] for name, entry in found["argument_specs"].items()}


def test_all_definitions_are_checked() -> None:
    assert {name for name in DEFINED if name.startswith("controller_")} == set(KINDS)
    assert set(TEMPLATES) >= {"audit", "enforce", "enforce by DAG", "harden", "harden by DAG", "rollback"}


@pytest.mark.parametrize("variable", KINDS)
def test_fields(variable: str) -> None:
    items = DEFINED[variable]
    assert items
    assert {item["name"]: rules.field_problems(KINDS[variable], item) for item in items} == {
        item["name"]: [] for item in items
    }


@pytest.mark.parametrize("name", SURVEYS)
def test_surveys(name: str) -> None:
    assert rules.survey_problems(SURVEYS[name]) == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_survey_asks_what_the_playbook_knows(name: str) -> None:
    template = TEMPLATES[name]
    if name == MERGING:
        assert {question["variable"] for question in template["survey_spec"]["spec"]} == OF_MERGING
        return
    book = template["playbook"].removeprefix("playbooks/").removesuffix(".yml")
    options = {
        **entry_points()[ENTRY.get(book, "main")],
        **(entry_points()["learn"] if book.endswith("_by_dag") else {}),
    }
    for question in template["survey_spec"]["spec"]:
        variable = question["variable"]
        assert variable in options or variable in OF_PLAYBOOKS, variable


@pytest.mark.parametrize("name", SURVEYS)
def test_a_blank_form_says_nothing(name: str) -> None:
    """A default would be sent with every job, and win over what the inventory says without a word."""
    for question in SURVEYS[name]["spec"]:
        assert question.get("default", "") == "", question["variable"]
        if question["type"] == "multiplechoice":
            default = _options()[question["variable"]]["default"]
            word = str(default).lower() if isinstance(default, bool) else default
            assert question["question_description"].endswith(f"Blank for {word}"), question["variable"]


def _options() -> dict[str, t.Any]:
    return {variable: option for options in entry_points().values() for variable, option in options.items()}


# What somebody has to be able to say where a refusal or a result names it.
ASKED = {
    "enforce": {"tls12_leave_mail", "tls12_mail_flow", "tls12_probe_mailbox", "tls12_smtp_logs"},
    "harden": {
        *("tls12_leave_mail", "tls12_mail_flow", "tls12_probe_mailbox"),
        *("tls12_smtp_logs", "tls12_smtp_logs_since", "tls12_accepted_peers"),
    },
    "rollback": {"tls12_leave_mail", "tls12_other_host", "tls12_backup"},
    "order of DAGs": {"tls12_dags_at_once", "tls12_one_per_site"},
}


@pytest.mark.parametrize("name", ["enforce", "enforce by DAG", "harden", "harden by DAG", "rollback", "order of DAGs"])
def test_what_a_refusal_names_can_be_answered(name: str) -> None:
    asked = {question["variable"] for question in TEMPLATES[name]["survey_spec"]["spec"]}
    assert ASKED[name.removesuffix(" by DAG")] - asked == set()


def test_there_is_a_template_for_every_playbook() -> None:
    books = {path.name for path in _metadata.PLAYBOOKS if "_" in path.name}
    assert {item["playbook"].removeprefix("playbooks/") for item in TEMPLATES.values()} == books


def test_folders_are_handed_on_where_they_are_set() -> None:
    """A blank one would win over the inventory."""
    for name, template in TEMPLATES.items():
        assert set(template["extra_vars"]) == ({"tls12_backup_dir"} if name in CHANGING else set()), name
    others = definitions.rendered(awx_tls_report_dir="/srv/reports", awx_tls_smtp_logs="/srv/logs")
    for template in others["controller_templates"]:
        assert template["extra_vars"]["tls12_report_dir"] == "/srv/reports"
        of_logs = template["job_type"] == "run" and not re.search("rollback|merge", template["playbook"])
        assert ("tls12_smtp_logs" in template["extra_vars"]) is of_logs


def test_slices_can_be_merged() -> None:
    """Only what each slice can tell by itself is sliced, and each of them writes a report."""
    sliced = definitions.rendered(awx_tls_audit_slices=4, awx_tls_report_dir="/srv/reports")["controller_templates"]
    assert [item["playbook"] for item in sliced if item["job_slice_count"] != 1] == ["playbooks/audit_tls12.yml"]
    merging = TEMPLATES[MERGING]
    assert (merging["job_type"], merging["ask_job_type_on_launch"]) == ("run", False)
    (play,) = _metadata.load_yaml(_metadata.ROOT / merging["playbook"])
    assert (play["hosts"], play["connection"]) == ("localhost", "local")


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_name_playbooks_that_awx_lists(name: str) -> None:
    assert rules.playbook_problems(TEMPLATES[name]["playbook"]) == []


def test_what_is_no_playbook_is_not_taken_for_one() -> None:
    assert [path.name for path in definitions.FILES if rules.could_be_listed(path)] == []
    assert rules.playbook_problems("playbooks/enforce-tls12.yml") == ["AWX does not list playbooks/enforce-tls12.yml"]
    assert rules.playbook_problems("mailops.exchange_tls.enforce_tls12") != []


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_limit_is_always_heard(name: str) -> None:
    """It would leave nobody where the play is on the controller."""
    assert TEMPLATES[name]["ask_limit_on_launch"] is (name != MERGING)


@pytest.mark.parametrize("name", CHANGING)
def test_what_changes_servers_goes_one_at_a_time(name: str) -> None:
    template = TEMPLATES[name]
    (group,) = DEFINED["controller_instance_groups"]
    assert group["max_concurrent_jobs"] == 1
    assert template["instance_groups"] == [group["name"]]
    assert template["prevent_instance_group_fallback"] is True
    assert template["ask_job_type_on_launch"] is True
    assert template["allow_simultaneous"] is False
    assert template["job_slice_count"] == 1
    assert not template.get("ask_job_slice_count_on_launch")
    assert template["extra_vars"]["tls12_backup_dir"].startswith("/")


def test_an_audit_cannot_become_a_run() -> None:
    reading = set(TEMPLATES) - set(CHANGING) - {MERGING}
    assert reading == {"audit", "why mail stopped", "order of DAGs"}
    for name in reading:
        assert (TEMPLATES[name]["job_type"], TEMPLATES[name]["ask_job_type_on_launch"]) == ("check", False)


def test_passwords_come_by_the_environment() -> None:
    """Extra variables make another number of some passwords, on ansible-core 2.19 and later."""
    (kind,) = DEFINED["controller_credential_types"]
    assert set(kind["injectors"]) == {"env"}
    (inventory,) = DEFINED["controller_inventories"]
    assert "'EXCHANGE_PASSWORD'" in inventory["variables"]["ansible_password"]
    assert "EXCHANGE_PASSWORD" in kind["injectors"]["env"]


@pytest.mark.parametrize("workflow", DEFINED["controller_workflows"], ids=lambda item: item["name"])
def test_workflows(workflow: dict[str, t.Any]) -> None:
    assert rules.workflow_problems(workflow, BY_NAME) == []
    assert workflow["ask_limit_on_launch"] is True
    assert workflow["allow_simultaneous"] is False


def test_nothing_is_changed_before_the_approval() -> None:
    """Nor is the workflow successful where the change has failed, or the last audit has."""
    (workflow,) = DEFINED["controller_workflows"]
    nodes = {node["identifier"]: node for node in workflow["workflow_nodes"]}
    ways = {name: node.get("related", {}) for name, node in nodes.items()}
    assert ways["look"] == {"success_nodes": [{"identifier": "predict"}]}
    assert nodes["predict"]["job_type"] == "check"
    assert ways["predict"] == {"success_nodes": [{"identifier": "approve"}]}
    assert ways["approve"] == {"success_nodes": [{"identifier": "enforce"}]}
    (after,) = ways["enforce"]["failure_nodes"]
    assert nodes[after["identifier"]]["extra_data"] == {"tls12_fail_on": "id"}
    assert ways["verify"] == ways["report"] == {}


def test_schedules() -> None:
    surveys = {**SURVEYS}
    for schedule in DEFINED["controller_schedules"]:
        assert rules.schedule_problems(schedule) == []
        assert schedule["extra_data"], "with answers that are said"
        assert rules.answer_problems(surveys[schedule["unified_job_template"]], schedule["extra_data"]) == []
        assert "job_type" not in schedule


def test_names_begin_with_the_prefix_and_belong_to_the_organization() -> None:
    others = definitions.rendered(awx_tls_prefix="North", awx_tls_organization="Mail")
    for variable in KINDS.keys() - {"controller_groups"}:
        for item in others[variable]:
            assert item["name"].startswith("North"), item["name"]
            assert item.get("organization", "Mail") == "Mail"
    assert "Exchange TLS" not in str({name: value for name, value in others.items() if name.startswith("controller_")})


def test_nothing_that_is_defined_is_left_out_by_the_playbook() -> None:
    """Every key of a definition is handed to the module that makes it."""
    (play,) = definitions.load(definitions.CONFIGURE)
    handed: dict[str, set[str]] = {}
    for task in play["tasks"]:
        variable = str(task.get("loop")).strip("{} ")
        for module, options in task.items():
            if module.startswith("awx.awx."):
                handed.setdefault(variable, set()).update(options)
                for name, value in options.items():
                    assert re.search(rf"\bitem\.{name}\b", value) or variable not in KINDS, f"{module}: {name}"
    for variable in KINDS:
        keys = {key for item in DEFINED[variable] for key in item}
        assert keys == handed[variable], variable


def broken(path: str, value: t.Any = None) -> dict[str, t.Any]:
    """The template for an audit, or its survey's parts, with one thing wrong."""
    item = copy.deepcopy(TEMPLATES["audit"])
    *steps, last = path.split(".")
    place: t.Any = item
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return item


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (broken("name"), "name is needed"),
        (broken("name", "x" * 513), "too long"),
        (broken("job_type", "chek"), "none of"),
        (broken("ask_limit", True), "ask_limit is no field"),
        (broken("job_slice_count", "1"), "no integer"),
        (broken("ask_limit_on_launch", 1), "no boolean"),
        (broken("survey_spec.name"), "name is missing"),
        (broken("survey_spec.spec", []), "no question"),
        (broken("survey_spec.spec.0.required"), "required is missing"),
        (broken("survey_spec.spec.0.required", True), "breaks schedules"),
        (broken("survey_spec.spec.0.default", ""), "nobody can clear"),
        (broken("survey_spec.spec.0.type", "bool"), "does not exist"),
        (broken("survey_spec.spec.0.variable", "tls12-hosts"), "is no name"),
        (broken("survey_spec.spec.0.variable", "tls12_baseline"), "asked twice"),
        (broken("survey_spec.spec.0.min", "0"), "min is no number"),
        (broken("survey_spec.spec.0.help", "x"), "help is no key"),
        (broken("survey_spec.spec.3.default"), "none of the choices"),
        (broken("survey_spec.spec.3.default", "no"), "none of the choices"),
        (broken("survey_spec.spec.3.choices", []), "there are some"),
        (broken("survey_spec.spec.3.choices", [True, False]), "choices are texts"),
    ],
)
def test_what_is_wrong_is_found(item: dict[str, t.Any], words: str) -> None:
    found = rules.field_problems("job_templates", item) + rules.survey_problems(item["survey_spec"])
    assert [text for text in found if words in text], found


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"tls12_reboot": "never"}, "is not asked"),
        ({"tls12_fail_on_findings": True}, "no answer"),
        ({"tls12_fail_on_findings": ""}, "no answer"),
        ({"tls12_updates_within": "5"}, "no answer"),
        ({"tls12_updates_within": -1}, "range"),
        ({"tls12_hosts": ["a"]}, "no answer"),
    ],
)
def test_answers_that_are_refused(answers: dict[str, t.Any], words: str) -> None:
    (problem,) = rules.answer_problems(TEMPLATES["audit"]["survey_spec"], answers)
    assert words in problem


@pytest.mark.parametrize(
    "rrule",
    [
        "RRULE:FREQ=WEEKLY;INTERVAL=1",
        "DTSTART:20260105T050000 RRULE:FREQ=WEEKLY;INTERVAL=1",
        "DTSTART:20260105T050000Z RRULE:FREQ=WEEKLY",
        "DTSTART:20260105T050000Z RRULE:FREQ=MONTHLY;INTERVAL=1;BYDAY=1SA",
    ],
)
def test_rules_of_schedules_that_are_refused(rrule: str) -> None:
    assert rules.schedule_problems({"rrule": rrule}) != []


@pytest.mark.parametrize(
    ("node", "change", "words"),
    [
        (0, {"job_type": "run"}, "its job type would be ignored"),
        (0, {"extra_data": {"tls12_hosts": "x"}}, "overridden by the survey"),
        (0, {"extra_data": {"tls12_force": "true"}}, "is not asked"),
        (0, {"related": {"success_nodes": [{"identifier": "nobody"}]}}, "nobody"),
        (0, {"unified_job_template": {"name": "audit", "type": "job_template"}}, "no template"),
        (2, {"unified_job_template": {"name": "x", "type": "workflow_approval"}}, "waits for ever"),
        (1, {"identifier": "look"}, "used twice"),
    ],
)
def test_nodes_that_are_wrong(node: int, change: dict[str, t.Any], words: str) -> None:
    workflow = copy.deepcopy(DEFINED["controller_workflows"][0])
    workflow["workflow_nodes"][node].update(change)
    found = rules.workflow_problems(workflow, BY_NAME)
    assert [text for text in found if words in text], found
    deaf = {name: {**item, "ask_limit_on_launch": False} for name, item in BY_NAME.items()}
    assert [text for text in rules.workflow_problems(workflow, deaf) if "run on all servers" in text]
