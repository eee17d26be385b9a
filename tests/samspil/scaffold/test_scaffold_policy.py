"""A WSDL that says by WS-Policy how messages are secured makes the scaffold propose it, and decide nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from samspil.scaffold import new

VENDOR = Path(__file__).parents[1] / "declared/soap/vendor/vendor.wsdl"
POLICY = '<p:Policy xmlns:p="{}"><p:All/></p:Policy><w:types>'


@pytest.mark.parametrize(
    ("namespace", "proposed"),
    [("http://www.w3.org/ns/ws-policy", 1), ("http://schemas.xmlsoap.org/ws/2004/09/policy", 1), ("urn:other", 0)],
)
def test_a_policy_is_proposed_as_a_comment(tmp_path, namespace, proposed):
    file = tmp_path / "vendor.wsdl"
    file.write_text(VENDOR.read_text("utf-8").replace("<w:types>", POLICY.format(namespace), 1), "utf-8")
    made = new.from_wsdl("bookings", file, new.wanted(["case=Item"]), tmp_path)
    lines = made.files["connectors/bookings/connector.yaml"].decode().splitlines()
    found = [line for line in lines if "security" in line]
    assert ["# the WSDL has a WS-Policy: are messages signed? perhaps security: {answers: signed}"] * proposed == found
