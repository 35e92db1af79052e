"""Whether alerts, dashboards and scalers name metrics that exist, and whether each alert tells what to do."""

from __future__ import annotations

import functools
import json
import pathlib
import re
from collections.abc import Iterator
from typing import NamedTuple

import promql_parser as promql
import yaml

from .model import OBSERVABILITY, Object, Overlay, Tree, check_all, dig, title

FOREIGN = pathlib.Path(__file__).parent / "foreign-metrics.yaml"
SEVERITIES = ("page", "ticket")
TARGET_LABELS = {"job", "instance", "namespace", "pod", "service", "container", "endpoint", "node", "cluster", "prometheus"}
"""Labels that a metric gets from where it was read."""


class Query(NamedTuple):
    place: str
    text: str


# ---- Where queries stand ---------------------------------------------------------------------------------------------


def rules_of(overlay: Overlay) -> Iterator[tuple[Object, Object]]:
    for thing in overlay.kind("PrometheusRule"):
        for group in thing["spec"].get("groups") or []:
            for rule in group.get("rules") or []:
                yield thing, rule


def dashboards_of(overlay: Overlay) -> Iterator[tuple[str, Object]]:
    for thing in overlay.kind("ConfigMap"):
        for name, text in (thing.get("data") or {}).items():
            if name.endswith(".json") and '"panels"' in text:
                yield name, json.loads(text)


def queries_of(overlay: Overlay) -> Iterator[Query]:
    for thing, rule in rules_of(overlay):
        yield Query(f"{title(thing)}: {rule.get('alert') or rule.get('record')}", str(rule["expr"]))
    for thing in overlay.kind("ScaledObject"):
        for trigger in thing["spec"]["triggers"]:
            if trigger["type"] == "prometheus":
                yield Query(f"{title(thing)}: triggers[prometheus].query", trigger["metadata"]["query"])
    for name, dashboard in dashboards_of(overlay):
        for place, text in dashboard_queries(dashboard):
            yield Query(f"{name}: {place}", with_values(text))


def dashboard_queries(value: object, place: str = "dashboard", source: str = "prometheus") -> Iterator[tuple[str, str]]:
    """Queries of panels, and of the variables at the top of a dashboard."""
    if isinstance(value, list):
        for inner in value:
            yield from dashboard_queries(inner, place, source)
    elif isinstance(value, dict):
        source = dig(value, "datasource", "type", default=source)
        if isinstance(value.get("title"), str) and "type" in value:
            place = f"panel “{value['title']}”"
        if isinstance(value.get("expr"), str) and source == "prometheus":
            yield place, value["expr"]
        if value.get("type") == "query" and isinstance(value.get("name"), str) and source == "prometheus":
            query = value.get("query")
            text = query.get("query", "") if isinstance(query, dict) else query
            inner = variable_query(text or "")
            if inner:
                yield f"variable {value['name']}", inner
        for inner in value.values():
            yield from dashboard_queries(inner, place, source)


def variable_query(text: str) -> str | None:
    found = re.fullmatch(r"\s*(?:label_values\((.*),\s*\w+\s*\)|query_result\((.*)\))\s*", text, re.DOTALL)
    return next(filter(None, found.groups()), None) if found else None


def with_values(text: str) -> str:
    """A dashboard's query with something in the place of each variable that stands outside of quotes."""
    parts = re.split(r'("(?:[^"\\]|\\.)*")', text)
    for index in range(0, len(parts), 2):
        parts[index] = re.sub(r"\$\{?__(rate_interval|interval|range)(:\w+)?\}?", "5m", parts[index])
        parts[index] = re.sub(r"\$\{?\w+(:\w+)?\}?", "1", parts[index])
    return "".join(parts)


# ---- Which metrics there are -----------------------------------------------------------------------------------------


@functools.cache
def listed(text: str) -> dict[str, set[str]]:
    """Series of the table in metrics.md, with their labels."""
    series: dict[str, set[str]] = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) < 5 or cells[0] == "name" or set(cells[0]) <= {"-", ":"}:
            continue
        name, kind, labels = cells[0].strip("`"), cells[1], set(re.findall(r"\w+", cells[3]))
        if kind == "histogram":
            series |= {f"{name}_bucket": labels | {"le"}, f"{name}_sum": labels, f"{name}_count": labels}
        else:
            series[name] = labels | ({"quantile"} if kind == "summary" else set())
    return series


