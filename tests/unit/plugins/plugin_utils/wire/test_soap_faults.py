# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of Windows, from docs/reference/wsman.md 1.6: one exception with a sentence, the numbers, and the cure."""

from __future__ import annotations

import time
import uuid

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import (
    AccessDenied,
    AnswerTooLarge,
    OperationTimedOut,
    WsmanFault,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._wire import soap

WSMAN_FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
DETAIL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail"
WMI_ERROR_NAMESPACES = (
    "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/MSFT_WmiError",
    "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/microsoft/windows/storage/MSFT_WmiError",
    "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError",
)
EXTENDED = """<f:ExtendedError>
 <p:__ExtendedStatus xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <p:Description xsi:nil="true"/><p:Operation>ExecQuery</p:Operation>
 <p:ParameterInfo>SELECT * FROM Win32_Nothing</p:ParameterInfo><p:ProviderName>WinMgmt</p:ProviderName>
 <p:StatusCode xsi:nil="true"/></p:__ExtendedStatus></f:ExtendedError>"""


def envelope(fault: str) -> bytes:
    return (
        '<s:Envelope xml:lang="en-US" xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
        ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
        ' xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration"'
        ' xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><s:Header>'
        "<a:Action>http://schemas.dmtf.org/wbem/wsman/1/wsman/fault</a:Action></s:Header>"
        f"<s:Body><s:Fault>{fault}</s:Fault></s:Body></s:Envelope>"
    ).encode()


def fault(code: str, subcode: str | None, reason: str | None, detail: str = "") -> bytes:
    inner = f"<s:Subcode><s:Value>{subcode}</s:Value></s:Subcode>" if subcode else ""
    text = f'<s:Reason><s:Text xml:lang="en-US">{reason}</s:Text></s:Reason>' if reason else ""
    return envelope(f"<s:Code><s:Value>{code}</s:Value>{inner}</s:Code>{text}<s:Detail>{detail}</s:Detail>")


def wsman_fault(number: int | str, message: str = "") -> str:
    return (
        f'<f:WSManFault xmlns:f="{WSMAN_FAULT}" Code="{number}" Machine="EX01"><f:Message>{message}</f:Message>'
        "</f:WSManFault>"
    )


def provider_fault(text: str, provider: str = "WMI Provider") -> str:
    return f'<f:ProviderFault provider="{provider}" path="%systemroot%\\system32\\x.dll">{text}</f:ProviderFault>'


def wmi_error(namespace: str, number: int, message: str, status: int = 1) -> str:
    return (
        f'<p:MSFT_WmiError xmlns:p="{namespace}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xsi:type="p:MSFT_WmiError_Type"><p:CIMStatusCode xsi:type="cim:cimUnsignedInt">'
        f"{status}</p:CIMStatusCode><p:error_Code>{number}</p:error_Code><p:Message>{message}</p:Message>"
        "<p:MessageID>HRESULT 0x8033801e</p:MessageID></p:MSFT_WmiError>"
    )


def understood(document: bytes) -> WsmanFault:
    found = soap.find_fault(document, "reading X")
    assert found is not None
    assert found.message.startswith("reading X failed: ")
    assert found.message.endswith(".")
    assert ".." not in found.message
    return found


# Every row: the answer, then the class, subcode, WSManFault code, MSFT_WmiError code, and words of the sentence.
ROWS = {
    "invalid selectors": (
        fault(
            "s:Sender",
            "w:InvalidSelectors",
            "The WS-Management service cannot process the request because the request contained invalid selectors.",
            f"<w:FaultDetail>{DETAIL}/UnexpectedSelectors</w:FaultDetail>"
            + wsman_fault(2150858843, provider_fault("The shell was not found on the server.", "Shell cmd plugin")),
        ),
        (WsmanFault, "InvalidSelectors", 2150858843, None),
        ["invalid selectors", "shell was not found", "Shell cmd plugin", "run the play again"],
    ),
    "operation timeout": (
        fault("s:Receiver", "w:TimedOut", "It took too long.", wsman_fault(2150858793)),
        (OperationTimedOut, "TimedOut", 2150858793, None),
        ["It took too long", "operation timeout"],
    ),
    "operation timeout without a number": (
        fault("s:Receiver", "w:TimedOut", "It took too long."),
        (OperationTimedOut, "TimedOut", None, None),
        ["It took too long", "operation timeout"],
    ),
    "bad header": (
        fault("s:Sender", "a:InvalidMessageInformationHeader", "A header is bad.", wsman_fault(2150858767)),
        (WsmanFault, "InvalidMessageInformationHeader", 2150858767, None),
        ["A header is bad", "between controller and host"],
    ),
    "unknown class in WQL": (
        fault(
            "s:Sender",
            "n:CannotProcessFilter",
            "The WS-Management service cannot process the request.",
            wsman_fault(2150858778, provider_fault(wsman_fault(2150858778, "It has no such class.") + EXTENDED)),
        ),
        (WsmanFault, "CannotProcessFilter", 2150858778, None),
        ["cannot process the request", "It has no such class", "WMI Provider", "class or namespace does not exist"],
    ),
    "wrong namespace": (
        fault(
            "s:Sender",
            "n:CannotProcessFilter",
            None,
            wmi_error(WMI_ERROR_NAMESPACES[0], 2150858778, "Invalid namespace"),
        ),
        (WsmanFault, "CannotProcessFilter", None, 2150858778),
        ["Invalid namespace", "class or namespace does not exist"],
    ),
    "instance not found": (
        fault(
            "s:Sender",
            "a:DestinationUnreachable",
            "The resource URI is not known.",
            f"<w:FaultDetail>{DETAIL}/InvalidResourceURI</w:FaultDetail>"
            + wsman_fault(2150858752, provider_fault(EXTENDED)),
        ),
        (WsmanFault, "DestinationUnreachable", 2150858752, None),
        ["resource URI", "does not exist on this Windows"],
    ),
    "not a singleton": (
        fault("s:Receiver", "w:InternalError", "Not a singleton.", wsman_fault(2150859002)),
        (WsmanFault, "InternalError", 2150859002, None),
        ["more than one instance"],
    ),
    "shell quota": (
        fault(
            "s:Sender",
            "w:QuotaLimit",
            None,
            wmi_error(WMI_ERROR_NAMESPACES[2], 2150859173, "The maximum number of concurrent shells is exceeded.", 27),
        ),
        (WsmanFault, "QuotaLimit", None, 2150859173),
        ["maximum number of concurrent shells", "MaxShellsPerUser"],
    ),
    "too many operations": (
        fault("s:Receiver", "w:InternalError", "Too many.", wsman_fault(2150859174)),
        (WsmanFault, "InternalError", 2150859174, None),
        ["MaxConcurrentOperationsPerUser", "forks"],
    ),
    "access denied at the service": (
        fault("s:Sender", "w:AccessDenied", "Access is denied.", wsman_fault(5, "Access is denied.")),
        (AccessDenied, "AccessDenied", 5, None),
        ["Access is denied", "Administrators"],
    ),
    "access denied by subcode alone": (
        fault("s:Sender", "w:AccessDenied", "Access is denied."),
        (AccessDenied, "AccessDenied", None, None),
        ["Access is denied", "Administrators"],
    ),
    "access denied, shell variant": (
        fault("s:Receiver", "w:InternalError", "Access is denied.", wsman_fault(2147942405)),
        (AccessDenied, "InternalError", 2147942405, None),
        ["Administrators"],
    ),
    **{
        f"access denied inside WMI, {number}": (
            fault(
                "s:Receiver",
                "w:InternalError",
                "The WMI service returned an 'access denied' error.",
                wsman_fault(number),
            ),
            (AccessDenied, "InternalError", number, None),
            ["'access denied' error", "Administrators"],
        )
        for number in (2150859012, 2150859013, 2150859014)
    },
    "WMI's own access denied": (
        fault(
            "s:Receiver",
            "w:InternalError",
            "Access denied",
            wmi_error(WMI_ERROR_NAMESPACES[1], 0x80041003, "Access denied"),
        ),
        (AccessDenied, "InternalError", None, 0x80041003),
        ["Administrators"],
    ),
    "the WMI provider cannot": (
        fault("s:Receiver", "w:InternalError", "Provider failure", wsman_fault(2150859010, provider_fault(EXTENDED))),
        (WsmanFault, "InternalError", 2150859010, None),
        ["winmgmt /verifyrepository"],
    ),
    "more than an answer may hold": (
        fault(
            "s:Sender",
            "w:EncodingLimit",
            "The response that the WS-Management service computed exceeds the maximum envelope size in the request.",
            wsman_fault(2150858824),
        ),
        (AnswerTooLarge, "EncodingLimit", 2150858824, None),
        [
            "it is larger than an answer may be [code 2150858824, EncodingLimit]. Look at it on the host",
            "a value that nobody needs can be deleted there.",
        ],
    ),
    "more than the host lets an answer hold": (
        fault("s:Sender", "w:EncodingLimit", None, wsman_fault(2150858825)),
        (AnswerTooLarge, "EncodingLimit", 2150858825, None),
        ["it is larger than an answer may be"],
    ),
    "more than an answer may hold, in newer stacks": (
        fault("s:Sender", "w:EncodingLimit", None, wmi_error(WMI_ERROR_NAMESPACES[0], 2150858824, "Zu lang")),
        (AnswerTooLarge, "EncodingLimit", None, 2150858824),
        ["it is larger than an answer may be", "Look at it on the host"],
    ),
    "more than a request may hold": (
        fault("s:Sender", "w:EncodingLimit", "The request is too long.", wsman_fault(2150858805)),
        (WsmanFault, "EncodingLimit", 2150858805, None),
        ["The request is too long"],
    ),
    "no cure known": (
        fault("s:Receiver", "w:InternalError", "Something new.", wsman_fault(2150850000)),
        (WsmanFault, "InternalError", 2150850000, None),
        ["Something new [code 2150850000, InternalError]"],
    ),
    "nothing at all": (envelope(""), (WsmanFault, None, None, None), ["the host gave no reason"]),
}


@pytest.mark.parametrize("case", ROWS)
def test_every_row(case: str) -> None:
    document, (kind, subcode, wsman_code, wmi_code), words = ROWS[case]
    found = understood(document)
    assert found.__class__ is kind
    assert found.details["subcode"] == subcode
    assert found.details["wsman_code"] == wsman_code
    assert found.details["wmi_code"] == wmi_code
    for word in words:
        assert word in found.message
    assert found.as_result()["kind"] == kind.kind


@pytest.mark.parametrize("namespace", WMI_ERROR_NAMESPACES)
@pytest.mark.parametrize("number", [2150859173, 2150859173 - 2**32])
def test_wmi_error_in_all_namespaces(namespace: str, number: int) -> None:
    found = understood(fault("s:Sender", "w:QuotaLimit", None, wmi_error(namespace, number, "Too many shells")))
    assert found.details["wmi_code"] == 2150859173
    assert found.message.startswith("reading X failed: Too many shells [code 2150859173, QuotaLimit]. Too many WinRM")


def test_texts_are_not_repeated() -> None:
    sentence = "Access is denied. "
    found = understood(fault("s:Sender", "w:AccessDenied", sentence, wsman_fault(5, provider_fault(sentence))))
    assert found.message.count("Access is denied") == 1


def test_long_fault_is_cut_once() -> None:
    found = soap.find_fault(fault("s:Sender", "w:X", "x" * 1_500_000, wsman_fault(5, "y" * 100_000)), "reading X")
    assert found is not None
    assert len(found.message) < 1000
    assert found.message.count("xxxx") <= 125
    assert "more characters)" in found.message
    assert "Administrators" in found.message, "the cure is not lost"


def test_text_of_a_fault_is_visible() -> None:
    found = understood(fault("s:Sender", "w:X\u202e", "a\u009b31mb\u202ec", wsman_fault(1, "&#13;d")))
    assert "a<U+009B>31mb<U+202E>c" in found.message
    assert "w:X" not in found.message
    assert not set(found.message) & {"\u009b", "\u202e", "\r"}


@pytest.mark.parametrize("text", ["Message {} of something", "{}" + "z" * 60])
def test_thousands_of_messages_take_no_time(text: str) -> None:
    details = "".join(f"<Message>{text.format(number)}</Message>" for number in range(16_000))
    started = time.process_time()
    found = soap.find_fault(fault("s:Sender", "w:X", "Many", details), "reading X")
    assert time.process_time() - started < 2
    assert found is not None
    assert len(found.message) < 1000


def test_numbers_of_the_outer_fault_win() -> None:
    inner = wsman_fault(2150858752, "inner words")
    found = understood(fault("s:Receiver", "w:InternalError", None, wsman_fault(2150859010, provider_fault(inner))))
    assert found.details["wsman_code"] == 2150859010
    assert "inner words" in found.message


@pytest.mark.parametrize("number", ["", "many", "0x", " ", "9" * 4000, "4294967296"])
def test_number_that_is_none(number: str) -> None:
    assert understood(fault("s:Sender", None, "x", wsman_fault(number))).details["wsman_code"] is None


def test_hexadecimal_number() -> None:
    assert isinstance(understood(fault("s:Sender", None, "x", wsman_fault("0x80070005"))), AccessDenied)


@pytest.mark.parametrize("document", [b"", b"<html>", b"<a/>", envelope("")[:-30]])
def test_no_fault(document: bytes) -> None:
    assert soap.find_fault(document, "reading X") is None


def test_fault_in_an_answer() -> None:
    with pytest.raises(AccessDenied):
        soap.open_answer(ROWS["access denied at the service"][0], message_id=uuid.uuid4(), doing="reading X")
