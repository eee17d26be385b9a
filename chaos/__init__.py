"""Faults on purpose, each with a seed: after every one the target must hold each record exactly once, in order."""
