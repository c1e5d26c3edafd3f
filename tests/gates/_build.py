# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The artifact, bit for bit the same whoever builds a commit: ansible-galaxy builds it, and what depends on the machine
and on the moment is taken out of it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from . import _checkout, _venvs
from ._run import CACHE, ROOT, GateFailed, run, say

_FILES, _MANIFEST = "FILES.json", "MANIFEST.json"


def dist(dummy_arguments: Sequence[str]) -> None:
    """`make dist`: the artifact, in the checkout's root."""
    built = collection(CACHE / "dist")
    target = ROOT / built.name
    built.replace(target)
    say(f"   {target.name}  sha256 {digest(target)}")


def collection(into: Path, alter: Callable[[Path], object] = lambda place: None) -> Path:
    """Builds a copy of the checkout in that folder, which may be altered before; returns the artifact."""
    venv = _venvs.default_venv()
    place = _checkout.copy_to(into)
    alter(place)
    env = venv.environment(into)
    del env["PYTHONPATH"]
    run(
        "building the collection",
        [venv.command("ansible-galaxy"), "collection", "build", "--force", "--output-path", into, place],
        limit=120,
        env=env,
        log="build",
    )
    [tarball] = into.glob("*.tar.gz")
    tarball.write_bytes(_the_same_for_all(tarball, _moment()))
    return tarball


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _moment() -> int:
    """The time that all files get: SOURCE_DATE_EPOCH where it is set, else that of the last commit."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    done = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise GateFailed(f"git does not tell the time of the last commit: {done.stderr.strip()}")
    return int(done.stdout)


def _the_same_for_all(tarball: Path, moment: int) -> bytes:
    """The files in the order of their names, of nobody, from one moment, and the list of them in that order too."""
    with tarfile.open(tarball) as archive:
        members = {member.name: member for member in archive}
        contents = {
            name: source.read()
            for name, member in members.items()
            if (source := archive.extractfile(member)) is not None
        }
    listed = json.loads(contents[_FILES])
    listed["files"].sort(key=lambda item: item["name"])
    contents[_FILES] = _json(listed)
    manifest = json.loads(contents[_MANIFEST])
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(contents[_FILES]).hexdigest()
    contents[_MANIFEST] = _json(manifest)
    raw, packed = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as made:
        # ansible-galaxy looks for the first two at the beginning
        for name in sorted(members, key=lambda name: (name != _MANIFEST, name != _FILES, name)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, entry.mtime = members[name].type, members[name].mode, moment
            entry.size = len(contents.get(name, b""))
            made.addfile(entry, io.BytesIO(contents[name]) if name in contents else None)
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=packed, mtime=0) as file:
        file.write(raw.getvalue())
    return packed.getvalue()


def _json(content: Mapping[str, object]) -> bytes:
    return json.dumps(content, indent=1).encode()
