# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parsers of what others write, by name: a function of bytes, and the errors that are documented for it.

All other exceptions are bugs. `make test` runs each with its seeds, their mutations and bytes of every kind;
`make fuzz` runs each for as long as one likes. A new parser goes in here, with a folder of seeds in corpus.
"""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change.notes import NoteUnreadable
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import ExchangeTlsError, OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.before import RecordUnreadable
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.clixml import ClixmlError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._wire.xml import XmlRefused

from . import files, logs, network

CORPUS = pathlib.Path(__file__).parent / "corpus"


class Target(NamedTuple):
    """``run`` takes any bytes and raises nothing but ``errors``."""

    run: Callable[[bytes], None]
    errors: tuple[type[Exception], ...] = ()

    def __call__(self, data: bytes) -> None:
        """Raises what is no documented error."""
        with contextlib.suppress(*self.errors):
            self.run(data)


TARGETS: dict[str, Target] = {
    # from hosts and from the network
    "xml": Target(network.read_xml, (XmlRefused,)),
    "http_answer": Target(network.http_answer),
    "soap_answer": Target(network.soap_answer, (ExchangeTlsError,)),
    "wmi": Target(network.wmi_objects, (ExchangeTlsError,)),
    "wmi_datetime": Target(network.wmi_datetime, (ExchangeTlsError,)),
    "windows": Target(network.windows, (ExchangeTlsError,)),
    "registry": Target(network.registry_values, (ExchangeTlsError,)),
    "registry_names": Target(network.registry_names),
    "clixml": Target(network.read_clixml, (ClixmlError,)),
    "cmdlets": Target(network.cmdlets, (ExchangeTlsError,)),
    "components": Target(network.components, (ExchangeTlsError,)),
    "versions": Target(network.versions_and_names),
    "tls_flight": Target(network.tls_flight),
    "tls_certificate": Target(network.tls_certificate),
    "starttls": Target(network.starttls),
    # from logs
    "smtp_log": Target(logs.smtp_sessions),
    "iis_log": Target(logs.iis_log),
    "log_file": Target(logs.log_file),
    "last_error": Target(logs.last_error),
    "symptom": Target(logs.symptom),
    "log_words": Target(logs.log_words),
    "sent_mail": Target(logs.sent_mail),
    # from files, options and surveys
    "baseline": Target(files.baseline, (OptionError,)),
    "backup": Target(files.backup, (OptionError,)),
    "note": Target(files.note, (NoteUnreadable,)),
    "maintenance": Target(files.maintenance, (RecordUnreadable,)),
    "result": Target(files.result, (OptionError,)),
    "survey": Target(files.survey),
    "survey_values": Target(files.survey_values),
    "waivers": Target(files.waivers, (OptionError,)),
    "expression": Target(files.expression, (OptionError,)),
    "endpoints": Target(files.endpoints, (OptionError,)),
    "mailbox": Target(files.mailbox, (OptionError,)),
    "hosts": Target(files.hosts, files.PATTERN_ERRORS),
    "typed": Target(files.typed),
}


def seeds(name: str) -> Iterator[pathlib.Path]:
    """The files of a target in the corpus, in a fixed order."""
    return iter(sorted((CORPUS / name).iterdir()))
