# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Why mail has stopped, in some ten lines: what an error text means, what each server shows, and what to do next. Pure.

The text alone is mostly no proof of TLS, and a server alone is none of the text: both together say most.
"""

from __future__ import annotations

import dataclasses
import enum
import ipaddress
import typing as t

from .._schannel.protocols import SIDES, TLS12
from .._text import NAME, in_powershell, visible
from . import commands
from .commands import Command
from .screen import tls12_word
from .standing import Steps

Result = t.Mapping[str, t.Any]
# Servers that show the same share a line; there are so many of these, and so many names and things in each.
_MOST_LINES, _MOST_NAMES, _MOST_THINGS = 4, 6, 4
_LONGEST, _THING = 260, 150
# What the text is of where it is of no version of TLS.
_OF_OTHERS = {
    **dict.fromkeys(
        ("tls_certificate", "certificate_not_found", "certificate_refused", "own_certificate", "relay_denied"),
        "a certificate",
    ),
    "connector_without_tls_domain": "the settings of a connector",
}
# Which side of TLS a text is about. A queue is of mail that goes; a report may be of either.
_SIDE_OF_FORM = {"queue": "Client"}
_SIDE_OF_DIRECTION = {"send": "Client", "receive": "Server"}
_MAIL = {"Client": "outgoing", "Server": "incoming"}
_SIDES = {"Client": "Client (outgoing mail)", "Server": "Server (incoming mail)"}
_TLS = {
    "yes": "TLS is what failed",
    "likely": "most likely TLS",
    "perhaps": "perhaps TLS: the text alone does not tell",
    "unknown": "whether it is TLS, the text does not tell",
    "no": "no matter of TLS",
}


class Rank(enum.IntEnum):
    """What was found on a server, the worst first."""

    OFF = 0
    OUT = 1
    STOPPED = 2
    REFUSED = 3
    CERTIFICATE = 4
    TOO_OLD = 5
    PENDING = 6
    OPEN = 7
    QUEUE = 8
    UNREAD = 9
    DIFFERS = 10
    FINE = 11


_ON = "TLS 1.2 is on in the registry of every server that was read"


class _Place(t.NamedTuple):
    """Where protocol logs of a direction are, in a result of mail_flow_info and by default."""

    key: str
    folder: str


_SEND, _RECEIVE = _Place("send", "SmtpSend"), _Place("receive", "SmtpReceive")
_FRONT_END = "FrontendTransport"


_ANSWERS: t.Final = {
    Rank.OFF: "TLS 1.2 is off on {names}: mail with Office 365 most likely stands still.",
    Rank.OUT: "Out of service: {names}. A run that was cut off has left it so, and no mail goes through it.",
    Rank.STOPPED: "Services that mail needs do not run on {names}.",
    Rank.REFUSED: "TLS 1.2 is on in the registry of {names}, and refused there all the same: a restart is missing, or "
    "something else answers.",
    Rank.CERTIFICATE: "A certificate or a connector is at fault on {names}, not the TLS version.",
    Rank.TOO_OLD: "The Exchange of {names} is too old for TLS 1.2 in all its parts.",
    Rank.PENDING: "What was written is not in effect yet: {names} must be restarted.",
    Rank.OPEN: "Nobody can tell what Windows makes of the values for TLS 1.2 on {names}.",
    Rank.QUEUE: "TLS 1.2 is on where it was read, and mail waits on {names} all the same: the protocol log decides.",
    Rank.UNREAD: "Of the servers that could be read none shows a cause; {names} could not be read.",
    Rank.DIFFERS: "TLS 1.2 is on where it was read; something else is not as wanted on {names}.",
    Rank.FINE: f"{_ON}. Look at the other side, at devices between, and at the protocol log; outgoing mail was not "
    "tried.",
}


@dataclasses.dataclass(frozen=True)
class Server:
    """``settings``: the result of tls_settings_info with handshakes; ``mail``: that of mail_flow_info, None where it
    was not run; ``address``: where the inventory has it, which may be a name as well."""

    settings: Result
    mail: Result | None = None
    address: str | None = None

    @property
    def steps(self) -> Steps:
        return Steps.of({"verify": self.settings}, one_run=True)

    @property
    def stopped(self) -> list[str]:
        """Services that mail needs, and that do not run."""
        return [str(name) for name in (self.settings.get("exchange") or {}).get("mail_stopped") or ()]


@dataclasses.dataclass(frozen=True)
class Seen:
    """What a server shows: a line, and the worst rank in it. ``off``: the sides for which TLS 1.2 is off. ``is_out``:
    whether it was left out of service, which is so beside whatever is worse."""

    rank: Rank
    line: str
    install: str | None = None
    off: tuple[str, ...] = ()
    is_out: bool = False


def lines(
    symptom: Result,
    servers: t.Mapping[str, Server],
    *,
    text: str = "",
    file: str = "",
    command: Command | None = None,
) -> list[str]:
    """``symptom``: what the filter mail_symptom says of ``text``; ``servers``: by name. ``file``: what names a file,
    and was given instead of a text."""
    if refused := _refused(servers):
        return [f"error:   {visible(refused, _LONGEST)}", f"next:    {commands.CORRECT}"]
    command = dataclasses.replace(command or Command(), every=tuple(servers))
    seen = {name: _seen(server) for name, server in servers.items()}
    order = sorted(seen, key=lambda name: (seen[name].rank, name))
    worst = min((item.rank for item in seen.values()), default=Rank.FINE)
    of_worst = [name for name in order if seen[name].rank == worst]
    receivers = [name for name in order if _is_meant(symptom, name, servers[name])]
    out = [name for name in order if seen[name].is_out]
    besides = f" Out of service besides: {_names(out)}." if out and worst is not Rank.OUT else ""
    shown = [
        *_of_symptom(symptom, text),
        *_of_file(file),
        f"answer:  {_answer(symptom, worst, of_worst, seen, receivers)}{besides}",
    ]
    groups: dict[str, list[str]] = {}
    for name in order:
        groups.setdefault(seen[name].line, []).append(name)
    most = _MOST_LINES - bool(symptom["others"])
    shown += [f"{_names(names)}: {line}" for line, names in list(groups.items())[:most]]
    left = [name for names in list(groups.values())[most:] for name in names]
    if left:
        shown.append(f"{len(left)} more servers with less: {_names(left)}")
    if out:
        others = [name for name in of_worst if name not in out]
        shown.append(f"{'first:  ' if others else 'next:   '} {command.run(commands.ENFORCE, out)}")
        of_worst = others
    return [*shown, *(_next(symptom, worst, of_worst, seen, servers, command, text) if of_worst or not out else ())]


def _refused(servers: t.Mapping[str, Server]) -> str | None:
    """What is wrong with the variables, where no server was asked for that reason."""
    errors = [server.settings.get("error") or {} for server in servers.values()]
    if not errors or any(error.get("kind") != "bad_option" for error in errors):
        return None
    return str(next(iter(servers.values())).settings.get("msg") or "")


# --- the text --------------------------------------------------------------------------------------------------------


def _of_symptom(symptom: Result, text: str) -> t.Iterator[str]:
    if text.strip():
        yield f"text:    {visible(' '.join(text.split()), _LONGEST)}"
    if symptom["form"] == "none":
        if text.strip():
            yield f"means:   {symptom['meaning']}"
        return
    yield f"means:   {symptom['meaning']} ({_TLS[symptom['tls']]}; source: {symptom['source']})"
    for other in symptom["others"][:1]:
        more = len(symptom["others"]) - 1
        yield f"besides: {other['meaning']} ({_TLS[other['tls']]}){f', and {more} more' if more else ''}"


def _of_file(file: str) -> t.Iterator[str]:
    """What it holds is not shown: who may start a job may not read all that the controller can."""
    if file:
        yield f"text:    {visible(file, _LONGEST)}"
        yield (
            "means:   this is the name of a file, which is not read. Give the text itself; or a file of variables, "
            "-e @symptom.yml, with the line 'tls12_symptom: !unsafe |' and the text below it, each line indented"
        )


def _side(symptom: Result) -> str | None:
    """The side of TLS that the text is about; None where it does not say."""
    return _SIDE_OF_DIRECTION.get(symptom["direction"]) or _SIDE_OF_FORM.get(symptom["form"])


def _is_meant(symptom: Result, name: str, server: Server) -> bool:
    """Whether a server is the one that the text names as whom mail was to go to."""
    computer = (server.settings.get("host") or {}).get("computer_name")
    known = {str(item).casefold().rstrip(".") for item in (name, computer, server.address) if item}
    own = set().union(*map(_addresses, (*known, *_bindings(server.mail or {}))))
    if own & _addresses(symptom["address"] or ""):
        return True
    host = (symptom["host"] or "").casefold().rstrip(".")
    known = {item for item in known if not _addresses(item)}
    full = {item for item in known if "." in item}
    # a short name says less than a full one, and counts where there are no two full ones to compare
    if "." in host and full:
        return host in full
    return bool(host) and host.partition(".")[0] in {item.partition(".")[0] for item in known}


def _bindings(mail: Result) -> t.Iterator[str]:
    for connector in mail.get("receive_connectors") or ():
        yield from map(str, connector.get("bindings") or ())


def _addresses(endpoint: str) -> set[str]:
    """What may be the address of an endpoint: that of IPv6 may have its port without brackets. None of any server."""
    found = set()
    for text in (endpoint, endpoint.rpartition(":")[0]):
        try:
            address = ipaddress.ip_address(text.strip("[]"))
        except ValueError:
            continue
        if not (address.is_unspecified or address.is_loopback):
            found.add(str(address))
    return found


def _answer(
    symptom: Result,
    worst: Rank,
    names: t.Sequence[str],
    seen: t.Mapping[str, Seen],
    receivers: t.Sequence[str],
) -> str:
    """``receivers``: those of the servers that the text names as whom mail was to go to."""
    found = _ANSWERS[worst].format(names=_names(names))
    if not seen or (worst is Rank.UNREAD and len(names) == len(seen)):
        return "No server could be read, so that nothing is known of them."
    if symptom["tls"] == "no":
        return f"The text is no matter of TLS{f', and {_ON}.' if worst is Rank.FINE else f'. {found}'}"
    if symptom["kind"] in _OF_OTHERS and worst is not Rank.CERTIFICATE:
        more = f", and {_ON}: look at {symptom['read']}." if worst is Rank.FINE else f". {found}"
        return f"The text is one of {_OF_OTHERS[symptom['kind']]}{more}"
    if worst is Rank.OFF and symptom["tls"] in ("yes", "likely", "perhaps") and symptom["form"] != "none":
        side = _side(symptom)
        # what goes out of one of them comes in at another
        sides = dict.fromkeys(receivers, "Server") if side == "Client" else {}
        causes = [name for name in names if side is None or sides.get(name, side) in seen[name].off]
        if side is None or causes:
            return f"Most likely this is the cause: TLS 1.2 is off on {_names(causes)}."
        if sides:
            to = _names(receivers)
            return f"The text is about mail to {to}. TLS 1.2 is off for other mail alone, on {_names(names)}."
        (other,) = (_MAIL[name] for name in SIDES if name != side)
        return f"The text is about {_MAIL[side]} mail. TLS 1.2 is off for {other} mail alone, on {_names(names)}."
    return found


# --- a server --------------------------------------------------------------------------------------------------------


def _seen(server: Server) -> Seen:
    steps, mail = server.steps, server.mail or {}
    glance = steps.overview
    if steps.unreachable or glance is None:
        word = "UNREACHABLE" if steps.unreachable else "not read"
        return Seen(Rank.UNREAD, f"{word}: {visible(steps.message, _LONGEST)}")
    things = sorted((*_of_settings(steps, server.stopped), *_of_mail(mail)), key=lambda item: item[0])
    most = [text for _rank, text in things[:_MOST_THINGS]]
    more = [f"{len(things) - _MOST_THINGS} more"] if len(things) > _MOST_THINGS else []
    state = f"TLS 1.2 {tls12_word(glance)} (Client/Server), handshake {_handshake(steps)}"
    rank = min((item[0] for item in things), default=Rank.FINE)
    return Seen(rank, "; ".join([state, *most, *more]), steps.install, _off(glance), steps.is_out)


def _off(glance: Result) -> tuple[str, ...]:
    """The sides for which TLS 1.2 is off, as it is, whatever a policy or a waiver says."""
    effects = glance["protocols"][TLS12]
    return tuple(side for side in SIDES if effects[side] in ("disabled", "disabled_by_default", "unsupported"))


def _of_settings(steps: Steps, stopped: t.Sequence[str]) -> t.Iterator[tuple[Rank, str]]:
    glance = steps.overview or {}
    off = _off(glance)
    if steps.is_out:
        yield Rank.OUT, "out of service, as a run that was cut off has left it"
    if off:
        yield Rank.OFF, f"off for {' and '.join(_SIDES[side] for side in off)}"
    if "unknown" in glance["protocols"][TLS12].values():
        yield Rank.OPEN, "values for TLS 1.2 that nobody can judge"
    refused = [name for name, accepts in ((steps.verdict or {}).get("endpoints") or {}).items() if accepts is False]
    if refused and "Server" not in off:
        yield Rank.REFUSED, f"{' and '.join(refused)} refuse TLS 1.2"
    if steps.install:
        yield Rank.TOO_OLD, f"install {steps.install} first"
    if steps.restart_wanted:
        yield Rank.PENDING, "a restart is pending"
    if steps.to_write and not off:
        yield Rank.DIFFERS, f"{steps.to_write} setting{'' if steps.to_write == 1 else 's'} to write"
    if stopped:
        yield Rank.STOPPED, f"mail needs {_short(', '.join(stopped))}, which do{'' if stopped[1:] else 'es'} not run"
    for said in glance.get("updates", ()):
        yield Rank.FINE, _short(said)


def _of_mail(mail: Result) -> t.Iterator[tuple[Rank, str]]:
    waiting = {queue["identity"]: queue for queue in mail.get("queues") or ()}
    for finding in mail.get("findings") or ():
        if finding["id"] == "mail.queue":
            queue = waiting[finding["about"]]
            count = f"{queue['messages']} message{' waits' if queue['messages'] == 1 else 's wait'}"
            rank = Rank.FINE if finding["status"] == "not_applicable" else Rank.QUEUE
            # what ends an error is what tells, so that a long name does not take its place
            yield rank, f"{count} for {visible(queue['next_hop'], NAME)}: {_short(queue['symptom']['text'])}"
        else:
            yield Rank.CERTIFICATE if finding["status"] == "noncompliant" else Rank.FINE, _short(finding["message"])
    if not mail.get("asked"):
        why = mail.get("why_not") or mail.get("msg") or "there is no Exchange, or it could not be asked"
        yield Rank.FINE, f"queues and connectors not seen: {_short(str(why))}"


def _short(text: str) -> str:
    """A sentence as a part of a line."""
    return visible(text.removesuffix("."), _THING)


def _handshake(steps: Steps) -> str:
    accepted = steps.accepted
    if True in accepted and False not in accepted:
        return "accepted"
    return "refused" if False in accepted else "not tried"


# --- what comes next -------------------------------------------------------------------------------------------------


def _next(
    symptom: Result,
    worst: Rank,
    names: t.Sequence[str],
    seen: t.Mapping[str, Seen],
    servers: t.Mapping[str, Server],
    command: Command,
    text: str,
) -> t.Iterator[str]:
    if worst in (Rank.OFF, Rank.PENDING, Rank.DIFFERS, Rank.TOO_OLD):
        install = next((seen[name].install for name in names if seen[name].install), None)
        before = f"install {install} on {_names(names)}, then " if install else ""
        yield f"next:    {before}{command.run(commands.ENFORCE, names, '--check')}"
    elif worst is Rank.STOPPED:
        which = ", ".join(servers[names[0]].stopped)
        yield (
            f"next:    in PowerShell on {names[0]}: Start-Service {visible(which, _LONGEST)}; where a setup of "
            "Exchange has left them disabled, finish that setup first"
        )
    elif worst is Rank.REFUSED:
        yield f"next:    {command.run(commands.ENFORCE, names, 'tls12_reboot=always', '--check')}"
    elif worst is Rank.OPEN:
        yield f"next:    {command.run(commands.AUDIT, names)}"
    elif worst is Rank.CERTIFICATE:
        yield (
            f"next:    in the Exchange Management Shell: Get-ExchangeCertificate -Server {names[0]} | Format-List "
            "Thumbprint, Issuer, Subject, NotAfter, Services"
        )
    elif worst is Rank.UNREAD:
        again = [commands.variable("tls12_symptom", text)] if text.strip() else []
        yield f"next:    mend the way to them, then {command.run(commands.WHY, names, *again)}"
    elif names and (worst is Rank.QUEUE or (symptom["form"] != "none" and symptom["tls"] != "no")):
        yield from _logs(symptom, names, servers)


def _logs(symptom: Result, names: t.Sequence[str], servers: t.Mapping[str, Server]) -> t.Iterator[str]:
    name = next((name for name in names if (servers[name].mail or {}).get("asked")), names[0])
    mail = servers[name].mail or {}
    connector = _connector(symptom, mail)
    place = _RECEIVE if symptom["direction"] == "receive" else _SEND
    if place is _SEND and (connector.get("logging") or "").casefold() == "none":
        quoted = in_powershell(connector["identity"])
        shell = "in the Exchange Management Shell"
        yield f"first:   {shell}: Set-SendConnector {quoted} -ProtocolLoggingLevel Verbose"
    # mail of others comes in by the front end
    by_front_end = connector.get("role", _FRONT_END) == _FRONT_END if place is _RECEIVE else connector.get("front_end")
    role, found = ("FrontEnd", None) if by_front_end else ("Hub", (mail.get("logs") or {}).get(place.key))
    folder = found or rf"%ExchangeInstallPath%TransportRoles\Logs\{role}\ProtocolLog\{place.folder}"
    yield (
        f"next:    copy {visible(folder, NAME * 2)} of {name} to logs/{name} here, then "
        "ansible localhost -m mailops.exchange_tls.smtp_log_info -a paths=logs"
    )


def _connector(symptom: Result, mail: Result) -> Result:
    """The one whose log tells: that of the line which was pasted; that by which mail waits; one to Exchange Online,
    first of those that write no log. Empty where there is none."""
    if symptom["direction"] == "receive":
        wanted = str(symptom["connector"]).casefold()
        known = (item for item in mail.get("receive_connectors") or () if str(item["identity"]).casefold() == wanted)
        return next(known, {})
    waiting = {
        finding["about"]
        for finding in mail.get("findings") or ()
        if finding["id"] == "mail.queue" and finding["status"] != "not_applicable"
    }
    ways = {
        str(queue.get("connector")).casefold() for queue in mail.get("queues") or () if queue["identity"] in waiting
    }
    connectors = mail.get("send_connectors") or ()
    found = [item for item in connectors if str(item.get("guid") or "").casefold() in ways]
    found = found or [item for item in connectors if item["to_exchange_online"]]
    return min(found, key=lambda item: (item["logging"] or "").casefold() != "none", default={})


def _names(names: t.Sequence[str]) -> str:
    shown = ", ".join(visible(name, NAME) for name in names[:_MOST_NAMES])
    return shown if len(names) <= _MOST_NAMES else f"{shown} and {len(names) - _MOST_NAMES} more"
