"""The extract of persons from the civil registration system, declared in connector.yaml."""
