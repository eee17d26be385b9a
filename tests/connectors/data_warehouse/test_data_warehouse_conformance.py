"""What every connector promises, tried on this one."""

from connectors.data_warehouse.sandbox import DataWarehouseSandbox
from samspil.testing.conformance import Subject, conformance

test_conformance = conformance(Subject("data_warehouse", DataWarehouseSandbox))
