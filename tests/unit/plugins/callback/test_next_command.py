# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that a person types next, from the one that was typed. ansible-playbook itself parses both."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from ansible.cli.playbook import PlaybookCLI
from ansible.inventory.manager import split_host_pattern
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report import commands
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.commands import (
    AUDIT,
    ENFORCE,
    HARDEN,
    ROLLBACK,
    SAME,
    Command,
)
from hypothesis import example, given
from hypothesis import strategies as st

SECRET = "Geh3im"


def parsed(typed: str) -> dict[str, Any]:
    """The arguments of a command line, by the names that ansible-playbook has for them."""
    cli = PlaybookCLI(["ansible-playbook", *shlex.split(typed)])
    cli.init_parser()
    return dict(vars(cli.post_process_args(cli.parser.parse_args(cli.args[1:]))))


def after(typed: str, book: str = SAME, *more: str, hosts: str = "", every: str = "ex01 ex02") -> str:
    """The next command, without its first word; for the hosts that are named, or for all."""
    command = Command.of({**parsed(typed), "inventory": []})
    names = every.split()
    found = commands.dataclasses.replace(command, every=tuple(names)).run(book, hosts.split() or names, *more)
    assert found.startswith("ansible-playbook ")
    return found.removeprefix("ansible-playbook ")


# --- playbooks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "same", "next_one"),
    [
        ("enforce-tls12.yml", "enforce-tls12.yml", "rollback-tls12.yml"),
        ("playbooks/audit-tls12.yml", "playbooks/audit-tls12.yml", "playbooks/rollback-tls12.yml"),
        ("./playbooks/enforce_tls12.yml", "./playbooks/enforce_tls12.yml", "./playbooks/rollback_tls12.yml"),
        ("/opt/a-b_c/harden-tls.yaml", "/opt/a-b_c/harden-tls.yaml", "/opt/a-b_c/rollback-tls12.yaml"),
        ("harden_tls.yml", "harden_tls.yml", "rollback_tls12.yml"),
        (
            "mailops.exchange_tls.enforce_tls12",
            "mailops.exchange_tls.enforce_tls12",
            "mailops.exchange_tls.rollback_tls12",
        ),
        # of other people: the same one is theirs, and ours is beside nothing
        ("site.yml", "site.yml", "mailops.exchange_tls.rollback_tls12"),
        ("our-own/tls.yml", "our-own/tls.yml", "mailops.exchange_tls.rollback_tls12"),
        ("their.mail.enforce_tls12", "their.mail.enforce_tls12", "mailops.exchange_tls.rollback_tls12"),
        # several: the one of ours
        ("before.yml enforce-tls12.yml after.yml", "enforce-tls12.yml", "rollback-tls12.yml"),
    ],
)
def test_playbooks(typed: str, same: str, next_one: str) -> None:
    assert after(typed) == same
    assert after(typed, ROLLBACK) == next_one


@pytest.mark.parametrize(
    ("typed", "book", "hosts", "next_one"),
    [
        ("harden-tls-by-dag.yml", ENFORCE, "ex01 ex02", "enforce-tls12-by-dag.yml"),
        ("p/enforce_tls12_by_dag.yml", ENFORCE, "ex01 ex02", "p/enforce_tls12_by_dag.yml"),
        ("mailops.exchange_tls.enforce_tls12_by_dag", ROLLBACK, "ex01 ex02", "mailops.exchange_tls.rollback_tls12"),
        # one server needs no waves
        ("harden-tls-by-dag.yml", ENFORCE, "ex02", "enforce-tls12.yml -l ex02"),
        ("harden-tls-by-dag.yml", SAME, "ex02", "harden-tls-by-dag.yml -l ex02"),
        ("learn-dags.yml", AUDIT, "ex01 ex02", "audit-tls12.yml"),
    ],
)
def test_playbooks_that_go_by_dag(typed: str, book: str, hosts: str, next_one: str) -> None:
    assert after(typed, book, hosts=hosts) == next_one


def test_without_a_playbook() -> None:
    """As in a program that is not ansible-playbook."""
    assert Command().run(SAME, []) == "ansible-playbook mailops.exchange_tls.enforce_tls12"
    assert Command.of({}).run(HARDEN, []) == "ansible-playbook mailops.exchange_tls.harden_tls"
    assert Command.of({"args": None, "extra_vars": None, "inventory": None}).run(AUDIT, ["a"]).endswith(" -l a")


