# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the collection as users get it, hold its contents against a list, install it, try every door, run the demo."""

from __future__ import annotations

import json
import os
import re
import shutil
import tarfile
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import _build, _checkout, _venvs
from ._run import CACHE, LOGS, ROOT, GateFailed, GateSkipped, left_out, output_of, run, say

FQCN = f"{_checkout.NAMESPACE}.{_checkout.NAME}"

# What a user has a use for. A file of the checkout that matches must be in the artifact, and nothing else may be.
_WANTED = re.compile(
    r"""
      LICENSE | [A-Z_]+\.md | CHANGELOG\.rst | changelogs/changelog\.yaml | requirements\.txt
    | meta/(runtime\.yml | execution-environment\.yml | ee-requirements\.txt | ee-bindep\.txt)
    | plugins/(action|callback|doc_fragments|filter|lookup|module_utils|modules|plugin_utils|test)/([a-z0-9_]+/)*
      [a-z0-9_]+\.(py|yml|yaml|json|j2)
    | roles/[a-z0-9_]+/(README\.md | (defaults|vars|meta|tasks|handlers|templates|files)/[A-Za-z0-9_./-]+)
    | playbooks/([a-z0-9_]+/)*[a-z0-9_-]+\.(yml|yaml|j2|json) | playbooks/README\.md
    | docs/[A-Za-z0-9_./-]+\.(md|rst|svg|yml)
    """,
    re.VERBOSE,
)
_MADE_BY_THE_BUILD = {"MANIFEST.json", "FILES.json"}
# The links and caches below these are for work on the checkout.
_NOT_WANTED = re.compile(r"(^|/)(playbooks/collections|__pycache__)(/|$)")
_PLUGINS = {"modules": "module", "callback": "callback", "filter": "filter", "lookup": "lookup", "test": "test"}


def artifact(dummy_arguments: Sequence[str]) -> None:
    """`make artifact`"""
    venv = _venvs.default_venv()
    work = CACHE / "artifact"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    installed = work / "installed"
    env = venv.environment(installed)
    del env["PYTHONPATH"]
    galaxy = venv.command("ansible-galaxy")

    tarball, again = (_build.collection(work / folder) for folder in ("first", "second"))
    if _build.digest(tarball) != _build.digest(again):
        raise GateFailed(f"two builds of the same files differ: {tarball}, {again}")
    names = _contents(tarball)
    _compare(names)
    say(f"   {tarball.name}: {len(names)} files, {tarball.stat().st_size // 1024} KiB")

    run(
        "installing it, without a network",
        [galaxy, "collection", "install", "--offline", "--collections-path", installed, tarball],
        limit=120,
        env=env,
        log="artifact-install",
    )
    run(
        "installing the checkout through collections/requirements.yml, as AWX does",
        [
            galaxy,
            "collection",
            "install",
            "--offline",
            "--force",
            "-r",
            "collections/requirements.yml",
            "-p",
            work / "self",
        ],
        limit=120,
        env=env,
        log="artifact-self-install",
    )
    _upgrade(galaxy, env, tarball, names, work)
    place = Path("ansible_collections", _checkout.NAMESPACE, _checkout.NAME)
    _same(names, _files_under(work / "self" / place))
    _documentation(venv, env, installed / place)
    _playbooks(venv, env, installed / place, work)
    _demo(venv, env, installed, work)
    try:
        lint = _venvs.lint_venv()
    except GateSkipped as reason:
        left_out("galaxy-importer", reason)
        return
    _galaxy(lint, tarball, work)


def _upgrade(galaxy: Path, env: Mapping[str, str], tarball: Path, names: set[str], work: Path) -> None:
    """Installed over an older release, which had a file that there is no more, nothing of that one is left."""
    place = work / "upgraded"
    for what, file in (("an older release", _build.collection(work / "older", _age)), ("this one over it", tarball)):
        run(
            f"installing {what}",
            [galaxy, "collection", "install", "--offline", "--upgrade", "--collections-path", place, file],
            limit=120,
            env=env,
            log="artifact-upgrade",
        )
    _same(names, _files_under(place / "ansible_collections" / _checkout.NAMESPACE / _checkout.NAME))


def _age(place: Path) -> None:
    """Makes an older release of a copy of the checkout."""
    settings = place / "galaxy.yml"
    text, count = re.subn(r"(?m)^version: .*$", "version: 0.0.1", settings.read_text(encoding="utf-8"))
    if count != 1:
        raise GateFailed("galaxy.yml has no version")
    settings.write_text(text, encoding="utf-8")
    (place / "plugins" / "modules" / "of_old.py").write_text("# There is no more of it.\n", encoding="ascii")


def _contents(tarball: Path) -> set[str]:
    with tarfile.open(tarball) as archive:
        odd = [member.name for member in archive if not (member.isfile() or member.isdir())]
        names = {member.name for member in archive if member.isfile()}
    if odd:
        raise GateFailed(f"links in the artifact: {', '.join(odd)}")
    return names - _MADE_BY_THE_BUILD


