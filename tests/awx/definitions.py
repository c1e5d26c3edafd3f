# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The definitions of playbooks/awx, as Ansible would hand them to the modules of awx.awx."""

from __future__ import annotations

import functools
import pathlib
import typing as t

import jinja2.meta
import jinja2.nativetypes
import yaml
from ansible.plugins.filter.core import FilterModule

ROOT = pathlib.Path(__file__).parent.parent.parent
FOLDER = ROOT / "playbooks" / "awx"
CONFIGURE = FOLDER / "configure.yml"
# In the order in which configure.yml reads them.
FILES = tuple(FOLDER / "vars" / f"{name}.yml" for name in ("settings", "infrastructure", "templates"))
# What somebody has to say.
GIVEN: dict[str, t.Any] = {
    "awx_tls_project_url": "https://git.example.com/exchange_tls.git",
    "awx_tls_image": "registry.example.com/exchange-tls:1",
    "awx_tls_user": r"EXAMPLE\exadmin",
    "awx_tls_password": "01234567",
    "awx_tls_servers": ["ex01.example.com", "ex02.example.com"],
    "awx_tls_notifications": ["Mail to the Exchange team"],
}


class _Unsafe(str):
    """A text that is no template."""

    __slots__ = ()


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # yaml tells no types
    """YAML with Ansible's tag for texts that are no templates."""


_Loader.add_constructor("!unsafe", lambda loader, node: _Unsafe(loader.construct_scalar(node)))


def load(path: pathlib.Path) -> t.Any:
    """The content of a file, with templates as they stand there."""
    return yaml.load(path.read_text(encoding="utf-8"), _Loader)


def rendered(**given: t.Any) -> dict[str, t.Any]:
    """All variables of the definitions, templates resolved; given wins, as ``-e`` does."""
    variables: dict[str, t.Any] = {}
    for path in FILES:
        variables |= load(path)
    variables |= {**GIVEN, **given}
    environment = jinja2.nativetypes.NativeEnvironment(undefined=jinja2.StrictUndefined)
    environment.filters.update(FilterModule().filters())
    environment.globals["lookup"] = lambda *_arguments, **_keywords: ""
    done: dict[str, t.Any] = {}

    class Lazy(dict[str, t.Any]):
        """The variables, each resolved when another one asks for it."""

        def __missing__(self, name: str) -> t.Any:
            if name not in variables:
                raise KeyError(name)
            if name not in done:
                done[name] = resolve(variables[name])
            return done[name]

    def resolve(node: t.Any) -> t.Any:
        if isinstance(node, dict):
            return {key: resolve(value) for key, value in node.items()}
        if isinstance(node, list):
            return [resolve(item) for item in node]
        if isinstance(node, str) and not isinstance(node, _Unsafe) and "{{" in node:
            names = jinja2.meta.find_undeclared_variables(environment.parse(node)) - set(environment.globals)
            return environment.from_string(node).render({name: Lazy()[name] for name in names})
        return str(node) if isinstance(node, str) else node

    lazy = Lazy()
    return {name: lazy[name] for name in variables}


@functools.cache
def definitions() -> dict[str, t.Any]:
    """What :func:`rendered` gives where only what is needed was said. Not to be changed."""
    return rendered()


def templates() -> dict[str, dict[str, t.Any]]:
    """The job templates by the last part of their names, such as ``enforce by DAG``."""
    prefix = definitions()["awx_tls_prefix"]
    return {item["name"].removeprefix(f"{prefix} "): item for item in definitions()["controller_templates"]}
