# ruff: noqa: INP001  # Airflow's plugins folder is no package
"""The pages "Samspil" in Airflow's navigation. Airflow runs this file in every process, so all of it comes late."""

from typing import Any

from airflow.plugins_manager import AirflowPlugin


class SamspilPages(AirflowPlugin):
    """Last night's flows of every municipality that the person logged in may see. Read-only."""

    name = "samspil_pages"
    external_views = [  # noqa: RUF012  # Airflow's own declaration of it
        {
            "name": "Samspil",
            "href": "samspil/overview",  # relative, so that it follows [api] base_url
            "destination": "nav",
            "nav_top_level": True,
            "url_route": "samspil",
        }
    ]

    @property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]  # only the API server asks for it
        """The app behind the pages."""
        from samspil.airflow.pages.application import application  # noqa: PLC0415  # what every process would pay for

        return [{"app": application(), "url_prefix": "/samspil", "name": "Samspil"}]