def _files_under(place: Path) -> set[str]:
    found = {
        Path(folder, name).relative_to(place).as_posix() for folder, dummy, names in os.walk(place) for name in names
    }
    return found - _MADE_BY_THE_BUILD


def is_wanted(name: str) -> bool:
    """Whether a file of the checkout belongs into the artifact."""
    return bool(_WANTED.fullmatch(name)) and not _NOT_WANTED.search(name) and not (ROOT / name).is_symlink()


def _compare(names: set[str]) -> None:
    wanted = {name for name in _checkout.files() if is_wanted(name)}
    if extra := sorted(names - wanted):
        raise GateFailed(
            "in the artifact, but not on the list of tests/gates/_artifact.py (galaxy.yml: build_ignore): "
            + ", ".join(extra)
        )
    if missing := sorted(wanted - names):
        raise GateFailed(f"not in the artifact: {', '.join(missing)}")
    for needed in ("README.md", "LICENSE", "meta/runtime.yml", "requirements.txt"):
        if needed not in names:
            raise GateFailed(f"not in the artifact, because not in the checkout: {needed}")


def _same(built: set[str], other: set[str]) -> None:
    if built != other:
        names = textwrap.shorten(", ".join(sorted(built ^ other)), 400, placeholder=" ...")
        raise GateFailed(f"an install from the checkout differs from the artifact in: {names}")


def _documentation(venv: _venvs.Venv, env: Mapping[str, str], place: Path) -> None:
    """ansible-doc knows every module, plugin and role of the installed collection."""
    wanted = [
        (kind, sorted({path.stem for path in (place / "plugins" / folder).glob("[a-z]*.py")}))
        for folder, kind in _PLUGINS.items()
    ]
    wanted.append(("role", sorted(path.name for path in (place / "roles").glob("[a-z]*"))))
    found = {kind: names for kind, names in wanted if names}
    if "module" not in found or "role" not in found:
        raise GateFailed("the artifact has no module or no role")
    for kind, names in found.items():
        full = [f"{FQCN}.{name}" for name in names]
        say(f"-- ansible-doc for {len(full)} of type {kind}: {', '.join(names)}")
        known = json.loads(output_of([venv.command("ansible-doc"), "-t", kind, "--json", *full], limit=60, env=env))
        for name in full:
            entry = known.get(name) or {}
            if not (entry.get("doc") or entry.get("entry_points")):
                raise GateFailed(f"ansible-doc -t {kind} {name} shows nothing")


def _playbooks(venv: _venvs.Venv, env: Mapping[str, str], place: Path, work: Path) -> None:
    """Every playbook parses, by path and by name; a name with a hyphen has a path only."""
    paths = sorted((place / "playbooks").glob("*.yml"))
    if not paths:
        raise GateFailed("the artifact has no playbook")
    nowhere = work / "elsewhere"
    nowhere.mkdir()
    targets = [str(path) for path in paths]
    targets += [f"{FQCN}.{path.stem}" for path in paths if path.stem.isidentifier()]
    run(
        f"ansible-playbook --syntax-check {' '.join(map(os.path.basename, targets))}",
        [venv.command("ansible-playbook"), "-i", "localhost,", "--syntax-check", *targets],
        limit=120,
        env=env,
        cwd=nowhere,
        log="artifact-syntax",
    )
    if (read := (LOGS / "artifact-syntax.log").read_text().count("playbook: ")) != len(targets):
        raise GateFailed(f"of {len(targets)} playbooks {read} were read")


def _demo(venv: _venvs.Venv, env: Mapping[str, str], installed: Path, work: Path) -> None:
    """The whole job, with what is installed. Its report stays in the folder of this gate."""
    reports = work / "tmp"
    reports.mkdir()
    run(
        "the demo, from what is installed",
        [venv.python, "-m", "tests.demo.run", "--collections", installed],
        limit=300,
        env={**env, "TMPDIR": str(reports)},
        log="artifact-demo",
    )


def _galaxy(venv: _venvs.Venv, tarball: Path, work: Path) -> None:
    """Galaxy would take it: its own importer reads the artifact, without the checks that are gates of ours anyway."""
    settings = work / "galaxy-importer.cfg"
    off = "".join(f"RUN_{check} = False\n" for check in ("FLAKE8", "ANSIBLE_LINT", "ANSIBLE_TEST"))
    settings.write_text(f"[galaxy-importer]\n{off}CHECK_REQUIRED_TAGS = True\n")
    env = {**venv.environment(work / "nowhere"), "GALAXY_IMPORTER_CONFIG": str(settings)}
    del env["PYTHONPATH"]
    run(
        "galaxy-importer",
        [venv.python, "-m", "galaxy_importer.main", tarball],
        limit=120,
        env=env,
        cwd=work,
        log="artifact-galaxy",
        problems=re.compile("^(ERROR|WARNING)"),
    )
    complaints = [
        line for line in (LOGS / "artifact-galaxy.log").read_text().splitlines() if line.startswith("WARNING")
    ]
    if complaints:
        raise GateFailed("galaxy-importer: " + "; ".join(complaints))