# --- inventories, hosts and flags ------------------------------------------------------------------------------------


def test_inventories() -> None:
    command = Command.of(parsed("enforce-tls12.yml -i /a/hosts.yml -i ex01,ex02, -i '/with blank'"))
    expected = "ansible-playbook -i /a/hosts.yml -i ex01,ex02, -i '/with blank' enforce-tls12.yml"
    assert command.run(SAME, []) == expected


@pytest.mark.parametrize(
    ("typed", "hosts", "limit"),
    [
        ("a.yml", "ex02", " -l ex02"),
        ("a.yml", "ex01 ex02", ""),
        ("a.yml", "ex02 ex01", ""),
        ("a.yml -l 'ex0*:!ex03'", "ex01 ex02", " -l 'ex0*:!ex03'"),
        ("a.yml -l 'ex0*:!ex03'", "ex01", " -l ex01"),
    ],
)
def test_limits(typed: str, hosts: str, limit: str) -> None:
    assert after(typed, hosts=hosts) == f"a.yml{limit}"


def test_a_limit_to_a_name_with_a_blank() -> None:
    """Ansible takes one for several patterns, unless there is a comma."""
    for names, limit in ((["Mail server 1"], "'Mail server 1,'"), (["Mail server 1", "ex02"], "'Mail server 1,ex02'")):
        command = Command.of({**parsed("a.yml"), "inventory": []})
        assert command.run(SAME, names) == f"ansible-playbook a.yml -l {limit}"
        (pattern,) = shlex.split(limit)
        assert split_host_pattern(pattern) == names


def test_the_next_run_may_be_for_all() -> None:
    for typed in ("a.yml", "a.yml -l 'ex0*'"):
        command = commands.dataclasses.replace(Command.of({**parsed(typed), "inventory": []}), for_all=True)
        assert command.run(SAME, ["ex01"]) == f"ansible-playbook {typed}"


def test_flags_that_a_login_needs() -> None:
    typed = "a.yml --ask-pass --ask-vault-pass --vault-id prod@/v -u admin"
    assert after(typed) == "a.yml --ask-pass --ask-vault-pass --vault-id prod@/v -u admin"
    assert after("a.yml --vault-password-file /v") == "a.yml --vault-password-file /v"


@pytest.mark.parametrize("flag", ["--check", "--diff", "-v", "-f 5", "--start-at-task x", "-t x"])
def test_flags_of_one_run_only(flag: str) -> None:
    assert after(f"a.yml {flag}") == "a.yml"


def test_flags_of_the_next_command() -> None:
    assert after("a.yml", ENFORCE, "--check") == "mailops.exchange_tls.enforce_tls12 --check"


# --- variables -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_as", "repeated"),
    [
        ("-e @/s/secrets.yml", " -e @/s/secrets.yml"),
        ("-e tls12_hosts=mail", " -e tls12_hosts=mail"),
        ("-e 'tls12_hosts=mail tls12_serial=2'", " -e 'tls12_hosts=mail tls12_serial=2'"),
        ("-e 'tls12_reboot_comment=\"a b\"'", " -e 'tls12_reboot_comment=\"a b\"'"),
        ('-e \'{"tls12_endpoints": ["smtp:25"]}\'', ' -e \'{"tls12_endpoints": ["smtp:25"]}\''),
    ],
)
def test_variables(given_as: str, repeated: str) -> None:
    assert after(f"a.yml {given_as}") == f"a.yml{repeated}"


@pytest.mark.parametrize(
    "item",
    [
        f"ansible_password={SECRET}",
        f"tls12_hosts=mail ansible_password={SECRET}",
        f"ansible_password='{SECRET} tls12_x=1'",
        f"tls12_hosts='mail' ansible_password='{SECRET}'",
        f"tls12_hosts=mail\\ ansible_password={SECRET}",
        f"tls12_hosts='mail\\' ansible_password={SECRET}'",
        f"tls12_hosts=mail\nansible_password={SECRET}",
        f'{{"tls12_hosts": "mail", "ansible_password": "{SECRET}"}}',
        f' {{"ansible_password": "{SECRET}"}}',
        f"{{tls12_hosts: mail, ansible_password: {SECRET}}}",
        f"{{tls12_hosts: {SECRET}",
        f"[{SECRET}]",
        f"ansible_password: {SECRET}",
        f"tls12_hosts='{SECRET}",
        f"tls12_hosts {SECRET}=x",
        SECRET,
        f"tls12_hosts={'x' * 300}{SECRET}",
        "",
        " ",
    ],
)
def test_what_may_be_a_secret_is_left_out(item: str) -> None:
    found = after(f"a.yml -e {shlex.quote(item)} -e tls12_serial=2")
    assert found == "a.yml -e tls12_serial=2  # with your other -e"


