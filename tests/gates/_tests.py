# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets that run things: the tests, the demo, the benchmark."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable, Mapping, Sequence

from . import _checkout, _venvs
from ._run import CACHE, ROOT, GateFailed, GateSkipped, left_out, output_of, run, run_all, say

# Seconds that a run of the tests may take, whatever happens in it; it takes about six minutes on two cores.
TEST_LIMIT = 1200
# The room that joins the wire to the connection plugins, and what Python leaves.
_NOT_PURE = ("transport", "__pycache__")
# What came of each test when all of them ran, for `make pages ARGS=--results`.
_JUNIT, _KERBEROS = CACHE / "junit", "kerberos"


def pytest(
    what: str,
    venv: _venvs.Venv,
    *arguments: str,
    limit: float = TEST_LIMIT,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run pytest in a virtual environment, its output shown as it comes. ``env``: unless it is set outside."""
    _checkout.link()
    wanted = {name: os.environ.get(name, value) for name, value in (env or {}).items()}
    run(what, [venv.python, "-m", "pytest", *arguments], limit=limit, env={**wanted, **venv.environment()})


# Of the examples that a law names, in percent: some in every run, fewer of them on further Pythons, other and more of
# them in a long one.
_SOME, _FEWER, _ALL, MANY = ({"TEST_EXAMPLES": percent} for percent in ("35", "20", "100", "2000"))
# What is run with all of them by itself: with fewer, these disturb some requests of a run, then each.
_CUTS = ("anywhere", "restart", "maintenance")


def workers(*, by_file: bool = True) -> list[str]:
    """Three processes share the work, file by file, so that a file's lab is one; TEST_WORKERS=0 turns that off.

    One more than two cores have: in many tests a host is waited for.

    In the order of tests/conftest.py, the longest files first: by the number of tests, which is the default, those that
    take longest come last. Where no file has a lab, test by test: then none is left alone with a long file.
    """
    count = os.environ.get("TEST_WORKERS", "3")
    how = ["--dist", "loadfile", "--no-loadscope-reorder"] if by_file else ["--dist", "worksteal"]
    return ["-n", count, *how]


def test(arguments: Sequence[str]) -> None:
    """`make test`"""
    _parts("integration and unit tests", arguments, "integration", "unit")


def test_unit(arguments: Sequence[str]) -> None:
    """`make test-unit`"""
    _parts("unit tests", arguments, "unit")


def _parts(what: str, arguments: Sequence[str], *names: str) -> None:
    """The tests of the pure rooms where there is no Ansible, and all others; what is named by ARGS, in one go."""
    chosen = chosen_of(arguments, *names)
    every = ["-m", "not kerberos and not awx"]
    if arguments:
        pytest(what, _venvs.default_venv(), *every, *workers(), *chosen, env=_SOME)
        return
    rooms = pure_rooms()
    ignored = [f"--ignore={room}" for room in rooms]
    # the unit tests alone are not all
    kept, kept_too = (_junit(name) if "integration" in names else () for name in ("rooms", "others"))
    pure = [*every, *workers(by_file=False), *kept, *rooms]
    others = [*every, *workers(), *kept_too, *ignored, *chosen]

    def prepare() -> None:
        _venvs.default_venv()

    _one_after_the_other(
        # the second environment is made while the tests in the first run
        (lambda: pytest("tests of the rooms that need no Ansible", _venvs.pure_venv(), *pure, env=_SOME), prepare),
        (lambda: pytest(f"other {what}", _venvs.default_venv(), *others, env=_SOME),),
    )


def _one_after_the_other(*stages: Sequence[Callable[[], None]]) -> None:
    """The steps of each stage side by side, and those of the next also after one has failed."""
    failures = []
    for steps in stages:
        try:
            run_all(*steps, at_once=len(steps))
        except GateFailed as failure:
            failures.append(str(failure))
    if failures:
        raise GateFailed("; ".join(failures))


def _junit(name: str) -> tuple[str, ...]:
    """Has pytest write what comes of each test; what came of it before is gone."""
    path = _JUNIT / f"{name}.xml"
    path.unlink(missing_ok=True)
    return (f"--junit-xml={path}",)


def pure_rooms() -> list[str]:
    """The folders with the tests of the rooms of plugin_utils that import neither Ansible nor requests."""
    folders = (ROOT / "tests/unit/plugins/plugin_utils").iterdir()
    names = sorted(folder.name for folder in folders if folder.is_dir() and folder.name not in _NOT_PURE)
    return [f"tests/unit/plugins/plugin_utils/{name}" for name in names]


def test_integration(arguments: Sequence[str]) -> None:
    """`make test-integration`"""
    venv = _venvs.default_venv()
    chosen = chosen_of(arguments, "integration")
    pytest("integration tests", venv, "-m", "not kerberos and not awx", *workers(), *chosen, env=_SOME)


def cuts(arguments: Sequence[str]) -> None:
    """`make cuts`"""
    files = [f"tests/integration/test_cut_{name}.py" for name in _CUTS]
    what = "a disturbance at each request, in each way"
    # whatever is set outside
    os.environ.pop("TEST_EXAMPLES", None)
    pytest(what, _venvs.default_venv(), *workers(), *arguments, *files, limit=6 * 3600, env=_ALL)


def chosen_of(arguments: Sequence[str], *names: str) -> list[str]:
    """The arguments, and the folders of the target unless the arguments name files or folders themselves."""
    if any((ROOT / argument.split("::")[0]).exists() for argument in arguments):
        return list(arguments)
    found = [f"tests/{name}" for name in names if (ROOT / "tests" / name).is_dir()]
    if not found:
        raise GateFailed(f"there is no folder tests/{' or tests/'.join(names)}")
    return [*arguments, *found]


def matrix(arguments: Sequence[str]) -> None:
    """`make matrix`: unit tests and the integration tests marked `smoke`, or the arguments, on every ansible-core.

    Not those of the lab, of the checkout itself and of bytes, to which Ansible is all the same. Those of the rooms that
    need none either run with the oldest and the newest Python; `make test` runs them with the one at hand.
    """
    marks = "not kerberos and not awx and (smoke or not integration)"
    chosen = list(arguments) or [
        "-m",
        marks,
        "--ignore=tests/unit/lab",
        "--ignore-glob=tests/unit/test_*.py",
        *chosen_of((), "integration", "unit"),
    ]
    skipped: list[str] = []
    default = (_core_of(_venvs.default_venv()), _venvs.default_venv().python_version())

    def on(core: str) -> None:
        try:
            venv = _venvs.core_venv(core)
        except GateSkipped as reason:
            skipped.append(core)
            left_out(f"ansible-core {core}", reason)
        else:
            version = venv.python_version()
            if not arguments and (core, version) == default:
                say(f"-- ansible-core {core} on Python {version} is what `make test` runs")
                return
            is_between = core not in (min(_venvs.CORES), max(_venvs.CORES))
            ignored = [f"--ignore={room}" for room in pure_rooms()] if is_between and not arguments else []
            pytest(f"tests on ansible-core {core}, Python {version}", venv, *workers(), *ignored, *chosen, env=_FEWER)

    run_all(*(functools.partial(on, core) for core in _venvs.CORES))
    if len(skipped) == len(_venvs.CORES):
        raise GateFailed("the tests ran on no ansible-core at all")


def _core_of(venv: _venvs.Venv) -> str:
    """The first two numbers of its ansible-core."""
    code = "from importlib.metadata import version; print(*version('ansible-core').split('.')[:2], sep='.')"
    return output_of([venv.python, "-c", code], limit=30).strip()


def demo(arguments: Sequence[str]) -> None:
    """`make demo`"""
    venv = _venvs.default_venv()
    _checkout.link()
    run("demo", [venv.python, *_program("demo", "run"), *arguments], limit=600, env=venv.environment())


def bench(arguments: Sequence[str]) -> None:
    """`make bench`"""
    venv = _venvs.default_venv()
    _checkout.link()
    run("benchmark", [venv.python, *_program("bench", "run"), *arguments], limit=3600, env=venv.environment())


def fleet(arguments: Sequence[str]) -> None:
    """`make fleet`"""
    venv = _venvs.default_venv()
    _checkout.link()
    run("fleet", [venv.python, *_program("bench", "fleet"), *arguments], limit=6 * 3600, env=venv.environment())


def chaos(arguments: Sequence[str]) -> None:
    """`make chaos`"""
    venv = _venvs.default_venv()
    _checkout.link()
    run("chaos", [venv.python, *_program("bench", "chaos"), *arguments], limit=6 * 3600, env=venv.environment())


def pages(arguments: Sequence[str]) -> None:
    """`make pages`"""
    if "--results" in arguments and not (_JUNIT / f"{_KERBEROS}.xml").exists():
        raise GateSkipped("claims have tests with Kerberos, and there are no results of `make kerberos`")
    venv = _venvs.default_venv()
    _checkout.link()
    run("pages", [venv.python, "-m", "tests.pages", *arguments], limit=120, env=venv.environment())


def _program(folder: str, name: str) -> list[str]:
    """tests/FOLDER/NAME(.py) as arguments of the interpreter: a module, so that tests.* can be imported."""
    place = ROOT / "tests" / folder
    if (place / f"{name}.py").exists():
        return ["-m", f"tests.{folder}.{name}"]
    if (place / name).exists():
        return [str(place / name)]
    raise GateFailed(f"tests/{folder}/{name} does not exist")


def clean(dummy_arguments: Sequence[str]) -> None:
    """`make clean`"""
    for place in (_venvs.VENVS, CACHE):
        if place.exists():
            say(f"-- removing {place.name}")
            shutil.rmtree(place)


def kerberos(arguments: Sequence[str]) -> None:
    """`make kerberos`"""
    kept = () if arguments else _junit(_KERBEROS)
    search = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
    needed = ("krb5kdc", "kdb5_util", "kadmin.local", "kinit", "krb5-config")
    if missing := [name for name in needed if not shutil.which(name, path=search)]:
        raise GateSkipped(
            f"{', '.join(missing)} cannot be found "
            "(Debian and Ubuntu: apt-get install krb5-kdc krb5-admin-server krb5-user libkrb5-dev gcc)"
        )
    os.environ["PATH"] = search
    venv = _venvs.venv("kerberos", _venvs.any_python(), "core-default.txt", "pure.txt", "test.txt", "kerberos.txt")
    pytest("Kerberos tests", venv, "-m", "kerberos", *kept, *chosen_of(arguments, "unit", "integration"))
