# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people write for an endpoint, and what it means."""

from __future__ import annotations

import re

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._dialogue import Starttls
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._endpoint import (
    SCHEMES,
    dns_name,
    own_server_name,
    parse_endpoint,
    parse_endpoints,
    parse_server_name,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("smtp", "smtp://ex01:25"),
        ("SMTP", "smtp://ex01:25"),
        (" https ", "https://ex01:443"),
        ("smtp587", "smtp://ex01:587"),
        ("submission", "smtp://ex01:587"),
        ("submissions", "smtps://ex01:465"),
        ("smtps", "smtps://ex01:465"),
        ("imap", "imap://ex01:143"),
        ("imaps", "imaps://ex01:993"),
        ("pop3", "pop3://ex01:110"),
        ("pop3s", "pop3s://ex01:995"),
        ("lmtp", "lmtp://ex01:24"),
        ("smtp://:2525", "smtp://ex01:2525"),
        ("smtp:2525", "smtp://ex01:2525"),
        ("smtp://", "smtp://ex01:25"),
        ("https://mail.example.com", "https://mail.example.com:443"),
        ("https://mail.example.com/", "https://mail.example.com:443"),
        ("HTTPS://mail.example.com:8443", "https://mail.example.com:8443"),
        ("submission://mail.example.com", "smtp://mail.example.com:587"),
        ("tls://192.0.2.1:3389", "tls://192.0.2.1:3389"),
        ("tls:636", "tls://ex01:636"),
        ("imaps://[2001:db8::1]", "imaps://[2001:db8::1]:993"),
        ("https://[fe80::1%eth0]:8443", "https://[fe80::1%eth0]:8443"),
        ("mail.example.com:443", "https://mail.example.com:443"),
        ("mail.example.com:25", "smtp://mail.example.com:25"),
        ("[2001:db8::1]:993", "imaps://[2001:db8::1]:993"),
        ("https://köln.example", "https://köln.example:443"),
    ],
)
def test_what_it_means(text: str, name: str) -> None:
    assert parse_endpoint(text, "ex01").name == name


def test_dialogue_goes_with_the_protocol() -> None:
    found = {scheme: parse_endpoint(f"{scheme}://:1", "ex01").starttls for scheme in SCHEMES}
    assert {scheme for scheme, starttls in found.items() if starttls is Starttls.SMTP} == {
        "smtp",
        "smtp587",
        "submission",
    }
    assert {scheme for scheme, starttls in found.items() if starttls is None} == {
        "smtps",
        "submissions",
        "https",
        "imaps",
        "pop3s",
        "tls",
    }
    assert parse_endpoint("mail:587", "ex01").starttls is Starttls.SMTP


@pytest.mark.parametrize("host", ["2001:db8::1", "[2001:db8::1]"])
def test_default_host_may_be_an_ipv6_address(host: str) -> None:
    endpoint = parse_endpoint("smtp", host)
    assert (endpoint.host, endpoint.name) == ("2001:db8::1", "smtp://[2001:db8::1]:25")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is blank"),
        (" ", "is blank"),
        ("ex01", "is no protocol and no host with a port"),
        ("ftp://ex01", "unknown protocol 'ftp'"),
        ("ex01:2525", "does not say which protocol"),
        ("tls", "needs a port, as in tls://ex01:443"),
        ("tls://mail", "needs a port, as in tls://mail:443"),
        ("smtp://ex01:0", "from 1 to 65535"),
        ("smtp://ex01:65536", "from 1 to 65535"),
        ("smtp://ex01:", "is no host with a port"),
        ("smtp://ex01:25x", "is no host with a port"),
        ("smtp://user@ex01", "neither a host name nor an address"),
        ("https://ex01/owa", "neither a host name nor an address"),
        ("https://2001:db8::1", "in brackets"),
        ("https://[ex01]", "no IPv6 address"),
        ("https://[192.0.2.1]", "no IPv6 address"),
        ("https://a..b", "neither a host name nor an address"),
        ("https://192.0.2", "neither a host name nor an address"),
        ("https://ex 01", "neither a host name nor an address"),
        ("https://-x-", "neither a host name nor an address"),
        ("https://ex{01}", "neither a host name nor an address"),
    ],
)
def test_what_is_refused(text: str, reason: str) -> None:
    with pytest.raises(OptionError, match=re.escape(reason)) as caught:
        parse_endpoint(text, "ex01")
    assert f"'{text}'" in caught.value.message


