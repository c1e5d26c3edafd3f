# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What a misspelt or translated registry name was probably meant to be. Pure; by rule, with words as help."""

from __future__ import annotations

import dataclasses
import enum
import functools
import re
import typing as t
import unicodedata

from ..._schannel.names import same
from ..._schannel.protocols import (
    CLIENT,
    DISABLED_BY_DEFAULT,
    ENABLED,
    PROTOCOLS,
    SERVER,
    SIDES,
    UNIFIED_HELLO,
    VALUE_NAMES,
)
from . import words

# Every name that Windows looks for below Protocols (docs/reference/schannel.md 1.1). The longest one, which is
# least like what people write, is tried last.
WINDOWS_PROTOCOLS = (*(name for name in PROTOCOLS if name != UNIFIED_HELLO), UNIFIED_HELLO)


# A host is looked through several times; with thousands of strays, a memory that holds fewer names than it has is none.
_REMEMBERED = 16_384


class Reason(enum.Enum):
    """How the meaning of a stray was found. Stable: people keep these in reports."""

    PLACE = "place"  # the name is right, but Windows does not look for it there
    SPELLING = "spelling"  # right but for blanks, marks or invisible characters
    LOOK_ALIKE = "look_alike"  # a letter or digit that only looks like the right one
    TRANSLATION = "translation"  # or another English word: see is_foreign
    MISSPELLING = "misspelling"
    PART = "part_of_name"  # the name says it among other things, such as "Client.old"
    ELIMINATION = "elimination"  # the only name left over for the only one that is missing
    UNRECOGNIZED = "unrecognized"


@dataclasses.dataclass(frozen=True)
class Guess:
    """What a name alone says. At most one of ``protocol`` (perhaps with ``side``), ``side`` and ``value`` is found."""

    reason: Reason
    protocol: str | None = None
    side: str | None = None
    value: str | None = None


NOTHING = Guess(Reason.UNRECOGNIZED)


# No key has a longer name, and nobody slips into one; a value may have one of 16,383 characters.
_LONGEST = 255


def recognize(name: str) -> Guess:
    """The protocol, side or value that the name was probably meant to be; NOTHING where no rule knows it."""
    return _protocol(name) or side_of(name) or value_of(name) or NOTHING


@functools.lru_cache(maxsize=_REMEMBERED)
def side_of(name: str) -> Guess | None:
    """The side that a name means."""
    found = _word(name, SIDES, _SIDE_WORDS, forms=True)
    return Guess(found[1], side=found[0]) if found else None


@functools.lru_cache(maxsize=_REMEMBERED)
def value_of(name: str) -> Guess | None:
    """The value that a name means."""
    # no inflected forms: in many languages "disabled" is "enabled" with two more letters
    found = _word(name, VALUE_NAMES, _VALUE_WORDS, forms=False)
    return Guess(found[1], value=found[0]) if found else None


# --- protocols -------------------------------------------------------------------------------------------------------

_DIGITS = r"(?:version|ver|v)?[\W_]*(?P<major>[0-9oil|])(?:[\W_]*(?P<minor>[0-9oil|]))?(?:[\W_]+0+)*(?![0-9])"
_FAMILY_FIRST = re.compile(rf"(?<![^\W_])(?P<family>d[\W_]*tls|tls|ssl|pct)[\W_]*{_DIGITS}")
_VERSION_FIRST = re.compile(
    r"^[\W_]*v?(?P<major>[0-9])(?:[\W_]*(?P<minor>[0-9]))?[\W_]*(?P<family>d?tls|ssl|pct)[\W_]*$"
)
_MISSPELT_FAMILY = re.compile(rf"^[\W_]*(?P<family>[a-z]{{2,5}})[\W_]*{_DIGITS}[\W_]*$")
_FAMILIES = ("tls", "ssl", "dtls", "pct")


