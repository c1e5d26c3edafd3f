# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX 24.6.1 refuses, and what it takes without a word although nobody can have meant it.

Each function returns sentences, none where everything is right.
"""

from __future__ import annotations

import pathlib
import re
import typing as t

import yaml

ROOT = pathlib.Path(__file__).parent.parent.parent
FIELDS: dict[str, t.Any] = yaml.safe_load((ROOT / "tests/data/awx_fields.yml").read_text(encoding="utf-8"))

_OF_TYPE: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "choice": (str, int, type(None)),
    "boolean": (bool,),
    "integer": (int,),
    # the module looks the name up
    "id": (str,),
    "json": (dict, list),
}
# What a module takes besides the fields of the API.
_OF_MODULES = {
    "credentials": {"update_secrets"},
    "groups": {"preserve_existing_hosts"},
    "job_templates": {"organization", "survey_spec"},
    "workflow_job_templates": {"survey_spec", "workflow_nodes"},
    "schedules": {"organization"},
}
QUESTION = frozenset(
    ("variable", "question_name", "question_description", "type", "required", "min", "max", "choices", "default")
)
TYPES = frozenset(("text", "textarea", "password", "integer", "float", "multiplechoice", "multiselect"))
_CHOICES = ("multiplechoice", "multiselect")
# The lines by which some AWX tells a playbook, and those by which each of them does.
_BY_SOME = re.compile(r"^\s*-?\s*['\"]?(?:hosts|(?:ansible\.builtin\.)?import_playbook|include)['\"]?:", re.MULTILINE)
_BY_ALL = re.compile(r"^\s*-?\s*(?:hosts|import_playbook):", re.MULTILINE)
_NOT_WALKED = frozenset(("roles", "tasks", "group_vars", "host_vars"))
_RRULE = re.compile(
    r"DTSTART(;TZID=[A-Za-z_/]+:\d{8}T\d{6}|:\d{8}T\d{6}Z) RRULE:(?=.*INTERVAL=\d)(?!.*BYDAY=\d)[A-Z0-9=;,]+"
)


def field_problems(kind: str, item: t.Mapping[str, t.Any]) -> list[str]:
    """Names, types, words and lengths of the fields of one definition."""
    known = FIELDS[kind]
    found = [f"{name} is needed" for name, field in known["fields"].items() if field.get("needed") and name not in item]
    for name, value in item.items():
        field = known["fields"].get(name)
        if field is None:
            if name not in known["related"] and name not in _OF_MODULES.get(kind, ()):
                found.append(f"{name} is no field")
        elif not isinstance(value, _OF_TYPE[field["type"]]) or (
            isinstance(value, bool) != (field["type"] == "boolean")
        ):
            found.append(f"{name} is no {field['type']}")
        elif field["type"] == "choice" and value not in field["choices"]:
            found.append(f"{name} is none of {field['choices']}")
        elif len(str(value)) > field.get("most", 10_000_000):
            found.append(f"{name} is too long")
    return found


def survey_problems(survey: t.Mapping[str, t.Any]) -> list[str]:
    """A survey, as the API and the form of the web interface want it."""
    found = [f"{key} is missing" for key in ("name", "description", "spec") if key not in survey]
    questions = survey.get("spec", [])
    names = [question.get("variable") for question in questions]
    found += [f"{name} is asked twice" for name in sorted(set(names)) if names.count(name) > 1]
    if not questions:
        found.append("no question")
    return found + [f"{item.get('variable')}: {text}" for item in questions for text in _question_problems(item)]


def _question_problems(question: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    yield from (f"{key} is no key of a question" for key in sorted(set(question) - QUESTION))
    for key in ("variable", "question_name", "type", "required"):
        if key not in question:
            yield f"{key} is missing"
    kind = question.get("type")
    if kind not in TYPES:
        yield f"type {kind} does not exist"
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", str(question.get("variable"))):
        yield "the variable is no name"
    if question.get("required") is not False:
        yield "a required question breaks schedules and workflows"
    if kind not in _CHOICES:
        if "default" in question:
            yield "a default that nobody can clear in the web interface"
        for key in ("min", "max"):
            if not isinstance(question.get(key), int):
                yield f"{key} is no number"
        return
    choices = question.get("choices")
    if not choices or not all(isinstance(choice, str) for choice in choices):
        yield "choices are texts, and there are some"
    elif question.get("default") not in ("", *choices):
        yield "the default is none of the choices"


def refusal(question: t.Mapping[str, t.Any], value: t.Any) -> str | None:
    """Why the API refuses an answer; None where it takes it."""
    kind = question["type"]
    if kind in ("text", "textarea") and isinstance(value, str):
        return None if question["min"] <= len(value) <= question["max"] else "length"
    if kind == "integer" and isinstance(value, int) and not isinstance(value, bool):
        return None if question["min"] <= value <= question["max"] else "range"
    if kind == "multiplechoice" and value in question["choices"]:
        return None
    return f"{value!r} is no answer of the type {kind}"


def answer_problems(survey: t.Mapping[str, t.Any], answers: t.Mapping[str, t.Any]) -> list[str]:
    """Answers that a node or a schedule carries."""
    questions = {question["variable"]: question for question in survey["spec"]}
    found = [f"{name} is not asked" for name in answers if name not in questions]
    refused = {name: refusal(questions[name], answers[name]) for name in answers if name in questions}
    return found + [f"{name}: {why}" for name, why in refused.items() if why]


def playbook_problems(playbook: str, root: pathlib.Path = ROOT) -> list[str]:
    """Whether AWX finds a playbook of that name in the project."""
    path = root / playbook
    if not path.is_file():
        return [f"{playbook} is not in the project"]
    return [] if is_listed(path, root) else [f"AWX does not list {playbook}"]


def is_listed(path: pathlib.Path, root: pathlib.Path = ROOT) -> bool:
    """Whether every AWX takes a file for a playbook; one that only has ``ansible.builtin.import_playbook`` is not."""
    folders = path.relative_to(root).parent.parts
    hidden = any(part in _NOT_WALKED or part.startswith(".") for part in folders)
    text = path.read_text(encoding="utf-8")
    return path.suffix in (".yml", ".yaml") and not hidden and bool(_BY_ALL.search(text))


def could_be_listed(path: pathlib.Path) -> bool:
    """Whether some AWX may take a file for a playbook."""
    return bool(_BY_SOME.search(path.read_text(encoding="utf-8")))


def schedule_problems(schedule: t.Mapping[str, t.Any]) -> list[str]:
    """The rule of a schedule: a start with a zone, an interval, and no numbered days."""
    return [] if _RRULE.fullmatch(schedule["rrule"]) else [f"{schedule['rrule']} is no rule of AWX"]


def workflow_problems(workflow: t.Mapping[str, t.Any], templates: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    """The nodes of a workflow, held against the job templates by their full names."""
    nodes = {node["identifier"]: node for node in workflow["workflow_nodes"]}
    found = ["an identifier is used twice"] if len(nodes) != len(workflow["workflow_nodes"]) else []
    asked = {question["variable"] for question in workflow["survey_spec"]["spec"]}
    for name, node in nodes.items():
        for way, others in node.get("related", {}).items():
            found += [f"{name}: {way} {item['identifier']}" for item in others if item["identifier"] not in nodes]
        target = node["unified_job_template"]
        if target["type"] == "workflow_approval":
            found += (
                [] if target.get("timeout") else [f"{name}: an approval that waits for ever holds up all later ones"]
            )
            continue
        if target["type"] != "job_template" or target["name"] not in templates:
            found.append(f"{name}: no template {target['name']}")
            continue
        found += [f"{name}: {text}" for text in _node_problems(node, templates[target["name"]], asked)]
    return found


def _node_problems(node: t.Mapping[str, t.Any], template: t.Mapping[str, t.Any], asked: set[str]) -> t.Iterator[str]:
    if not template["ask_limit_on_launch"]:
        yield "a limit of the workflow would be ignored, and it would run on all servers"
    if "job_type" in node and not template["ask_job_type_on_launch"]:
        yield "its job type would be ignored"
    answers = node.get("extra_data", {})
    yield from answer_problems(template["survey_spec"], answers)
    yield from (f"{name} is overridden by the survey of the workflow" for name in sorted(asked & answers.keys()))
