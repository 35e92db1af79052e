"""Whether the routes send the paths of the API to the services that own them, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from .model import Object, Overlay, Tree, check, check_all, dig, title


@check_all("routes.txt covers every path of the API document once, and sends it to its owner")
def golden(_overlays: list[Overlay], tree: Tree):
    for path, owner in tree.paths.items():
        covering = [prefix for prefix in tree.routes if covers(prefix, path)]
        if len(covering) != 1:
            yield f"routes.txt: {path}: covered by {', '.join(covering) or 'no prefix'}"
        elif tree.routes[covering[0]] != owner:
            yield f"routes.txt: {covering[0]}: goes to {tree.routes[covering[0]]}, but {owner or 'nobody'} owns {path}"
    for prefix in tree.routes:
        if not prefix.startswith("/v1/"):
            yield f"routes.txt: {prefix}: only /v1 is public"
        elif not any(covers(prefix, path) for path in tree.paths):
            yield f"routes.txt: {prefix}: the API has no such path"


def covers(prefix: str, path: str) -> bool:
    """As Gateway and Ingress compare them: by whole segments."""
    return (path + "/").startswith(prefix.rstrip("/") + "/")


@check("routes are those of routes.txt, and nothing else is public")
def rendered(overlay: Overlay, tree: Tree):
    for kind, entries_of in (("HTTPRoute", of_route), ("Ingress", of_ingress)):
        things = overlay.kind(kind)
        seen: dict[str, str] = {}
        for thing in things:
            for prefix, service, port, fault in entries_of(thing):
                if fault:
                    yield f"{title(thing)}: {fault}"
                    continue
                if prefix in seen:
                    yield f"{title(thing)}: {prefix}: twice"
                seen[prefix] = service
                yield from backend(overlay, thing, prefix, service, port)
        for prefix in sorted(seen.keys() | tree.routes.keys() if things else ()):
            if seen.get(prefix) != tree.routes.get(prefix):
                wanted = tree.routes.get(prefix, "nowhere")
                yield f"{kind}: {prefix}: goes {to(seen.get(prefix))}, and routes.txt says {to(wanted)}"
    if not overlay.is_trial and not overlay.kind("HTTPRoute", "Ingress"):
        yield "no HTTPRoute or Ingress"
    for service in overlay.kind("Service"):
        if service["spec"].get("type", "ClusterIP") not in ("ClusterIP", "ExternalName"):
            yield f"{title(service)}: spec.type: {service['spec']['type']} makes every path public"


def to(service: str | None) -> str:
    return "nowhere" if service in (None, "nowhere") else f"to {service}"


Entry = tuple[str, str, int | str | None, str]


def of_route(route: Object) -> Iterator[Entry]:
    for rule in route["spec"].get("rules") or []:
        filters = {entry["type"]: entry for entry in rule.get("filters") or []}
        if not rule.get("backendRefs"):
            if dig(filters, "RequestRedirect", "requestRedirect", "scheme") != "https":
                yield "", "", None, "a rule without backendRefs, which is not the redirect to https"
            continue
        for match in rule.get("matches") or [{}]:
            path = match.get("path") or {}
            kind, prefix = path.get("type", "PathPrefix"), path.get("value", "/")
            if kind != "PathPrefix":
                yield "", "", None, f"{prefix}: {kind} is not a prefix"
            elif len(rule["backendRefs"]) != 1:
                yield "", "", None, f"{prefix}: more than one backend"
            else:
                yield prefix, rule["backendRefs"][0]["name"], rule["backendRefs"][0].get("port"), ""


def of_ingress(ingress: Object) -> Iterator[Entry]:
    if ingress["spec"].get("defaultBackend"):
        yield "", "", None, "spec.defaultBackend: makes every path public"
    for rule in ingress["spec"].get("rules") or []:
        for entry in dig(rule, "http", "paths", default=[]):
            if entry["pathType"] != "Prefix":
                yield "", "", None, f"{entry.get('path')}: {entry['pathType']} is not a prefix"
            port = dig(entry, "backend", "service", "port", default={})
            yield entry["path"], dig(entry, "backend", "service", "name"), port.get("number", port.get("name")), ""


def backend(overlay: Overlay, thing: Object, prefix: str, name: str, port: int | str | None) -> Iterator[str]:
    service = overlay.find("Service", name)
    if service is None:
        yield f"{title(thing)}: {prefix}: Service {name} is not there"
        return
    ports = service["spec"].get("ports") or []
    if not any(port in (entry["port"], entry.get("name")) for entry in ports):
        yield f"{title(thing)}: {prefix}: Service {name} has no port {port}"


@check("operator's pages are reachable inside only: a service listens where its probes ask")
def one_port(overlay: Overlay, _tree: Tree):
    for pod in overlay.pods:
        if pod.is_service and pod.ports - {"http", 8080}:
            yield f"{pod.title}: ports: {sorted(map(str, pod.ports))}, and it listens on 8080 only"