def test_default_host_that_is_none() -> None:
    with pytest.raises(OptionError, match="'first mail server' is neither a host name nor an address"):
        parse_endpoint("smtp", "first mail server")


def test_all_bad_endpoints_are_named_with_what_is_allowed() -> None:
    with pytest.raises(OptionError, match="'endpoints': ") as caught:
        parse_endpoints(["ftp://a", "smtp", "b:9"], "ex01")
    message = caught.value.message
    assert "'ftp://a'" in message
    assert "'b:9'" in message
    assert "'smtp'" not in message
    assert all(scheme in message for scheme in SCHEMES)


@pytest.mark.parametrize("written", [[], ()])
def test_no_endpoint_proves_nothing_and_is_refused_unless_asked_for(written: object) -> None:
    with pytest.raises(OptionError, match=r"'endpoints' is empty, so there is nothing to try .* \[smtp, https\]"):
        parse_endpoints(written, "ex01")
    assert parse_endpoints(written, "ex01", allow_empty=True) == []


@pytest.mark.parametrize("allow_empty", [False, True])
@pytest.mark.parametrize(
    ("written", "words"),
    [
        (["smpt"], ["'smpt'", "did you mean 'smtp'?"]),
        (["stmp:2525"], ["'stmp:2525'", "did you mean 'smtp:2525'?"]),
        (["smpt:25"], ["'smpt:25'", "did you mean 'smtp:25'?"]),
        (["smpt://ex02:2525"], ["'smpt://ex02:2525'", "did you mean 'smtp://ex02:2525'?"]),
        (["htps"], ["'htps'", "did you mean 'https'?"]),
        (["http"], ["'http'", "did you mean 'https'?"]),
        (["pop"], ["'pop'", "did you mean 'pop3'?"]),
        (["smtp: 25"], ["'smtp: 25'", "did you mean 'smtp:25'?"]),
        (["'smtp'"], ["''smtp''", "did you mean 'smtp'?"]),
        (["smtp\u202e"], ["'smtp<U+202E>'", "did you mean 'smtp'?"]),
        (["mail.example.com"], ["did you mean 'smtp://mail.example.com'?"]),
        ([""], ["'' is blank"]),
        ("", ["'' is blank"]),
        (["smtp", " ", "\t"], ["'   ' is blank".replace("   ", " ")]),
        (["smtp:99999"], ["'smtp:99999'", "from 1 to 65535"]),
        (["smtp:0"], ["'smtp:0'", "from 1 to 65535"]),
        (["smtp:\u0662\u0665"], ["from 1 to 65535"]),
        (["smtp:\u00b2"], ["from 1 to 65535"]),
        (["ex01:\u00b2"], ["from 1 to 65535"]),
        (["smtp:" + "9" * 4400], ["'smtp:999", "(4285 more characters)", "from 1 to 65535"]),
        (["ex01:" + "1" * 4400], ["'ex01:111", "(4285 more characters)", "from 1 to 65535"]),
        (["smtp://ex01:" + "1" * 4400], ["from 1 to 65535"]),
        (["https://[::1%\x00]"], ["'::1%<U+0000>' is no IPv6 address"]),
        (["a" * 100_000], ["more characters)"]),
        ('["smtp","https"]', ['the text \'["smtp","https"]\'', "without quotes around it: [smtp, https]"]),
        (['["smtp"', '"https"]'], ["a list written as one text", "without quotes around it: [smtp, https]"]),
        ("['smtp', 'https']", ["without quotes around it: [smtp, https]"]),
        ({"smtp": 25}, ["no list", "is a mapping; write 'smtp:25'"]),
        ([{"smtp": 25}], ["'{'smtp': 25}' is a mapping; write 'smtp:25'"]),
        ([{}], ["an empty mapping"]),
        ([25], ["'25' is a number", "smtp:2525"]),
        ([True], ["'True' is true or false"]),
        ([None], ["'None' is nothing"]),
        ([b"smtp"], ["no text"]),
        (None, ["'None', not a list", "[smtp, https]"]),
        (25, ["'25', not a list"]),
        (b"smtp", ["not a list"]),
        (["smtp", "https", "smtp"], ["'smtp' is there twice"]),
        (["smpt", "", "smtp:0"], ["'smpt'", "'' is blank", "'smtp:0'"]),
    ],
)
def test_bad_list_says_what_was_wrong_and_what_was_meant(
    written: object, words: list[str], *, allow_empty: bool
) -> None:
    with pytest.raises(OptionError) as caught:
        parse_endpoints(written, "ex01", allow_empty=allow_empty)
    message = caught.value.message
    assert all(word in message for word in words), message
    assert len(message) < 1200
    assert message.isprintable()


