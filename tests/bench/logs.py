# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reading an SMTP protocol log costs: writes one, reads it, and lets mawk count sessions by peer in the same file.

Both read the same pages of memory, one after the other, several times; what counts is the ratio of the best runs.
``python -m tests.bench.logs --mb 1024``; ``--recipients 200`` for long sessions, ``--at-once 150`` for a busy server.
"""

from __future__ import annotations

import argparse
import itertools
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import typing as t

from plugins.plugin_utils._mailflow import outcome, reading

HEADER = (
    "#Software: Microsoft Exchange Server\r\n#Version: 15.0.0.0\r\n#Log-type: SMTP Receive Protocol Log\r\n"
    "#Date: 2026-01-05T00:00:00.000Z\r\n"
    "#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context\r\n"
)
GREETING = [
    "+,,",
    "*,SMTPSubmit SMTPAcceptAnySender SMTPAcceptAuthoritativeDomainSender AcceptRoutingHeaders,Set Session Permissions",
    '>,"220 mail.example.com Microsoft ESMTP MAIL Service ready at Mon, 5 Jan 2026 09:57:37 +0200",',
]
HELLO = [
    "<,EHLO app01,",
    (
        ">,250  mail.example.com Hello [203.0.113.20] SIZE 37748736 PIPELINING DSN ENHANCEDSTATUSCODES STARTTLS AUTH "
        "LOGIN 8BITMIME BINARYMIME CHUNKING,"
    ),
]
RECIPIENT = ["<,RCPT TO:<bob@example.org>,", ">,250 2.1.5 Recipient OK,"]
MAIL = [
    "<,MAIL FROM:<ann@example.com> SIZE=1234,",
    "*,08DE0000000000C6;2026-01-05T07:57:37.405Z;1,receiving message",
    ">,250 2.1.0 Sender OK,",
    *RECIPIENT,
    "<,BDAT 3021 LAST,",
    (
        '>,"250 2.6.0 <123@example.com> [InternalId=1, Hostname=EX01.example.com] 4000 bytes in 0.123, 31.2 KB/sec '
        'Queued mail for delivery",'
    ),
    "<,QUIT,",
    ">,221 2.0.0 Service closing transmission channel,",
    "-,,Local",
]


def tls(version: str) -> list[str]:
    agreed = (
        f'*,,"TLS protocol SP_PROT_{version}_SERVER negotiation succeeded using bulk encryption algorithm CALG_AES_256 '
        "with strength 256 bits, MAC hash algorithm CALG_SHA_384 with strength 0 bits and key exchange algorithm "
        'CALG_ECDH_EPHEM with strength 255 bits"'
    )
    certificate = (
        '*," CN=*.example.com, OU=Mail *.example.com;example.com",Sending certificate Subject Issuer name Serial '
        "number Thumbprint Not before Not after Subject alternate names"
    )
    start = [
        "<,STARTTLS,",
        ">,220 2.0.0 SMTP server ready,",
        certificate,
        agreed,
        HELLO[0],
        HELLO[1].replace("STARTTLS ", ""),
    ]
    return [*GREETING, *HELLO, *start, *MAIL]


# Kinds of sessions, and how many of a hundred.
KINDS: tuple[tuple[list[str], int], ...] = (
    (tls("TLS1_2"), 75),
    (tls("TLS1_0"), 5),
    ([*GREETING, *HELLO, *MAIL], 8),
    ([*GREETING, "-,,Remote(SocketError)"], 12),
)
RUNS = 4


def with_recipients(events: list[str], recipients: int) -> list[str]:
    """The session with so many recipients, if it has a mail."""
    if RECIPIENT[0] not in events:
        return events
    place = events.index(RECIPIENT[0])
    return [*events[:place], *RECIPIENT * (recipients - 1), *events[place:]]


def write(path: pathlib.Path, size: int, recipients: int = 1, at_once: int = 20) -> int:
    """Writes a log of so many bytes, with so many sessions side by side; returns the number of sessions."""
    chance = random.Random(1)  # the same log every time
    kinds = [with_recipients(events, recipients) for events, dummy in KINDS]
    weights = [weight for dummy, weight in KINDS]
    written, number = 0, 0
    with path.open("w", encoding="ascii", newline="") as file:
        file.write(HEADER)
        while written < size:
            group = []
            for events in chance.choices(kinds, weights, k=at_once):
                number += 1
                peer = f"198.51.{chance.randrange(4)}.{chance.randrange(250)}:{chance.randrange(1024, 65000)}"
                where = f"EX01\\Default Frontend EX01,{number:016X}"
                group.append([f"{where},{place},10.0.0.1:25,{peer},{event}" for place, event in enumerate(events)])
            when = f"2026-01-{1 + number // 20000 % 28:02}T10:{number // 60 % 60:02}:{number % 60:02}"
            woven = (line for lines in itertools.zip_longest(*group) for line in lines if line)
            text = "".join(f"{when}.{place % 1000:03}Z,{line}\r\n" for place, line in enumerate(woven))
            written += file.write(text)
    return number


def timed(work: t.Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and of processors, also in other processes."""
    wall, before = time.perf_counter(), _cpu()
    work()
    return time.perf_counter() - wall, _cpu() - before


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(item.ru_utime + item.ru_stime for item in used)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=256)
    parser.add_argument("--recipients", type=int, default=1, help="of a mail")
    parser.add_argument("--at-once", type=int, default=20, help="sessions side by side")
    args = parser.parse_args()
    size = args.mb << 20
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "RECV2026010500-1.LOG"
        sessions = write(path, size, args.recipients, args.at_once)
        results: list[dict[str, t.Any]] = []

        def ours() -> None:
            results.append(outcome.as_result(reading.read([str(path)])))

        mawk = shutil.which("mawk")
        program = (
            '!/^#/ && !known[$3]++ { split($6, peer, ":"); count[peer[1]]++ } '
            "END { for (name in count) print name, count[name] }"
        )
        command = [mawk or "mawk", "-F,", program, str(path)]
        both = []
        for dummy in range(RUNS):
            theirs = timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)) if mawk else None
            both.append((timed(ours), theirs))
        memory = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        print(
            f"{path.stat().st_size >> 20} MB, {results[0]['lines']} lines, {sessions} sessions; "
            f"most memory of a process: {memory >> 10} MB"
        )
        best = [min(run[0][kind] for run in both) for kind in (0, 1)]
        print(f"smtp_log_info: {size / best[0] / 2**20:.0f} MB/s")
        if not mawk:
            print("mawk is not installed, so that there is nothing to compare with")
            return 0
        other = [min(run[1][kind] for run in both if run[1]) for kind in (0, 1)]
        print(
            f"to mawk counting sessions by peer: {best[0] / other[0]:.2f} of its time, "
            f"{best[1] / other[1]:.2f} of its processor time"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
