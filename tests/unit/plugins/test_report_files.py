# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a report on the controller: whole or not at all, and read again only if they are what they should be."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _report_files, _reporting
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import ExchangeTlsError, OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report import comparing, junit, merging, schema
from hypothesis import given

from tests.unit.laws import examples

from .plugin_utils.report.results import HOSTILE, fleet, of
from .plugin_utils.report.stories import any_steps

RESULT = of(fleet(3))


def test_what_is_written_is_read_again(tmp_path: pathlib.Path) -> None:
    folder = _report_files.write(str(tmp_path / "a" / "b"), "run-1", RESULT)
    assert folder == tmp_path / "a" / "b" / "run-1"
    assert sorted(path.name for path in folder.iterdir()) == sorted(_report_files.FILES)
    assert _report_files.read(str(folder)) == _report_files.read(str(folder / "result.json")) == RESULT
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def _not_demanded(rule: Mapping[str, Any], value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """What a result has that need not be there, each with what holds it."""
    if "$ref" in rule:
        rule = schema.schema()["$defs"][rule["$ref"].rpartition("/")[2]]
    for item in value if isinstance(value, list) else ():
        yield from _not_demanded(rule.get("items", {}), item)
    for name, below in rule.get("properties", {}).items() if isinstance(value, dict) else ():
        if name in value:
            yield from _not_demanded(below, value[name])
            if name not in rule.get("required", ()):
                yield value, name


@examples(40)
@given(any_steps())
def test_a_result_of_another_version_may_have_less(steps: Any) -> None:
    """Whatever is not demanded of a result: the report, a merger and a comparison do without."""
    whole = json.loads(json.dumps(of({"ex01": steps})))
    lean = json.loads(json.dumps(whole))
    taken = list(_not_demanded(schema.schema(), lean))
    assert {name for _holder, name in taken} >= {"maintenance", "mail_flow", "proof", "error_kind", "restored_from"}
    for holder, name in taken:
        del holder[name]
    assert schema.problems(lean) == []
    _report_files._texts(merging.merge([lean, lean]))
    comparing.compare(lean, whole)
    comparing.compare(whole, lean)


def test_a_folder_of_the_user_keeps_its_rights(tmp_path: pathlib.Path) -> None:
    tmp_path.chmod(0o750)
    _report_files.write(str(tmp_path), "run-1", RESULT)
    assert tmp_path.stat().st_mode & 0o777 == 0o750


def test_no_report_takes_the_place_of_another(tmp_path: pathlib.Path) -> None:
    folder = _report_files.write(str(tmp_path), "run-1", RESULT)
    before = (folder / "result.json").read_bytes()
    with pytest.raises(ExchangeTlsError, match="there is a report of this name already"):
        _report_files.write(str(tmp_path), "run-1", of(fleet(1)))
    assert (folder / "result.json").read_bytes() == before
    assert list(tmp_path.iterdir()) == [folder]


def test_half_a_report_does_not_stay(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(_result: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(junit, "as_xml", no_space)
    with pytest.raises(ExchangeTlsError, match=r"No space left on device\. What was done to the servers is done"):
        _report_files.write(str(tmp_path), "run-1", RESULT)
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_a_run() -> None:
    name = _reporting.begin(datetime.datetime(2026, 11, 22, 3, 15, 2, tzinfo=datetime.timezone.utc))
    assert name == f"20261122T031502Z-{os.getpid()}"
    assert _reporting.place("/srv/reports") == f"/srv/reports/{name}"
    assert _reporting.place(" ") is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        (b"", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"{}", "it is no result of a run"),
        (json.dumps({**RESULT, "schema_version": 9}).encode(), "'schema_version' is 9"),
        (json.dumps({**RESULT, "servers": [HOSTILE]}).encode(), r"'servers\[0\]' is"),
    ],
)
def test_what_is_no_result_is_told(tmp_path: pathlib.Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "result.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OptionError, match=said) as told:
        _report_files.read(str(path))
    assert not set("\x1b\u202e") & set(told.value.message)


def test_a_report_that_could_not_be_written_is_refused_at_once(tmp_path: pathlib.Path) -> None:
    enabled = [_reporting.CALLBACK]
    _reporting.check(None, [])
    _reporting.check(str(tmp_path / "new" / "folder"), enabled)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OptionError, match="the callback that sees the whole run is not enabled"):
        _reporting.check(str(tmp_path), ["profile_tasks"])
    (tmp_path / "file").touch()
    with pytest.raises(OptionError, match=r"'report_dir'.*is no folder"):
        _reporting.check(str(tmp_path / "file"), enabled)
