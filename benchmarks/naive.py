"""The script most integrations of today are: objects for every record, the ORM row by row, no check, no memory.

``python -m benchmarks.naive`` with a JSON job on standard input; prints the measure as JSON. It reads the same pages
over the same protocol and keeps the same table up to date as the hub's flow does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import requests
import sqlalchemy.dialects.postgresql.psycopg as dialect
import zeep
from sqlalchemy import JSON, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from zeep.helpers import serialize_object

from benchmarks.measure import measured

WARM = (psycopg, dialect)  # imports belong to the start, not to the night


class Base(DeclarativeBase):
    """The tables of the script."""


class ActionPlan(Base):
    """One row per plan."""

    __tablename__ = "naive_action_plans"
    id: Mapped[str] = mapped_column(primary_key=True)
    cpr: Mapped[str]
    order_id: Mapped[str]
    title: Mapped[str]
    author: Mapped[str]
    updated_at: Mapped[str]
    start: Mapped[str]
    end: Mapped[str | None]
    next_follow_up: Mapped[str | None]
    purpose: Mapped[str]
    citizens_wish: Mapped[str | None]
    goals: Mapped[Any] = mapped_column(JSON)


class CourseOrder(Base):
    """One row per order."""

    __tablename__ = "naive_course_orders"
    id: Mapped[str] = mapped_column(primary_key=True)
    cpr: Mapped[str]
    given_names: Mapped[str]
    family_name: Mapped[str]
    case_id: Mapped[str | None]
    target_group: Mapped[str]
    provider: Mapped[str]
    offer: Mapped[str]
    start: Mapped[str]
    end: Mapped[str | None]
    hours_per_week: Mapped[str]
    price: Mapped[str | None]
    consent: Mapped[bool]
    case_worker: Mapped[str | None]
    ordered_at: Mapped[str]
    goals: Mapped[Any] = mapped_column(JSON)


def rest_pages(job: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """Pages of plans as columns, with requests."""
    account = job["account"]
    url = f"http://{account['host']}:{account['port']}"
    form = {
        "grant_type": "client_credentials",
        "client_id": account["login"],
        "client_secret": account["password"],
        "scope": "journal",
    }
    session = requests.Session()
    token = session.post(f"{url}/oauth/token", data=form, timeout=60).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "X-Tenant": account["extra"]["tenant"]}
    page, more = 1, True
    while more:
        query = {"page": page, "pageSize": job["page"]}
        body = session.get(f"{url}/v1/action-plans", params=query, headers=headers, timeout=60).json()
        yield [
            {
                "id": plan["id"],
                "cpr": plan["cprNumber"],
                "order_id": plan["courseOrderId"],
                "title": plan["title"],
                "author": plan["author"]["name"],
                "updated_at": plan["lastChanged"],
                "start": plan["startDate"],
                "end": plan["endDate"],
                "next_follow_up": plan["nextFollowUp"],
                "purpose": plan["purpose"],
                "citizens_wish": plan["citizensWish"],
                "goals": plan["goals"],
            }
            for plan in body["data"]
        ]
        page, more = page + 1, body["hasMore"]


def soap_pages(job: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """Pages of orders as columns, with zeep's objects."""
    account = job["account"]
    session = requests.Session()
    session.auth = (account["login"], account["password"])
    client = zeep.Client(job["wsdl"], transport=zeep.Transport(session=session))
    binding = next(iter(client.wsdl.bindings))
    url = f"http://{account['host']}:{account['port']}{account['schema']}"
    service = client.create_service(binding, url)
    authority = {"MunicipalityCVR": account["extra"]["municipality_cvr"]}
    page, more = 1, True
    while more:
        answer = service.BestillingHent(AuthorityContext=authority, SideNummer=page, SideStoerrelse=job["page"])
        yield [
            {
                "id": order.BestillingId,
                "cpr": order.Borger.CPRnummer,
                "given_names": order.Borger.Fornavne,
                "family_name": order.Borger.Efternavn,
                "case_id": order.SagId,
                "target_group": order.Maalgruppe,
                "provider": order.UdbyderPNummer,
                "offer": order.Tilbud,
                "start": str(order.Periode.Startdato),
                "end": str(order.Periode.Slutdato),
                "hours_per_week": str(order.TimerPrUge),
                "price": str(order.Bevilling.Beloeb) if order.Bevilling else None,
                "consent": order.Samtykke,
                "case_worker": order.Sagsbehandler.Navn if order.Sagsbehandler else None,
                "ordered_at": str(order.BestiltTidspunkt),
                "goals": json.loads(json.dumps(serialize_object(order.Maal), default=str)),
            }
            for order in answer.Bestilling
        ]
        page, more = page + 1, answer.FlereSider


def night(job: dict[str, Any]) -> dict[str, int]:
    """One night: get each row or add it, set its columns, commit page by page."""
    kind, pages = (ActionPlan, rest_pages) if job["protocol"] == "REST" else (CourseOrder, soap_pages)
    engine = create_engine(job["dsn"])
    Base.metadata.create_all(engine)
    count = 0
    with Session(engine) as session:
        for page in pages(job):
            for values in page:
                row = session.get(kind, values["id"])
                if row is None:
                    session.add(kind(**values))
                else:
                    for name, value in values.items():
                        setattr(row, name, value)
                count += 1
            session.commit()
    return {"read": count}


if __name__ == "__main__":
    told = json.load(sys.stdin)
    print(json.dumps(measured(lambda: night(told))))
