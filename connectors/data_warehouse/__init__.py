"""A municipality's data warehouse (datavarehus, ledelsesinformation) as source and target."""
