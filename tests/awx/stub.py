# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A loopback API with the endpoints of AWX that awx.awx uses for the definitions.

It keeps what it is given, and refuses what AWX refuses. It launches nothing.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import re
import threading
import typing as t
import urllib.parse

from . import rules

Item = dict[str, t.Any]

PREFIX = "/api/v2/"
TOKEN = "a-token-of-the-stub"
# What an AWX has before anybody defines anything.
PRESENT = {
    "organizations": [{"name": "Default"}],
    "credentials": [{"name": "Ansible Galaxy"}],
    "notification_templates": [{"name": "Mail to the Exchange team"}],
}
UNIFIED = {"job_templates": "job_template", "workflow_job_templates": "workflow_job_template"}


class Refused(Exception):
    """An answer with an error: the status and the body."""

    def __init__(self, status: int, body: Item) -> None:
        super().__init__(status, body)
        self.status, self.body = status, body


class Awx:
    """What the stub holds. ``changes`` are the calls that changed something: method, path, body."""

    def __init__(self) -> None:
        self.items: dict[str, list[Item]] = {}
        self.related: dict[tuple[str, int, str], list[int]] = {}
        self.surveys: dict[int, Item] = {}
        self.secrets: dict[int, Item] = {}
        self.changes: list[tuple[str, str, Item]] = []
        self.url = ""
        self._last = 0
        for kind, items in PRESENT.items():
            for item in items:
                self._keep(kind, item)

    def of(self, kind: str, name: str) -> Item:
        """The one item of that name."""
        (found,) = [item for item in self.items[kind] if item.get("name") == name]
        return found

    def names(self, kind: str, item: Item, relation: str) -> list[str]:
        """The names of what an item is related to."""
        kept = {one["id"]: one.get("name") or one["identifier"] for items in self.items.values() for one in items}
        return [kept[number] for number in self.related.get((kind, item["id"], relation), [])]

    def answer(self, method: str, path: str, query: dict[str, str], body: Item) -> tuple[int, Item]:
        """The status and the body of the answer to one call."""
        kind, *rest = path.removeprefix(PREFIX).strip("/").split("/")
        if method != "GET":
            self.changes.append((method, path, body))
        if not rest:
            return (200, self._list(kind, query)) if method == "GET" else (201, self._create(kind, body))
        item = self._one(kind, int(rest[0]))
        if len(rest) == 1:
            return 200, item if method == "GET" else self._update(kind, item, body)
        return self._below(method, kind, item, rest[1], body)

    def _below(self, method: str, kind: str, item: Item, name: str, body: Item) -> tuple[int, Item]:
        if name == "survey_spec":
            if method == "POST":
                if problems := rules.survey_problems(body):
                    raise Refused(400, {"error": "; ".join(problems)})
                self.surveys[item["id"]] = body
            return 200, self.surveys.get(item["id"], {})
        if name == "create_approval_template":
            made = self._keep("workflow_approval_templates", {key: body[key] for key in ("name", "timeout")})
            item["unified_job_template"] = made["id"]
            item["related"]["unified_job_template"] = made["url"]
            return 201, made
        if name not in rules.FIELDS[kind]["related"]:
            raise Refused(404, {"detail": "Not found."})
        kept = self.related.setdefault((kind, item["id"], name), [])
        if method == "GET":
            return 200, _page([{"id": number} for number in kept])
        if body.get("disassociate"):
            kept.remove(body["id"])
        else:
            kept.append(body["id"])
        return 204, {}

    def _list(self, kind: str, query: dict[str, str]) -> Item:
        if kind == "unified_job_templates":
            found = [{**item, "type": name} for many, name in UNIFIED.items() for item in self.items.get(many, [])]
        elif kind in rules.FIELDS or kind in PRESENT:
            found = self.items.get(kind, [])
        else:
            raise Refused(404, {"detail": "Not found."})
        return _page([item for item in found if all(str(item.get(key)) == value for key, value in query.items())])

    def _one(self, kind: str, number: int) -> Item:
        for item in self.items.get(kind, []):
            if item["id"] == number:
                return item
        raise Refused(404, {"detail": "Not found."})

    def _create(self, kind: str, body: Item) -> Item:
        if kind not in rules.FIELDS:
            raise Refused(405, {"detail": "Method not allowed."})
        self._check(kind, body)
        if any(item["name"] == body.get("name") for item in self.items.get(kind, []) if "name" in body):
            raise Refused(400, {"__all__": [f"{body['name']} exists"]})
        return self._keep(kind, self._taken(kind, body))

    def _update(self, kind: str, item: Item, body: Item) -> Item:
        if kind in rules.FIELDS:
            self._check(kind, {**item, **body})
            body = self._taken(kind, body)
        if kind == "credentials":
            body["inputs"] = _hidden(body["inputs"])
        item.update(body)
        return item

    def _check(self, kind: str, body: Item) -> None:
        fields = rules.FIELDS[kind]["fields"]
        for name, field in fields.items():
            if field.get("needed") and not body.get(name):
                raise Refused(400, {name: ["This field is required."]})
            value = body.get(name)
            if field["type"] == "choice" and value is not None and value not in field["choices"]:
                raise Refused(400, {name: [f'"{value}" is not a valid choice.']})
        if (playbook := body.get("playbook")) and rules.playbook_problems(playbook):
            raise Refused(400, {"playbook": ["Playbook not found for project."]})
        if kind == "schedules":
            self._check_schedule(body)

    def _check_schedule(self, body: Item) -> None:
        survey = self.surveys.get(body["unified_job_template"], {"spec": []})
        if problems := rules.schedule_problems(body) + rules.answer_problems(survey, body.get("extra_data") or {}):
            raise Refused(400, {"__all__": problems})

    def _taken(self, kind: str, body: Item) -> Item:
        """What is kept of a call: what the API does not know, it ignores, and null is blank to it."""
        fields = {**rules.FIELDS[kind]["fields"], **dict.fromkeys(("organization",) if kind in UNIFIED else ())}
        blank = {
            name for name, value in body.items() if value is None and (fields.get(name) or {}).get("type") == "choice"
        }
        return {name: "" if name in blank else value for name, value in body.items() if name in fields}

    def _keep(self, kind: str, item: Item) -> Item:
        self._last += 1
        url = f"{PREFIX}{kind}/{self._last}/"
        names = (*rules.FIELDS.get(kind, {}).get("related", ()), "survey_spec")
        kept = {**item, "id": self._last, "url": url, "summary_fields": {}, "scm_revision": "", "managed": False}
        kept["related"] = {name: f"{url}{name}/" for name in names}
        if kind == "credentials":
            self.secrets[self._last] = item.get("inputs", {})
            kept["inputs"] = _hidden(item.get("inputs", {}))
        self.items.setdefault(kind, []).append(kept)
        return kept


