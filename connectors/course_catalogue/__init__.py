"""A course vendor's register of who takes part in what (kursusadministration), read by somebody else's Singer tap."""
