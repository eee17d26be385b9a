"""A vendor's WSDL with a declaration that tests change, its sandbox, and a connector for it, over real HTTP."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import stamina

from samspil.connector import Connector
from samspil.declared import declared
from samspil.errors import SettingsError
from samspil.testing.soap import SoapSandbox
from samspil.testing.world import World

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


class Vendor:
    """A folder with a WSDL and a declaration; ``swap`` changes texts in either before it is used."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(HERE / "vendor", folder)
        self.folder = folder
        self.world = World("760", citizens=30)
        self._open: list[Connector | SoapSandbox] = []

    def swap(self, old: str, new: str, file: str = "connector.yaml") -> None:
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def problem(self) -> str:
        """The error on loading, with the folder left out of it."""
        with pytest.raises(SettingsError) as caught:
            declared(self.folder / "connector.yaml")
        assert "\n" not in str(caught.value)
        return str(caught.value).replace(f"{self.folder}/", "")

    def sandbox(self, mappings: Path = HERE / "mappings") -> SoapSandbox:
        made = type("VendorSandbox", (SoapSandbox,), {"folder": self.folder, "mappings": mappings})(self.world)
        made.start()
        self._open.append(made)
        return made

    def connector(self, sandbox: SoapSandbox, **settings: object) -> Connector:
        password = str(settings.pop("password", sandbox.account.password))
        extra = {**sandbox.account.extra, **settings}
        account = msgspec.structs.replace(sandbox.account, password=password, extra=extra)
        made = declared(self.folder / "connector.yaml")(account)
        self._open.append(made)
        return made

    def close(self) -> None:
        for one in reversed(self._open):
            one.stop() if isinstance(one, SoapSandbox) else one.close()


@pytest.fixture
def vendor(tmp_path: Path) -> Iterator[Vendor]:
    made = Vendor(tmp_path / "vendor")
    yield made
    made.close()


@pytest.fixture
def good(vendor: Vendor) -> Callable[[int], set[bytes]]:
    """Keys of the world's cases that are no broken XML, on a night."""

    def keys(night: int = 1) -> set[bytes]:
        return {fact["id"].encode() for fact in vendor.world.records("case", night)} - {
            key.encode() for key, kind in vendor.world.broken("case", night).items() if kind == "broken-syntax"
        }

    return keys
