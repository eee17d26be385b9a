"""The list of companies with free places, declared in connector.yaml."""
