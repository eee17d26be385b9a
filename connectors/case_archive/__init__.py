"""The case archive (ESDH, sags- og dokumentarkiv), declared in connector.yaml and its WSDL."""
