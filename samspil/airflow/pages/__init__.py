"""The pages in Airflow: what last night's flows did, per municipality, read-only and without any person's data.

Only ``application`` imports Airflow and FastAPI; what is shown is found and written without them.
"""
