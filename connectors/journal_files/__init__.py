"""The education centre's journal where it has no API: CSV files over SFTP (elektronisk journalsystem)."""
