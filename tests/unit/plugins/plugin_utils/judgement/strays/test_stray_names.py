# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What misspelt, translated and look-alike names were meant to be."""

from __future__ import annotations

import re

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement.strays.find import Kind, Meant, Reason
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement.strays.names import (
    WINDOWS_PROTOCOLS,
    recognize,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement.strays.words import (
    CLIENT_WORDS,
    DISABLED_BY_DEFAULT_WORDS,
    ENABLED_WORDS,
    LOOK_ALIKES,
    SERVER_WORDS,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import (
    PROTOCOLS_KEY,
    SIDES,
    VALUE_NAMES,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import dword
from hypothesis import given
from hypothesis import strategies as st

from .stray_machine import ON, Machine, only

# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "protocol", "reason"),
    [
        ("TLS 1,2", "TLS 1.2", Reason.SPELLING),
        ("TLS 1.2 ", "TLS 1.2", Reason.SPELLING),
        (" TLS 1.2", "TLS 1.2", Reason.SPELLING),
        ("TLS\u00a01.2", "TLS 1.2", Reason.SPELLING),
        ("\u200bTLS 1.2", "TLS 1.2", Reason.SPELLING),
        ("T\u200bLS 1.2", "TLS 1.2", Reason.SPELLING),
        ("TLS1.2", "TLS 1.2", Reason.SPELLING),
        ("TLS 12", "TLS 1.2", Reason.SPELLING),
        ("tls-1-2", "TLS 1.2", Reason.SPELLING),
        ("TLS_1_2", "TLS 1.2", Reason.SPELLING),
        ("TLSv1.2", "TLS 1.2", Reason.SPELLING),
        ("TLS 1·2", "TLS 1.2", Reason.SPELLING),
        ("TLS 1\u066b2", "TLS 1.2", Reason.SPELLING),  # Arabic decimal mark
        ("TLS \u0661.\u0662", "TLS 1.2", Reason.SPELLING),  # Arabic digits
        ("\uff34\uff2c\uff33 \uff11.\uff12", "TLS 1.2", Reason.SPELLING),  # full width
        ("1.2 TLS", "TLS 1.2", Reason.SPELLING),
        ("TLS 1.2.0", "TLS 1.2", Reason.SPELLING),
        ("«TLS 1.2»", "TLS 1.2", Reason.SPELLING),
        ("SSLv3", "SSL 3.0", Reason.SPELLING),
        ("SSL2", "SSL 2.0", Reason.SPELLING),
        ("SSL 2,0", "SSL 2.0", Reason.SPELLING),
        ("PCT1,0", "PCT 1.0", Reason.SPELLING),
        ("DTLS1.2", "DTLS 1.2", Reason.SPELLING),
        ("D-TLS 1.0", "DTLS 1.0", Reason.SPELLING),
        ("Multi Protocol Unified Hello", "Multi-Protocol Unified Hello", Reason.SPELLING),
        ("\u0422LS 1.2", "TLS 1.2", Reason.LOOK_ALIKE),  # Cyrillic Te
        ("\u03a4LS 1.1", "TLS 1.1", Reason.LOOK_ALIKE),  # Greek Tau
        ("TL\u0405 1.0", "TLS 1.0", Reason.LOOK_ALIKE),
        ("TLS l.2", "TLS 1.2", Reason.LOOK_ALIKE),
        ("TLS 1.O", "TLS 1.0", Reason.LOOK_ALIKE),
        ("Multi-Protocol Unif\u0456ed Hello", "Multi-Protocol Unified Hello", Reason.LOOK_ALIKE),
        ("TSL 1.2", "TLS 1.2", Reason.MISSPELLING),
        ("TLSS 1.3", "TLS 1.3", Reason.MISSPELLING),
        ("TSL 3.0", "SSL 3.0", Reason.MISSPELLING),
        ("Multi-Protocoll Unified Helo", "Multi-Protocol Unified Hello", Reason.MISSPELLING),
        ("ТЛС 1.2", "TLS 1.2", Reason.TRANSLATION),
        ("TLS 1.2 - Copy", "TLS 1.2", Reason.PART),
        ("Protocol TLS 1.2", "TLS 1.2", Reason.PART),
    ],
)
def test_protocol_names(name: str, protocol: str, reason: Reason) -> None:
    stray = only({name: {}})
    assert (stray.kind, stray.key, stray.name) == (Kind.UNKNOWN_PROTOCOL, f"{PROTOCOLS_KEY}\\{name}", None)
    assert (stray.meant, stray.reason) == (Meant(protocol), reason)


@pytest.mark.parametrize(
    "name",
    [
        "TLS 1.4",
        "TLS 2.0",
        "SSL 1.0",
        "DTLS 1.3",
        "TLS",
        "1.2",
        "TLS 1.20",
        "TLS 1.2.3",
        "SSL 3des",
        "New Key #1",
        "Ciphers",
        "xyz",
    ],
)
def test_names_that_nobody_can_explain_are_reported_without_a_guess(name: str) -> None:
    stray = only({name: {}})
    assert (stray.kind, stray.meant, stray.reason) == (Kind.UNKNOWN_PROTOCOL, None, Reason.UNRECOGNIZED)
    assert stray.message == f"{name} is no protocol that Windows knows, and is ignored. What was meant is not clear."


@pytest.mark.parametrize(
    ("name", "side", "reason"),
    [
        ("Client ", "Client", Reason.SPELLING),
        ("Cli-ent", "Client", Reason.SPELLING),
        ("\uff23lient", "Client", Reason.SPELLING),
        ("\u0421lient", "Client", Reason.LOOK_ALIKE),  # Cyrillic Es
        ("Server\u200d", "Server", Reason.SPELLING),
        ("S\u0435rver", "Server", Reason.LOOK_ALIKE),
        ("\u0405\u0435\u0433\u03bd\u0435\u0433", "Server", Reason.LOOK_ALIKE),
        ("CIient", "Client", Reason.LOOK_ALIKE),
        ("Clïent", "Client", Reason.LOOK_ALIKE),
        ("Clinet", "Client", Reason.MISSPELLING),
        ("Clients", "Client", Reason.MISSPELLING),
        ("Sever", "Server", Reason.MISSPELLING),
        ("Client.bak", "Client", Reason.PART),
        ("old Server", "Server", Reason.PART),
        ("クライアント", "Client", Reason.TRANSLATION),
        ("サーバー", "Server", Reason.TRANSLATION),
        ("服务器", "Server", Reason.TRANSLATION),
        ("클라이언트", "Client", Reason.TRANSLATION),
        ("לקוח", "Client", Reason.TRANSLATION),
        ("serveur", "Server", Reason.TRANSLATION),
        ("klientų", "Client", Reason.TRANSLATION),
        ("\u039alient", "Client", Reason.TRANSLATION),  # Greek Kappa in a Polish word
    ],
)
def test_side_names(name: str, side: str, reason: Reason) -> None:
    # both sides are there, so that elimination has nothing to say
    machine = Machine({"TLS 1.1\\Client": ON, "TLS 1.1\\Server": ON, f"TLS 1.1\\{name}": ON})
    (stray,) = machine.judged()
    assert (stray.kind, stray.meant, stray.reason) == (Kind.UNKNOWN_SIDE, Meant("TLS 1.1", (side,)), reason)


@pytest.mark.parametrize("name", ["Client/Server", "Asiakas Palvelin", "ServerClient", "silent"])
def test_side_names_that_say_nothing_or_both(name: str) -> None:
    machine = Machine({"TLS 1.1\\Client": ON, "TLS 1.1\\Server": ON, f"TLS 1.1\\{name}": ON})
    (stray,) = machine.judged()
    assert (stray.meant, stray.reason) == (None, Reason.UNRECOGNIZED)


@pytest.mark.parametrize(
    ("name", "meant", "reason"),
    [
        ("Enabled ", "Enabled", Reason.SPELLING),
        ("Disabled By Default", "DisabledByDefault", Reason.SPELLING),
        ("\u0415nabled", "Enabled", Reason.LOOK_ALIKE),
        ("Enab1ed", "Enabled", Reason.LOOK_ALIKE),
        ("Enable", "Enabled", Reason.MISSPELLING),
        ("DisableByDefault", "DisabledByDefault", Reason.MISSPELLING),
        ("Disabled", "DisabledByDefault", Reason.TRANSLATION),
        ("Standardmäßig deaktiviert", "DisabledByDefault", Reason.TRANSLATION),
        ("ei käytössä", "DisabledByDefault", Reason.TRANSLATION),
        ("käytössä", "Enabled", Reason.TRANSLATION),
        ("Enabled_old", "Enabled", Reason.PART),
    ],
)
def test_value_names(name: str, meant: str, reason: Reason) -> None:
    stray = only({"TLS 1.0\\Server": {**ON, name: dword(0)}})
    assert (stray.kind, stray.name, stray.meant) == (
        Kind.UNKNOWN_VALUE,
        name,
        Meant("TLS 1.0", ("Server",), meant),
    )
    assert stray.reason is reason


@pytest.mark.parametrize("name", ["Comment", "EnabledByDefault", "неактивиран", "silent"])
def test_value_names_that_nobody_can_explain(name: str) -> None:
    stray = only({"TLS 1.0\\Server": {**ON, name: dword(0)}})
    assert (stray.meant, stray.reason) == (None, Reason.UNRECOGNIZED)


def test_the_message_shows_what_the_eye_does_not_see() -> None:
    machine = Machine({"TLS\u00a01.2": {}, " TLS 1.1": {}, "\u0422LS 1.0": {}})
    assert [re.split(r" is no | \(", stray.message)[::2] for stray in machine.judged()] == [
        ["TLS<U+00A0>1.2", "it differs only in blanks, punctuation or invisible characters)."],
        ['" TLS 1.1"', "it differs only in blanks, punctuation or invisible characters)."],
        ["\u0422LS 1.0", "it is written with characters that only look alike: U+0422)."],
    ]


# --- laws ------------------------------------------------------------------------------------------------------------

MARKS = st.text(st.sampled_from(" \u00a0\u200b\u2009.,·_-'\"«»\u066b"), max_size=2)


@given(st.sampled_from(WINDOWS_PROTOCOLS[:-1]), st.lists(MARKS, min_size=4, max_size=4), st.booleans())
def test_no_blank_or_decimal_mark_hides_a_protocol(name: str, marks: list[str], small: bool) -> None:
    family, major, minor = re.split(r"[ .]", name.lower() if small else name)
    found = recognize(f"{marks[0]}{family}{marks[1]}{major}{marks[2]}{minor}{marks[3]}")
    assert found.protocol == name
    assert found.reason in (Reason.SPELLING, Reason.PLACE)


LATIN = {latin: [letter for letter in letters if letter.isalpha()] for latin, letters in LOOK_ALIKES.items()}


@given(st.data(), st.sampled_from([*WINDOWS_PROTOCOLS, *SIDES, *VALUE_NAMES]))
def test_no_look_alike_hides_a_name(data: st.DataObject, name: str) -> None:
    places = [place for place, letter in enumerate(name) if letter.lower() in LATIN]
    changed = list(name)
    for place in data.draw(st.sets(st.sampled_from(places), min_size=1)):
        changed[place] = data.draw(st.sampled_from(LATIN[name[place].lower()]))
    found = recognize("".join(changed))
    assert name in (found.protocol, found.side, found.value)
    assert found.reason is Reason.LOOK_ALIKE


def words(text: str) -> list[str]:
    """The words of one table, without the names of the languages."""
    return [word.strip() for word in re.split(r"[,;\n]", re.sub(r"[a-z ]+:", ",", text)) if word.strip()]


def test_every_word_means_what_its_table_says_and_only_that() -> None:
    tables = {
        CLIENT_WORDS: ("Client", None),
        SERVER_WORDS: ("Server", None),
        ENABLED_WORDS: (None, "Enabled"),
        DISABLED_BY_DEFAULT_WORDS: (None, "DisabledByDefault"),
    }
    assert min(len(words(text)) for text in tables) > 40
    for text, meaning in tables.items():
        for word in words(text):
            found = recognize(word)
            assert ((found.side, found.value), found.protocol) == (meaning, None), word
            assert (recognize(word.upper()).side, recognize(f" {word.title()}").value) == meaning, word


def test_every_look_alike_is_one_character_that_is_not_the_letter() -> None:
    for latin, letters in LOOK_ALIKES.items():
        assert len(set(letters)) == len(letters), latin
        assert not any(letter.isascii() for letter in letters), latin
    everything = "".join(LOOK_ALIKES.values())
    assert len(set(everything)) == len(everything)


@given(st.text(max_size=20))
def test_any_name_is_judged_and_at_most_one_thing_is_found(name: str) -> None:
    found = recognize(name)
    kinds = [found.protocol is not None, found.side is not None and found.protocol is None, found.value is not None]
    assert sum(kinds) == (found.reason is not Reason.UNRECOGNIZED)
