"""Who may talk to whom: the network policies, worked out as the network would."""

from __future__ import annotations

from collections.abc import Iterator

from .model import Object, Overlay, Pod, Tree, check, selects, title

DNS = Pod({"kind": "Deployment", "metadata": {"name": "kube-dns"}}, {"k8s-app": "kube-dns"}, {"containers": []})
STRANGER = Pod({"kind": "Pod", "metadata": {"name": "a stranger"}}, {}, {"containers": []})


@check("network policies deny by default, in both directions, for every pod")
def default_deny(overlay: Overlay, _tree: Tree):
    for pod in overlay.all_pods:
        for direction, field in (("Ingress", "ingress"), ("Egress", "egress")):
            if not any(
                direction in policy["spec"].get("policyTypes", []) and not policy["spec"].get(field)
                for policy in policies(overlay, pod)
            ):
                yield f"{pod.title}: no NetworkPolicy denies {field} by default"


@check("network policies let through what the system needs, and not what it does not need")
def flows(overlay: Overlay, _tree: Tree):
    for source, target, port in needed(overlay):
        if not may_talk(overlay, source, target, port):
            yield f"{source.title} can't reach {target.title} on {port}"
    for source, target, port in forbidden(overlay):
        if may_talk(overlay, source, target, port):
            yield f"{source.title} can reach {target.title} on {port}"


Flow = tuple[Pod, Pod, int]


def needed(overlay: Overlay) -> Iterator[Flow]:
    nats, database, gateway = overlay.pod("nats"), database_of(overlay), overlay.pod("gateway")
    collector = overlay.pod("otel-collector")
    for pod in overlay.pods:
        yield pod, DNS, 53
        if pod.is_service:
            yield from ((pod, target, port) for target, port in ((nats, 4222), (database, 5432), (collector, 4318)) if target)
            if gateway:
                yield gateway, pod, 8080
                yield pod, gateway, 8480
        if may_ask(pod) and database:
            yield pod, database, 5432
        if pod.name == "streams" and nats:
            yield pod, nats, 4222
    if nats and nats.owner["spec"].get("replicas", 1) > 1:
        yield nats, nats, 6222
    if database and database.owner["kind"] == "Cluster":
        yield database, database, 5432


def forbidden(overlay: Overlay) -> Iterator[Flow]:
    nats, database = overlay.pod("nats"), database_of(overlay)
    services = [pod for pod in overlay.pods if pod.is_service]
    for pod in services:
        # Services hear of each other over NATS only.
        yield from ((pod, other, 8080) for other in services if other is not pod)
    for pod in overlay.pods:
        if database and pod is not database and not pod.is_service and not may_ask(pod):
            yield pod, database, 5432
        if nats and pod is not nats and not pod.is_service and pod.name != "streams":
            yield pod, nats, 4222
    for target, port in ((database, 5432), (nats, 4222), (nats, 6222)):
        if target:
            yield STRANGER, target, port


def may_ask(pod: Pod) -> bool:
    """Whether it is there to do something with the database, beside the services."""
    return pod.name.startswith("provision-") or pod.name == "heads"


def database_of(overlay: Overlay) -> Pod | None:
    pods = [*overlay.foreign_pods, *(pod for pod in overlay.pods if pod.port("postgres") or 5432 in pod.ports)]
    return pods[0] if pods else None


# ---- How the network decides -----------------------------------------------------------------------------------------


def policies(overlay: Overlay, pod: Pod) -> list[Object]:
    return [policy for policy in overlay.kind("NetworkPolicy") if selects(policy["spec"]["podSelector"], pod.labels)]


def may_talk(overlay: Overlay, source: Pod, target: Pod, port: int) -> bool:
    leaves = source is STRANGER or lets(overlay, source, "egress", "to", target, port)
    enters = target is DNS or lets(overlay, target, "ingress", "from", source, port)
    return leaves and enters


def lets(overlay: Overlay, pod: Pod, direction: str, side: str, other: Pod, port: int) -> bool:
    """Whether one of the policies of a pod lets the other one through; without any policy everything goes."""
    mine = [policy for policy in policies(overlay, pod) if direction.capitalize() in policy["spec"]["policyTypes"]]
    if not mine:
        return True
    asked = pod if direction == "ingress" else other
    return any(
        covers_port(rule, asked, port) and covers_peer(rule.get(side), other)
        for policy in mine
        for rule in policy["spec"].get(direction) or []
    )


def covers_port(rule: Object, pod: Pod, port: int) -> bool:
    ports = rule.get("ports")
    if not ports:
        return True
    for entry in ports:
        first = entry.get("port")
        if isinstance(first, str):
            first = pod.port(first)
        elif first is None:
            return True
        if first is not None and first <= port <= entry.get("endPort", first):
            return True
    return False


def covers_peer(peers: list[Object] | None, other: Pod) -> bool:
    if not peers:
        return True
    for peer in peers:
        if "ipBlock" in peer:
            continue  # Addresses of pods are in private ranges, which the policies leave out.
        inside = "namespaceSelector" not in peer
        if other is STRANGER:
            continue
        if other is DNS:
            # It stands in another namespace.
            if not inside and selects(peer.get("podSelector", {}), other.labels):
                return True
        elif inside and selects(peer["podSelector"], other.labels):
            return True
    return False


PRIVATE = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"}
API_SERVER = {443, 6443}


@check("the way to the internet leads to no private address")
def internet(overlay: Overlay, _tree: Tree):
    for policy in overlay.kind("NetworkPolicy"):
        for rule in policy["spec"].get("egress") or []:
            for peer in rule.get("to") or []:
                block = peer.get("ipBlock", {})
                if block.get("cidr") == "0.0.0.0/0" and PRIVATE - set(block.get("except") or []):
                    yield f"{title(policy)}: spec.egress: 0.0.0.0/0 must leave out {', '.join(sorted(PRIVATE))}"
            if rule.get("to"):
                continue
            # Where the API server is, no policy can name; so those that need it may ask these ports of anybody.
            if {entry.get("port") for entry in rule.get("ports") or [{}]} - API_SERVER:
                yield f"{title(policy)}: spec.egress: a rule must say to whom"
            for pod in overlay.all_pods:
                if selects(policy["spec"]["podSelector"], pod.labels) and not needs_api_server(pod):
                    yield f"{title(policy)}: spec.egress: {pod.title} may talk to anybody"


def needs_api_server(pod: Pod) -> bool:
    return pod.spec.get("serviceAccountName") == "keys" or pod.owner["kind"] == "Cluster"
