"""The generated pages are those of the code as it stands."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_the_generated_pages_are_up_to_date():
    """If this fails: make docs."""
    spec = importlib.util.spec_from_file_location("samspil_docs", ROOT / "tools" / "docs.py")
    docs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(docs)
    written = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "reference").glob("*.md")}
    assert written == docs.pages()