@functools.cache
def foreign() -> set[str]:
    return {name for names in yaml.safe_load(FOREIGN.read_text("utf-8")).values() for name in names}


def recorded(overlays: list[Overlay]) -> set[str]:
    return {rule["record"] for overlay in overlays for _, rule in rules_of(overlay) if "record" in rule}


def selectors_in(text: str) -> list[promql.VectorSelector]:
    found = []

    def visit(node: object) -> None:
        if isinstance(node, promql.VectorSelector):
            found.append(node)
        elif isinstance(node, promql.MatrixSelector):
            visit(node.vector_selector)
        elif isinstance(node, promql.BinaryExpr):
            visit(node.lhs)
            visit(node.rhs)
        elif isinstance(node, promql.Call):
            for argument in node.args:
                visit(argument)
        elif isinstance(node, promql.AggregateExpr):
            visit(node.expr)
            visit(node.param)
        elif isinstance(node, (promql.ParenExpr, promql.SubqueryExpr, promql.UnaryExpr)):
            visit(node.expr)

    visit(promql.parse(text))
    return found


@check_all("alerts, dashboards and scalers name metrics and labels that exist")
def known_metrics(overlays: list[Overlay], tree: Tree):
    ours, recordings = listed(tree.metrics), recorded(overlays)
    seen: set[Query] = set()
    used: set[str | None] = set()
    for overlay in overlays:
        for query in queries_of(overlay):
            if query in seen:
                continue
            seen.add(query)
            try:
                selectors = selectors_in(query.text)
            except ValueError as fault:
                yield f"{query.place}: is not PromQL: {fault}: {query.text}"
                continue
            for selector in selectors:
                name = selector.name
                if name is None:
                    yield f"{query.place}: names no metric: {selector.prettify()}"
                elif name in ours:
                    for matcher in selector.matchers.matchers:
                        if matcher.name not in ours[name] | TARGET_LABELS:
                            yield f"{query.place}: {name} has no label {matcher.name}"
                elif name not in recordings and name not in foreign():
                    yield f"{query.place}: no metric is named {name}"
                used.add(name)
    if not seen:
        yield "there is no alert and no dashboard to check"
    yield from (f"{FOREIGN.name}: {name}: nothing uses it" for name in sorted(foreign() - used))


# ---- Alerts and dashboards -------------------------------------------------------------------------------------------


@check_all("every alert has a severity, words and a runbook; every runbook has an alert")
def alerts(overlays: list[Overlay], tree: Tree):
    used = set()
    for overlay in overlays:
        for thing, rule in rules_of(overlay):
            if "alert" not in rule:
                continue
            place = f"{title(thing)}: {rule['alert']}"
            if dig(rule, "labels", "severity") not in SEVERITIES:
                yield f"{place}: labels.severity: must be {' or '.join(SEVERITIES)}"
            for field in ("summary", "description", "runbook_url"):
                if not dig(rule, "annotations", field):
                    yield f"{place}: annotations.{field}: missing"
            page = pathlib.PurePosixPath(dig(rule, "annotations", "runbook_url", default="")).name.partition("#")[0]
            used.add(page.removesuffix(".md"))
            if page and page.removesuffix(".md") not in tree.runbooks:
                yield f"{place}: annotations.runbook_url: there is no runbooks/{page}"
    if used:
        yield from (f"runbooks/{page}.md: no alert leads here" for page in tree.runbooks if page not in used)


@check_all("every dashboard is delivered, with an address of its own")
def dashboards(overlays: list[Overlay], _tree: Tree):
    delivered = {name: dashboard for overlay in overlays for name, dashboard in dashboards_of(overlay)}
    for file in sorted(OBSERVABILITY.glob("dashboards/*.json")):
        if file.name not in delivered:
            yield f"dashboards/{file.name}: in no ConfigMap of an overlay"
    addresses: dict[str, str] = {}
    for name, dashboard in delivered.items():
        address = dashboard.get("uid")
        if not address or address in addresses:
            yield f"{name}: uid: {address!r} must be there and differ from all others"
        if dashboard.get("id") is not None or "__inputs" in dashboard:
            yield f"{name}: id and __inputs belong to one installation"
        addresses[address or ""] = name
