"""The app behind the pages, mounted in Airflow's API server under ``/samspil``.

Airflow does not guard a plugin's app, so this one does: every page asks who is there, and shows only municipalities
whose DAG that person may read. It has no route that changes anything.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.base_auth_manager import BaseAuthManager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import (
    GetUserDep,
    auth_manager_from_app,
    requires_access_dag,
    requires_authenticated,
)
from airflow.configuration import conf
from fastapi import Depends, FastAPI, HTTPException, Request, Response, status
from fastapi.responses import HTMLResponse, RedirectResponse

from samspil.airflow.accounts import account
from samspil.airflow.pages.content import flow_page, message_page, overview_page
from samspil.airflow.pages.municipalities import Listed, folder, municipalities
from samspil.airflow.pages.plan import plan_page
from samspil.airflow.pages.style import CONTENT_SECURITY_POLICY
from samspil.airflow.pages.words import Words
from samspil.errors import AccessError, SettingsError, Unavailable

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


_MAY_ANSWER = Depends(requires_access_dag("PUT", DagAccessEntity.HITL_DETAIL))  # what Airflow asks of an answer
AuthManager = Annotated[BaseAuthManager[Any], Depends(auth_manager_from_app)]


@cache
def application() -> FastAPI:
    """The app, made once. Whatever is not a page is not there: no documentation, no files, no writing."""
    app = FastAPI(
        title="Samspil",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan,
        dependencies=[Depends(requires_authenticated())],
        exception_handlers={HTTPException: _refused, Unavailable: _unavailable, AccessError: _unavailable},
    )
    app.add_api_route("/overview", overview, response_class=HTMLResponse)
    app.add_api_route("/flow/{dag_id}/{name}", flow, response_class=HTMLResponse)
    app.add_api_route("/plan/{dag_id}/{run}", plan, response_class=HTMLResponse, dependencies=[_MAY_ANSWER])
    return app


def readable(user: GetUserDep, auth_manager: AuthManager) -> list[Listed]:
    """The municipalities whose DAG exists in Airflow and may be read by this user."""
    may_read = auth_manager.get_authorized_dag_ids(user=user, method="GET")
    listed = municipalities(folder(conf.get_mandatory_value("core", "dags_folder")))
    return [each for each in listed if each.dag_id in may_read]


Readable = Annotated[list[Listed], Depends(readable)]


def overview(listed: Readable) -> HTMLResponse:
    """This morning, all municipalities."""
    return HTMLResponse(overview_page(listed, Words.from_environment(), time.time()), headers=_HEADERS)


def flow(dag_id: str, name: str, listed: Readable) -> HTMLResponse:
    """One flow. What does not exist and what may not be seen answer alike."""
    for each in listed:
        if each.dag_id == dag_id:
            try:
                return HTMLResponse(flow_page(each, name, Words.from_environment(), time.time()), headers=_HEADERS)
            except KeyError:
                break
    raise HTTPException(status.HTTP_404_NOT_FOUND)


def plan(dag_id: str, run: int, listed: Readable) -> HTMLResponse:
    """A plan that waits for a person, for those who may answer."""
    words = Words.from_environment()
    path = folder(conf.get_mandatory_value("core", "dags_folder"))
    for each in listed:
        if each.dag_id == dag_id and each.file is not None:
            try:
                text = plan_page(each, path / f"{each.file.slug}.yaml", run, words, time.time(), account)
            except KeyError:
                break
            except SettingsError:
                text = message_page("no_key", words, back="../../overview")
            return HTMLResponse(text, headers=_HEADERS)
    raise HTTPException(status.HTTP_404_NOT_FOUND)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.auth_manager = get_auth_manager()  # the dependency looks for it in the app that is asked
    yield


async def _refused(request: Request, error: Exception) -> Response:
    """Nobody logged in: to the login page, and back here afterwards."""
    code = error.status_code if isinstance(error, HTTPException) else status.HTTP_500_INTERNAL_SERVER_ERROR
    if code == status.HTTP_401_UNAUTHORIZED:
        login = get_auth_manager().get_url_login(next_url=request.url.path)
        return RedirectResponse(login, status.HTTP_303_SEE_OTHER, headers={"Cache-Control": "no-store"})
    return _message(request, "not_found", code)


async def _unavailable(request: Request, _error: Exception) -> Response:
    return _message(request, "no_store", status.HTTP_503_SERVICE_UNAVAILABLE)


def _message(request: Request, what: str, code: int) -> Response:
    back = f"{request.scope.get('root_path', '')}/overview"
    return HTMLResponse(message_page(what, Words.from_environment(), back=back), code, headers=_HEADERS)
