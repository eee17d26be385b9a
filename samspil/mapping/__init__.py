"""Mappings: files of rows between a system's record and a shared schema, compiled to functions."""

from samspil.mapping.mapping import Mapping, load

__all__ = ["Mapping", "load"]