@pytest.mark.parametrize(
    ("given_as", "expected"),
    [
        ("-e tls12_reboot=never", ""),
        ("-e tls12_reboot_timeout=60", " -e tls12_reboot_timeout=60"),
        ("-e 'tls12_reboot=never tls12_hosts=mail'", " -e tls12_hosts=mail"),
        ("-e 'tls12_reboot=never tls12_reboot_comment=\"a b\"'", ' -e \'{"tls12_reboot_comment": "a b"}\''),
        ('-e \'{"tls12_reboot": "never"}\'', ""),
        ('-e \'{"tls12_reboot": "never", "tls12_serial": [1, 5]}\'', " -e '{\"tls12_serial\": [1, 5]}'"),
        ("-e tls12_reboot=never -e tls12_reboot=always -e @/x", " -e @/x"),
        ("-e tls12_reboot", "  # with your other -e"),
    ],
)
def test_a_wish_of_the_next_command_takes_the_place_of_the_same(given_as: str, expected: str) -> None:
    found = after(f"enforce-tls12.yml {given_as}", ENFORCE, "tls12_reboot=if_pending")
    line, mark, rest = f"enforce-tls12.yml{expected}".partition("  #")
    assert found == f"{line} -e tls12_reboot=if_pending{mark}{rest}"


@pytest.mark.parametrize(
    "given_as",
    [
        "tls12_fail_on_findings=true",
        "tls12_force=true",
        "tls12_backup=/b/ex01.json",
        "tls12_other_host=true",
        '{"tls12_fail_on": "waiver"}',
        '{"tls12_accepted_peers": ["192.0.2.1"]}',
    ],
)
def test_wishes_of_one_playbook(given_as: str) -> None:
    """A condition of audits, force and the file of a rollback are not for what comes after."""
    typed = f"audit-tls12.yml -e {shlex.quote(given_as)} -e tls12_hosts=mail"
    assert after(typed, ENFORCE) == "enforce-tls12.yml -e tls12_hosts=mail"
    assert after(typed, AUDIT) == after(typed) == typed


def test_a_name_that_a_terminal_would_obey() -> None:
    found = after("a.yml", hosts="ex01\u202e\x1b[31m")
    assert found.isprintable()
    assert "<U+202E><U+001B>" in found


# --- laws ------------------------------------------------------------------------------------------------------------

names = st.from_regex(r"tls12_[a-z_]{1,12}", fullmatch=True)
simple = st.text(
    st.characters(codec="ascii", exclude_characters="=\\'\"\x7f", min_codepoint=33), min_size=1, max_size=12
)


@given(st.dictionaries(names, simple, max_size=3), st.sampled_from(["text", "json"]), names)
def test_what_is_repeated_means_the_same(variables: dict[str, str], how: str, override: str) -> None:
    item = json.dumps(variables) if how == "json" else " ".join(f"{name}={value}" for name, value in variables.items())
    command = Command.of({"args": ["a.yml"], "extra_vars": [item], "inventory": []})
    words = shlex.split(command.run(SAME, [], f"{override}=new"), comments=True)
    assert words[:2] == ["ansible-playbook", "a.yml"]
    repeated = [word for word in words[2:] if word != "-e"]
    assert repeated.pop() == f"{override}=new"
    found = {name: value for word in repeated for name, value in commands._variables(word).items()}
    assert found == {name: value for name, value in variables.items() if name != override} or command.left_out


@given(st.text(max_size=30), st.text(max_size=5))
@example("tls12_", "")
def test_a_secret_is_never_repeated(prefix: str, suffix: str) -> None:
    item = f"{prefix}ansible_password={SECRET}{suffix}"
    command = Command.of({"args": ["a.yml"], "extra_vars": [item]})
    assert SECRET not in command.run(ENFORCE, [], "tls12_reboot=always") or item.startswith("@")
