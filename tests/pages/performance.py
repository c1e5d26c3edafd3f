# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fleet costs: a table and a picture from tests/data/performance.json, of which `make bench` writes a part."""

from __future__ import annotations

import base64
import functools
import io
import json
import typing as t

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from .parts import DATA, ROOT, Part, list_table

MEASURED = DATA / "performance.json"
PICTURE = ROOT / "docs" / "performance.svg"
FLOOR = "nothing (floor)"
# What is drawn, of what is measured, as what.
DRAWN = {
    "audit, all six, full": "audit, one task",
    "enforce, no change, full": "enforce, one task",
    "audit-tls12.yml, full": "audit-tls12.yml",
    "enforce-tls12.yml, no change": "enforce-tls12.yml",
}
SIDES = {"cpu": "processor time", "wall": "time"}
ALT = "Cost of audit and enforce by the number of servers, in times of a task that does nothing"
# The same on every machine and at every time: ids from a fixed salt, text as text.
_STYLE = {
    "svg.hashsalt": "mailops.exchange_tls",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_NO_DATE = {"Date": None, "Creator": None}


def record(runs: t.Mapping[str, t.Any]) -> None:
    """Keeps what `make bench` has measured, in the place of what it measured before."""
    content = {**_data(), "bench": runs}
    MEASURED.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _data() -> dict[str, t.Any]:
    content: dict[str, t.Any] = json.loads(MEASURED.read_text(encoding="utf-8"))
    return content


def costs() -> dict[str, dict[int, dict[str, float]]]:
    """By task and number of servers."""
    found: dict[str, dict[int, dict[str, float]]] = {}
    for row in _data()["bench"]["costs"]:
        found.setdefault(row["task"], {})[row["hosts"]] = row["cost"]
    return found


def times(side: str, task: str) -> dict[int, float]:
    """How many times what the task that does nothing takes, by the number of servers."""
    found = costs()
    return {hosts: cost[side] / found[FLOOR][hosts][side] for hosts, cost in found[task].items()}


def sides() -> dict[str, str]:
    """What can be told of it: time tells something only where no other work was on the machine."""
    bench = _data()["bench"]
    return {side: label for side, label in SIDES.items() if side == "cpu" or bench["load"] < bench["cores"] / 2}


def table() -> str:
    """What was measured on what, the picture, the table of it, and what was measured otherwise."""
    bench, others = (_data()[name] for name in ("bench", "others"))
    found = costs()
    hosts = list(found[FLOOR])
    counts = f"{', '.join(map(str, hosts[:-1]))} and {hosts[-1]}" if len(hosts) > 1 else str(hosts[0])
    rows: list[tuple[str, ...]] = [("task", "requests", "KB sent", "KB received", *sides().values())]
    for task, by_hosts in found.items():
        cost = by_hosts[hosts[-1]]
        ratios = [" / ".join(f"{ratio:.1f}" for ratio in times(side, task).values()) for side in sides()]
        rows.append((task, *(f"{cost[key]:.0f}" for key in ("requests", "sent", "received")), *ratios))
    shown = " and ".join(f"{label} (of the controller)" if side == "cpu" else label for side, label in sides().items())
    busy = f"\nOther work was on the machine (a load of {bench['load']}), so that nothing is said of time."
    where = f"{bench['cores']} cores, with {bench['on']}.{busy if len(sides()) == 1 else ''}"
    return "\n".join(
        [
            f"Measured by ``make bench`` on {where}",
            f"The {shown} at {counts} servers: how many times what the task that does nothing takes.",
            "",
            f".. image:: data:image/svg+xml;base64,{base64.b64encode(picture().encode()).decode()}",
            f"   :alt: {ALT}",
            "",
            list_table((34, 11, 11, 13, 18, 13)[: len(rows[0])], rows),
            "Measured otherwise, on the same kind of servers:",
            "",
            list_table(
                (40, 30, 30),
                [("what", "cost", "how it was measured"), *((row["what"], row["cost"], row["how"]) for row in others)],
            ),
        ]
    )


PART = Part("guide_performance", table)


@functools.cache
def picture() -> str:
    """As SVG."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        panels = sides()
        width = 4.8 * len(panels)
        figure = Figure(figsize=(width, 4.2))
        for place, (side, label) in enumerate(panels.items()):
            axes = figure.add_axes(((0.6 + 4.7 * place) / width, 0.34, 3.95 / width, 0.57))
            for task, name in DRAWN.items():
                points = times(side, task)
                axes.plot(list(points), list(points.values()), marker="o", markersize=4, label=name)
            axes.axhline(1, color="0.5", linestyle="--", linewidth=1, label="a task that does nothing")
            axes.set(title=label, xlabel="servers", xticks=list(points))
            axes.set_ylim(bottom=0)
            if not place:
                axes.set_ylabel("times a task that does nothing")
                told = axes.get_legend_handles_labels()
                figure.legend(*told, loc="lower center", ncols=len(panels) + 1, frameon=False)
        text = io.StringIO()
        FigureCanvasSVG(figure).print_svg(text, metadata=_NO_DATE)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())
