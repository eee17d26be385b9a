"""An education centre's journal system that speaks REST and JSON (elektronisk journalsystem)."""
