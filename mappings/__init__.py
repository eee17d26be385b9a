"""Mapping files: how each system's records and the shared schemas become each other. Data only."""
