"""The connectors, one folder for each kind of system. A folder is found by being here (see ``samspil.registry``)."""
