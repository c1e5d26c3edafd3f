# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that users name: where they are looked for, and vaults."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.mailops.exchange_tls.plugins.action import tls_settings, tls_settings_info
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _files
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import OptionError

from .actions import Runner

RULES = """\
id: ours
title: Ours
rules:
  - {id: r, title: T, severity: high, why: W, source: S, version: "1", date: 2026-01-31, protocol: SSL 3.0, state: off}
"""


def loader(password: bytes | None = None) -> DataLoader:
    made = DataLoader()
    made.set_vault_secrets([("default", VaultSecret(password))] if password else [])
    return made


def test_the_first_place_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = [tmp_path / name for name in ("playbooks", "inventory", "here")]
    for place in places:
        place.mkdir()
    monkeypatch.chdir(tmp_path)
    read = _files.reader(loader(), [str(place) for place in places])
    for place in reversed(places):
        (place / "own.yml").write_text(place.name)
        assert read("own.yml") == place.name.encode()
    (tmp_path / "own.yml").write_text("~")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read("~/own.yml") == b"~"
    assert read(str(places[2] / "own.yml")) == b"here"
    with pytest.raises(FileNotFoundError):
        read("other.yml")
    for folder in ("/", "inventory"):
        with pytest.raises(IsADirectoryError):
            _files.reader(loader(), [str(tmp_path)])(folder)
    with pytest.raises(ValueError, match="null"):
        read("\0.yml")
    with pytest.raises(FileNotFoundError, match=r"^\[Errno 2\] No such file or directory$"):
        read("/nowhere/own.yml")
    assert _files.reader(loader(), [])("/dev/null") == b""


@pytest.mark.parametrize("name", ["own.yml", "'own'.yml", "our own%20.yml", "$HOME.yml"])
def test_a_vault(tmp_path: Path, name: str) -> None:
    closed = VaultLib([("default", VaultSecret(b"one"))]).encrypt("größer\r\n".encode())
    (tmp_path / name).write_bytes(closed)
    assert _files.reader(loader(b"one"), [str(tmp_path)])(name) == "größer\r\n".encode()
    for other in (loader(b"two"), loader()):
        with pytest.raises(OptionError, match="is in a vault that does not open: "):
            _files.reader(other, [str(tmp_path)])(name)


def test_a_vault_in_a_pipe(tmp_path: Path) -> None:
    """What a shell makes of <(...)."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    closed = VaultLib([("default", VaultSecret(b"one"))]).encrypt(b"ours")
    writer = threading.Thread(target=pipe.write_bytes, args=(closed,), daemon=True)
    writer.start()
    assert _files.reader(loader(b"one"), [])(str(pipe)) == b"ours"
    writer.join(10)


@pytest.mark.parametrize("module", [tls_settings, tls_settings_info])
def test_a_baseline_is_looked_for_beside_the_playbook(run: Runner, tmp_path: Path, module: object) -> None:
    (tmp_path / "own.yml").write_text(RULES)
    result = run(module, more_vars={"playbook_dir": str(tmp_path)}, baseline="own.yml")
    assert "The baseline 'own.yml' is refused: line 4: 'off' is none of" in result["msg"]
    missing = run(module, more_vars={"playbook_dir": str(tmp_path)}, baseline="other.yml")["msg"]
    assert f"No such file or directory in {tmp_path}, " in missing
