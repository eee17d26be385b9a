"""What proves a connector: synthetic facts, sandboxes over real HTTP and faults on the way. Ships with the engine."""
