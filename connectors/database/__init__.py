"""A municipality's own database (ledelsesinformation, data warehouse), through SQLAlchemy."""
