# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.fuzz.run TARGET --seconds N: one target of targets.py with atheris, from its seeds in the corpus.

What it learns is kept in .cache/fuzz/TARGET; input that it fails with is written there as crash-*, and the command that
repeats it is said. With files behind the name it runs those alone, without atheris.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import sys
from typing import Any

from tests.fuzz.mutations import TOKENS
from tests.gates import _checkout
from tests.gates._run import CACHE

CORPUS = pathlib.Path(__file__).parent / "corpus"
_LONGEST_INPUT = 20_000
# What one input may take, in seconds and in MB: a machine that is busy takes longer.
_SLOWEST, _MOST_MEMORY = 20, 2048


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run")
    parser.add_argument("target", choices=sorted(path.name for path in CORPUS.iterdir()))
    parser.add_argument("files", nargs="*", type=pathlib.Path, help="run these, and nothing else")
    parser.add_argument("--seconds", type=int, default=60)
    given = parser.parse_args()
    if given.files:
        target = _target(given.target)
        for path in given.files:
            target(path.read_bytes())
            print(f"{path}: well")
        return
    import atheris  # type: ignore[import-not-found, unused-ignore]  # it does not install everywhere

    with atheris.instrument_imports(include=["ansible_collections"]):
        target = _target(given.target)
    kept = CACHE / "fuzz" / given.target
    kept.mkdir(parents=True, exist_ok=True)
    words = kept.parent / "words.txt"
    words.write_text("".join(_as_word(token) for token in TOKENS if len(token) <= 60), encoding="ascii")
    options = (
        f"-max_total_time={given.seconds}",
        f"-max_len={_LONGEST_INPUT}",
        f"-timeout={_SLOWEST}",
        f"-rss_limit_mb={_MOST_MEMORY}",
        f"-artifact_prefix={kept}/",
        f"-dict={words}",
        "-print_final_stats=1",
    )
    # new inputs are added to the first folder
    atheris.Setup([sys.argv[0], *options, str(kept), str(CORPUS / given.target)], target)
    atheris.Fuzz()


def _target(name: str) -> Any:
    collections = str(_checkout.link())
    os.environ.update(_checkout.environment())
    with contextlib.suppress(ValueError):
        sys.path.remove(collections)
    sys.path.insert(0, collections)
    from tests.fuzz.targets import TARGETS

    return TARGETS[name]


def _as_word(token: bytes) -> str:
    """A token as libFuzzer reads it."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in token) + '"\n'


if __name__ == "__main__":
    _main()
