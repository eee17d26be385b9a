"""CSV files over SFTP: the contract of their columns, exports read as raw records, records dropped as files."""

from samspil.files.columns import Column, FileKind, contract
from samspil.files.csvfile import Encoding, table
from samspil.files.drop import check, delivery, render
from samspil.files.export import Export
from samspil.files.rows import Rows

__all__ = ["Column", "Encoding", "Export", "FileKind", "Rows", "check", "contract", "delivery", "render", "table"]