@functools.lru_cache(maxsize=_REMEMBERED)
def _protocol(name: str) -> Guess | None:
    exact = same(name, WINDOWS_PROTOCOLS)
    if exact:
        return Guess(Reason.PLACE, protocol=exact)
    if len(name) > _LONGEST:
        return None
    plain, latin = _plain(name), _latin(name)
    for text, reason in (
        (plain, Reason.SPELLING),
        (latin, Reason.LOOK_ALIKE),
        (_family_translated(plain), Reason.TRANSLATION),
    ):
        if _joined(text) == _joined(_plain(UNIFIED_HELLO)):
            return Guess(reason, protocol=UNIFIED_HELLO)
        found = _FAMILY_FIRST.search(text)
        if found:
            return _version(found, reason, f"{text[: found.start()]} {text[found.end() :]}")
        found = _VERSION_FIRST.match(text)
        if found:
            return _version(found, reason, "")
    if _distance(_joined(latin), _joined(_plain(UNIFIED_HELLO))) <= 3:
        return Guess(Reason.MISSPELLING, protocol=UNIFIED_HELLO)
    found = _MISSPELT_FAMILY.match(latin)
    if found:
        near = [
            match
            for family in _FAMILIES
            if _distance(found["family"], family) == 1 and (match := _version(found, Reason.MISSPELLING, "", family))
        ]
        return near[0] if len(near) == 1 else None
    return None


def _version(found: re.Match[str], reason: Reason, rest: str, family: str = "") -> Guess | None:
    """The match of a family and a version; None for one that Windows does not know (nobody can say what was meant)."""
    given = [digit for digit in (found["major"], found["minor"]) if digit]
    left = _joined(rest)
    if not any(digit.isdigit() for digit in given) or any(character.isdigit() for character in left):
        return None
    major, minor = (*(digit.translate(_DIGIT_LOOK_ALIKES) for digit in given), "0")[:2]
    if reason is Reason.SPELLING and not all(digit.isdigit() for digit in given):
        reason = Reason.LOOK_ALIKE
    family = family or re.sub(r"[\W_]", "", found["family"])
    protocol = same(f"{family} {major}.{minor}", WINDOWS_PROTOCOLS)
    side = side_of(rest) if left else None
    if protocol is None or (found.string[found.end() : found.end() + 1].isalpha() and not side):
        return None
    if side:
        return Guess(reason if side.reason is Reason.PLACE else side.reason, protocol=protocol, side=side.side)
    return Guess(Reason.PART if left else reason, protocol=protocol)


def _family_translated(text: str) -> str:
    for foreign, family in words.FAMILY_WORDS.items():
        text = text.replace(foreign, family)
    return text


# --- sides and values ------------------------------------------------------------------------------------------------


def _word(
    name: str, known: t.Sequence[str], vocabulary: t.Mapping[str, str], *, forms: bool
) -> tuple[str, Reason] | None:
    exact = same(name, known)
    if exact:
        return exact, Reason.PLACE
    if len(name) > _LONGEST:
        return None
    plain, latin = _joined(_plain(name)), _joined(_latin(name))
    for item in known:
        if plain == item.lower():
            return item, Reason.SPELLING
    for item in known:
        if _blurred(latin) == _blurred(item.lower()):
            return item, Reason.LOOK_ALIKE
    bare = _joined(_bare(name))
    for text in (bare, latin):
        if text in vocabulary:
            return vocabulary[text], Reason.TRANSLATION
    inside = _inside(name, known, vocabulary)
    if inside:
        return inside
    near = _nearest(latin, {item.lower(): item for item in known}, least=4)
    if near:
        return near, Reason.MISSPELLING
    near = _nearest(bare, vocabulary, least=5) if forms else None
    return (near, Reason.TRANSLATION) if near else None


def _inside(name: str, known: t.Sequence[str], vocabulary: t.Mapping[str, str]) -> tuple[str, Reason] | None:
    """The longest run of words that means something, if all runs of that length agree."""
    tokens = re.findall(r"[^\W_]+", _bare(name))
    exact = {item.lower(): item for item in known}
    vocabulary = {**vocabulary, **exact}
    for length in range(min(len(tokens) - 1, max(map(len, vocabulary))), 0, -1):
        runs = ["".join(tokens[start : start + length]) for start in range(len(tokens) - length + 1)]
        found = {run: vocabulary[run] for run in runs if run in vocabulary}
        if len(set(found.values())) > 1:
            return None
        for run, meaning in found.items():
            return meaning, Reason.PART if run in exact else Reason.TRANSLATION
    return None


