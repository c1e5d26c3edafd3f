# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The report as one HTML file: the page of ``_report``, put into its template. Jinja2 comes with ansible-core."""

from __future__ import annotations

import functools
import pathlib
import typing as t

import jinja2
from markupsafe import Markup

from ._report import page
from ._text import visible

TEMPLATE = pathlib.Path(__file__).parent / "_report" / "_data" / "report_html.j2"
# A text of a server that is longer is cut, and says so.
_LONGEST = 600


def report(result: t.Mapping[str, t.Any]) -> str:
    """The file. Every text is shown with what is invisible in it, and escaped."""
    return _template().render(page.view(result))


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8"))


def _shown(value: t.Any) -> t.Any:
    """What Jinja2 hands over for each expression, before it escapes it."""
    return value if isinstance(value, (Markup, int, jinja2.Undefined)) else visible(value, _LONGEST)
