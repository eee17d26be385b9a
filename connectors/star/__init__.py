"""STAR's shared data on employment measures (Det Fælles Datagrundlag, DFDG): activities, over SOAP and mutual TLS."""