def test_a_text_with_commas_is_a_list_as_everywhere_in_ansible() -> None:
    assert [endpoint.name for endpoint in parse_endpoints("smtp, https", "ex01")] == [
        "smtp://ex01:25",
        "https://ex01:443",
    ]


def test_host_that_only_resembles_a_protocol_is_a_host() -> None:
    assert parse_endpoint("smtp1:25", "ex01").name == "smtp://smtp1:25"
    assert parse_endpoint("mail-smtp:25", "ex01").name == "smtp://mail-smtp:25"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=6,
)


@given(anything)
def test_whatever_is_written_ends_in_endpoints_or_in_an_error(written: object) -> None:
    try:
        found = parse_endpoints(written, "ex01")
    except OptionError:
        return
    assert found


def test_the_same_endpoint_is_tried_once() -> None:
    found = parse_endpoints(["submission", "https", "smtp587", "smtp://ex01:587"], "ex01")
    assert [endpoint.name for endpoint in found] == ["smtp://ex01:587", "https://ex01:443"]


PIECES = [
    "smtp",
    "https",
    "tls",
    "://",
    ":",
    "[",
    "]",
    "::1",
    "192.0.2.1",
    "25",
    "443",
    "99999",
    "a.b",
    "ü",
    "²",
    "%",
    "\0",
    "{",
    '"',
    "1" * 4400,
    "/",
    "@",
    " ",
]


@given(st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=6).map("".join)))
def test_any_text_is_an_endpoint_or_an_error(text: str) -> None:
    try:
        endpoint = parse_endpoint(text, "ex01")
    except OptionError:
        return
    # and its name means the same again
    assert parse_endpoint(endpoint.name, "other") == endpoint


# SNI


@pytest.mark.parametrize(
    ("endpoint", "inventory", "name"),
    [
        ("https", "ex01.example.com", "ex01"),
        ("https://mail.example.com.", "ex01", "mail.example.com"),
        ("https://192.0.2.1", "ex01.example.com", "ex01.example.com"),
        ("https://192.0.2.1", "ex01", None),
        ("https://192.0.2.1", "192.0.2.1", None),
        ("https://[2001:db8::1]", "first mail.server", None),
        ("https://köln.example", "ex01", "xn--kln-sna.example"),
    ],
)
def test_own_server_name(endpoint: str, inventory: str, name: str | None) -> None:
    assert own_server_name(parse_endpoint(endpoint, "ex01"), inventory) == name


def test_wanted_server_name() -> None:
    assert parse_server_name("mail.example.com.") == "mail.example.com"
    assert parse_server_name("köln.example") == "xn--kln-sna.example"


@pytest.mark.parametrize("wanted", ["192.0.2.1", "2001:db8::1", "a b", "a..b", "x" * 64, "ü" * 70])
def test_wanted_server_name_is_never_an_address(wanted: str) -> None:
    with pytest.raises(OptionError, match="server_name"):
        parse_server_name(wanted)


def test_dns_name() -> None:
    assert dns_name("ex_01.local") == "ex_01.local"
    assert dns_name("") is None
    assert dns_name("x." * 200) is None