def _nearest(text: str, known: t.Mapping[str, str], least: int) -> str | None:
    """The meaning of the names within one slip of the pen for each four letters (two at most), if they agree."""
    near = {}
    for word in known:
        reach = min(2, len(word) // 4)
        if len(word) >= least and abs(len(word) - len(text)) <= reach and (away := _distance(text, word)) <= reach:
            near[word] = away
    best = {known[word] for word, away in near.items() if away == min(near.values())}
    return best.pop() if len(best) == 1 else None


# --- letters ---------------------------------------------------------------------------------------------------------

_LATIN = str.maketrans({letter: latin for latin, letters in words.LOOK_ALIKES.items() for letter in letters})
_DIGIT_LOOK_ALIKES = str.maketrans("oil|", "0111")
_BLUR = str.maketrans("0il|", "o111")


def _plain(name: str) -> str:
    """Case and width folded, digits of all scripts as 0 to 9, invisible characters gone."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(
        str(unicodedata.digit(character)) if character.isdigit() else character
        for character in text
        if unicodedata.category(character) not in ("Cf", "Cc")
    )


def _bare(name: str) -> str:
    """Plain, and without accents or other combining marks."""
    decomposed = unicodedata.normalize("NFKD", _plain(name))
    return "".join(character for character in decomposed if not unicodedata.category(character).startswith("M"))


def _latin(name: str) -> str:
    """Bare, with look-alikes as the Latin letters that they look like.

    Replaced before anything is folded, as small letters look like other letters than capitals do, and again after.
    """
    return _bare(unicodedata.normalize("NFKC", name.translate(_LATIN)).translate(_LATIN)).translate(_LATIN)


def _joined(text: str) -> str:
    return re.sub(r"[\W_]", "", text)


def _blurred(text: str) -> str:
    return text.translate(_BLUR)


def is_foreign(name: str) -> bool:
    """Whether a name that is another word for the right one is of another language than English."""
    if len(name) > _LONGEST:
        return False
    tokens = re.findall(r"[^\W_]+", _bare(name))
    longest = max(map(len, _ENGLISH))
    ends = range(len(tokens) + 1)
    runs = {"".join(tokens[start:end]) for end in ends for start in range(max(0, end - longest), end)}
    return runs.isdisjoint(_ENGLISH) and _nearest("".join(tokens), dict.fromkeys(_ENGLISH, ""), least=5) is None


def may_be_a_word(name: str) -> bool:
    """Whether a name that no rule knows may be a word of a language that no rule knows, so that its place allows a
    guess. ``Backup2019`` says itself that it is something else."""
    if len(name) > _LONGEST:
        return False
    tokens = re.findall(r"[^\W_]+", _bare(name))
    return not any(character.isdigit() for character in name) and not any(
        token == remark or (len(remark) > 3 and token.startswith(remark)) for token in tokens for remark in _REMARKS
    )


def look_alikes(name: str) -> tuple[str, ...]:
    """The characters of a name that are not what they seem, as code points: ``U+0421``."""
    return tuple(f"U+{ord(character):04X}" for character in dict.fromkeys(name) if ord(character) > 126)


def _distance(one: str, other: str) -> int:
    """Insertions, deletions, replacements and swaps of neighbours that lead from one to the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        previous, row, older = row, [i], before
        before = previous
        for j, right in enumerate(other, 1):
            cost = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]


# --- words -----------------------------------------------------------------------------------------------------------


def _vocabulary(meanings: t.Mapping[str, str]) -> dict[str, str]:
    """Folded word to meaning. Lines are ``languages: word, word; languages: word``; the languages are for people."""
    return {
        _joined(_bare(word)): meaning
        for meaning, text in meanings.items()
        for part in re.split(r"[;\n]", text)
        for word in part.rpartition(":")[2].split(",")
        if word.strip()
    }


_REMARKS = frozenset(_bare(word.strip()) for word in re.split(r"[,\n]", words.REMARKS) if word.strip())
# Lines that name no language are English.
_ENGLISH = frozenset(
    _joined(_bare(word))
    for text in (words.CLIENT_WORDS, words.SERVER_WORDS, words.ENABLED_WORDS, words.DISABLED_BY_DEFAULT_WORDS)
    for line in text.splitlines()
    if ":" not in line
    for word in line.split(",")
)
_SIDE_WORDS = _vocabulary({CLIENT: words.CLIENT_WORDS, SERVER: words.SERVER_WORDS})
_VALUE_WORDS = _vocabulary({ENABLED: words.ENABLED_WORDS, DISABLED_BY_DEFAULT: words.DISABLED_BY_DEFAULT_WORDS})
