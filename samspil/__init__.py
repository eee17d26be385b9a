"""Samspil: moves case data between Danish municipalities' systems, every night, and shows that it did."""

__version__ = "0.1.0"
