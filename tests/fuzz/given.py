# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a target of the fuzzer is given besides bytes: a session, a shell and a file that answer with them."""

from __future__ import annotations

import atexit
import contextlib
import datetime
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from typing import Any, cast

from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import ConnectionLost, ExchangeTlsError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange import clixml
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.records import Record
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.shell import Shell
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._wire import soap
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._wire.session import Session

#: Parts one document of a seed from the next, where there are several answers.
BETWEEN = b"\n%%\n"
ID = uuid.UUID("11111111-2222-4333-8444-555555555555")
#: What every answer is read with, so that the same bytes always do the same.
NOW = datetime.datetime(2026, 11, 20, 3, 4, 5, tzinfo=datetime.timezone.utc)
_MOST_ANSWERS = 12


class _Answers:
    """The documents in their order; the last one is given again, a few times, and then the host is gone."""

    def __init__(self, data: bytes) -> None:
        self._documents = data.split(BETWEEN)
        self._count = 0

    def next(self) -> bytes:
        if self._count >= _MOST_ANSWERS:
            raise ConnectionLost("the host is gone")
        document = self._documents[min(self._count, len(self._documents) - 1)]
        self._count += 1
        return document


class _Session:
    def __init__(self, data: bytes) -> None:
        self._answers = _Answers(data)

    def call(self, dummy_request: object, *, doing: str, repeatable: bool) -> Any:
        return soap.open_answer(self._answers.next(), message_id=ID, doing=doing)

    def ahead(self, reads: Iterable[object]) -> None:
        list(reads)


class _Shell:
    def __init__(self, data: bytes) -> None:
        self._answers = _Answers(data)

    def read(self, dummy_cmdlet: str, **dummy_parameters: object) -> list[Record]:
        return records(self._answers.next())

    change = read

    def read_each(self, cmdlet: str, dummy_names: object, **parameters: object) -> list[Record]:
        return self.read(cmdlet, **parameters)


def session(data: bytes) -> Session:
    """A session whose host answers with these documents."""
    return cast(Session, _Session(data))


def shell(data: bytes) -> Shell:
    """Cmdlets that return the objects of these documents."""
    return cast(Shell, _Shell(data))


def records(document: bytes) -> list[Record]:
    found = clixml.read(document)
    return [item for item in (found if isinstance(found, list) else [found]) if isinstance(item, Record)]


@contextlib.contextmanager
def refusals(*errors: type[Exception]) -> Iterator[None]:
    """What follows is tried whether or not this is refused."""
    with contextlib.suppress(*(errors or (ExchangeTlsError,))):
        yield


_folder: list[str] = []


def file(data: bytes, name: str = "file") -> str:
    """The path of a file with these bytes, which nobody else can write to."""
    if not _folder:
        _folder.append(tempfile.mkdtemp(prefix="fuzz-"))
        atexit.register(shutil.rmtree, _folder[0], ignore_errors=True)
    path = os.path.join(_folder[0], name)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
        opened.write(data)
    return path


def text(data: bytes) -> str:
    """The bytes as text, lone surrogates and all."""
    return data.decode("utf-8", "surrogateescape")