def _hidden(inputs: Item) -> Item:
    return {name: "$encrypted$" if name == "password" else value for name, value in inputs.items()}


def _page(items: list[Item]) -> Item:
    return {"count": len(items), "next": None, "previous": None, "results": items}


@contextlib.contextmanager
def running() -> t.Iterator[Awx]:
    """An AWX on a port of 127.0.0.1; its address is ``url``."""
    awx = Awx()
    lock = threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        """HTTP around :meth:`Awx.answer`."""

        def _do(self) -> None:
            address = urllib.parse.urlsplit(self.path)
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            query = dict(urllib.parse.parse_qsl(address.query))
            try:
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    raise Refused(401, {"detail": "Authentication credentials were not provided."})
                # the paths that are numbers and names; anything else is a mistake of the caller
                if not re.fullmatch(r"/api/v2/[a-z_]+/(\d+/([a-z_]+/)?)?", address.path):
                    raise Refused(404, {"detail": "Not found."})
                with lock:
                    status, answer = awx.answer(self.command, address.path, query, body)
            except Refused as refused:
                status, answer = refused.status, refused.body
            content = b"" if status == 204 else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", "24.6.1")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = _do  # noqa: N815  # names of the base class

        def log_message(self, format: str, *args: t.Any) -> None:
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    awx.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield awx
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
