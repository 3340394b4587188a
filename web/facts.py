"""/facts: the collections that a person may change, and a file in. The metrics of collections.

A person is who a trusted proxy says (WEB_USER_HEADER). Everybody else has no collections here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from aiohttp import web
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from core import strict_json
from core.errors import NotAnEditor
from core.rag.facts.editing import Editor, FactsEditing
from core.rag.facts.schedule import RefreshSchedule
from core.runtime.digest import hash_id
from web.file_upload import FileUpload, check_media_type, parse_name, read_file
from web.service import SERVICE
from web.visitor import find_person

PLATFORM = "web"


class FactsEndpoints:
    """`editing`: None where nobody may edit."""

    def __init__(self, editing: FactsEditing | None, files: FileUpload) -> None:
        self._editing = editing
        self._files = files

    async def collections(self, request: web.Request) -> web.Response:
        """GET /facts: those that this person may change; none for others."""
        editor = find_editor(request)
        editable = await self._editing.editable(editor) if self._editing and editor else ()
        collections = [{"name": each.name, "title": dict(each.titles)} for each in editable]
        return web.json_response({"collections": collections})

    async def add(self, request: web.Request) -> web.Response:
        """POST /facts/<collection>?name=report.pdf: reads a file into the collection."""
        service, editor = request.app[SERVICE], find_editor(request)
        collection, name = request.match_info["collection"], parse_name(request)
        check_media_type(request)
        if self._editing is None or editor is None:
            raise NotAnEditor("this service does not know you as an editor of collections")
        await self._editing.require(editor, collection)  # before the file is read
        async with self._files.slot(service, service.user_id(request)):
            body = await read_file(request, service)
            added = await self._editing.add_file(editor, collection, name, body, request.content_type)
        return web.Response(body=strict_json.dump(asdict(added)), content_type="application/json")


def find_editor(request: web.Request) -> Editor | None:
    person = find_person(request)
    if person is None:
        return None
    ids = {person.id, *filter(None, (person.email,)), *(f"group:{each}" for each in person.groups)}
    return Editor(PLATFORM, frozenset(ids), hash_id(f"{PLATFORM}:{person.id}"))


class FactsMetrics(Collector):
    """The states of the collections of config/facts.toml, as the schedule read them last."""

    def __init__(self, schedule: RefreshSchedule) -> None:
        self._schedule = schedule

    def collect(self) -> Iterator[Metric]:
        documents = GaugeMetricFamily("csps_facts_documents", "Documents in a collection", labels=("collection",))
        success = GaugeMetricFamily(
            "csps_facts_last_success_timestamp_seconds", "The last whole synchronisation", labels=("collection",)
        )
        failures = GaugeMetricFamily("csps_facts_failures", "Failed synchronisations in a row", labels=("collection",))
        overdue = GaugeMetricFamily("csps_facts_overdue", "1 if two intervals were missed", labels=("collection",))
        for status in self._schedule.statuses:
            if status.title is None:  # the file does not have it
                continue
            documents.add_metric((status.name,), status.documents)
            success.add_metric((status.name,), status.succeeded_at or 0)
            failures.add_metric((status.name,), status.failures)
            overdue.add_metric((status.name,), status.is_overdue)
        yield from (documents, success, failures, overdue)
