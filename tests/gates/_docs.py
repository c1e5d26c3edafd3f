# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of documents: their spelling, the licence of every file, and the site that is built of guides and modules."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from . import _checkout, _venvs
from ._run import CACHE, LOGS, GateFailed, run, say

FQCN = f"{_checkout.NAMESPACE}.{_checkout.NAME}"
_TROUBLE = re.compile(r"WARNING|ERROR|CRITICAL")
# Without a network, the indexes of other sites are not there, nor what is in them: plugins of ansible-core, pages of
# its documentation.
_OF_OTHERS = re.compile(
    r"failed to reach any of the inventories|intersphinx|undefined label: '(?!ansible_collections\.mailops\.)"
)


def _docs() -> _venvs.Venv:
    return _venvs.venv("docs", _venvs.python_for("antsibull-docs", (3, 12), (3, 13)), "docs.txt")


def spelling(dummy_arguments: Sequence[str]) -> None:
    """`make spelling`; words that are right all the same are in pyproject.toml.

    Not the tests, which are full of mistakes that somebody could make.
    """
    venv = _docs()
    text = (".md", ".rst", ".py", ".yml", ".toml", ".txt")
    names = [name for name in _checkout.files() if name.endswith(text) and not name.startswith("tests/unit/")]
    run(f"codespell on {len(names)} files", [venv.command("codespell"), *names], limit=120, env=venv.environment())


def reuse(dummy_arguments: Sequence[str]) -> None:
    """`make reuse`"""
    venv = _docs()
    # a copy: the tool would look through .venv and .cache as well
    place = _checkout.copy_to(CACHE / "reuse")
    command: list[str | Path] = [venv.command("reuse"), "--no-multiprocessing", "lint", "--lines"]
    run("reuse lint", command, limit=120, env=venv.environment(), cwd=place)


def docsite(dummy_arguments: Sequence[str]) -> None:
    """`make docsite`: the site as docs.ansible.com makes it, in .cache/docsite/site/build/html."""
    venv = _docs()
    work = CACHE / "docsite"
    site = work / "site"
    _checkout.copy_to(work)
    shutil.rmtree(site, ignore_errors=True)
    # antsibull-docs wants folders that are its owner's alone
    site.mkdir(mode=0o700)
    (site / "rst").mkdir(mode=0o700)
    env = venv.environment(work)
    del env["PYTHONPATH"]
    antsibull = venv.command("antsibull-docs")
    current: list[str | Path] = ["--use-current", "--dest-dir"]
    run("preparing a site", [antsibull, "sphinx-init", *current, site, FQCN], limit=60, env=env, log="docsite-init")
    pages: list[str | Path] = ["--config-file", site / "antsibull-docs.cfg", "collection", "--cleanup", "everything"]
    run("writing its pages", [antsibull, *pages, *current, site / "rst", FQCN], limit=300, env=env, log="docsite-pages")
    run(
        "building it",
        [venv.command("sphinx-build"), "-M", "html", site / "rst", site / "build", "-c", site, "--keep-going"],
        limit=300,
        env=env,
        log="docsite",
    )
    lines = (LOGS / "docsite.log").read_text(encoding="utf-8", errors="replace").splitlines()
    ours = [line for line in lines if _TROUBLE.search(line) and not _OF_OTHERS.search(line)]
    for line in ours:
        say(f"   {line}")
    if ours:
        raise GateFailed(f"{len(ours)} warnings; all is in .cache/logs/docsite.log")
    say(f"   {site / 'build' / 'html' / 'index.html'}")
