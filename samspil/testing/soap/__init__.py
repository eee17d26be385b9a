"""A sandbox for any declared SOAP connector, made of its WSDL and its declaration."""

from samspil.testing.soap.sandbox import SoapFault, SoapSandbox

__all__ = ["SoapFault", "SoapSandbox"]
