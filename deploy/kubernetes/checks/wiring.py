"""Whether what names something else names something that is there."""

from __future__ import annotations

import re
from collections import Counter

from .model import SERVICES, Object, Overlay, Pod, Tree, check, dig, name_of, selects, title

SERVICE_KEYS = {"database-password", "platform-password", "nats-seed", "cursor-secret"}
NATS_USERS = {f"{service.upper().replace('-', '_')}_NKEY" for service in SERVICES} | {"STREAMS_NKEY", "SYS_NKEY"}

SECRETS: dict[str, set[str]] = {
    **{f"steward-{service}": SERVICE_KEYS | {"owner-password"} for service in SERVICES},
    "steward-streams": {"nats-seed"},
    "steward-nats": NATS_USERS,
    "steward-postgres": {"password"},
    "steward-issuer": {"issuer.der"},
}
"""The secrets of an installation, and their keys."""

ISSUED: dict[str, set[str]] = {"tls": {"tls.crt", "tls.key", "ca.crt"}, "database": {"username", "password", "ca.crt"}}


def known_secrets(overlay: Overlay) -> dict[str, set[str]]:
    """The secrets above, and those that operators make for objects of the overlay."""
    known = dict(SECRETS)
    for certificate in overlay.kind("Certificate"):
        known[certificate["spec"]["secretName"]] = ISSUED["tls"]
    for cluster in overlay.kind("Cluster"):
        for part in ("ca", "superuser", "server", "app"):
            known[f"{name_of(cluster)}-{part}"] = ISSUED["database"]
    for wanted in overlay.kind("ExternalSecret"):
        name = dig(wanted, "spec", "target", "name", default=name_of(wanted))
        if name not in SECRETS:
            known[name] = {entry["secretKey"] for entry in wanted["spec"].get("data") or []}
    return known


# ---- Selectors -------------------------------------------------------------------------------------------------------


def matching(overlay: Overlay, selector: Object | None) -> list[Pod]:
    return [pod for pod in overlay.all_pods if selects(selector, pod.labels)]


@check("every selector selects something")
def selectors(overlay: Overlay, _tree: Tree):
    services = overlay.kind("Service")
    for thing in overlay.kind("PodDisruptionBudget"):
        if not matching(overlay, thing["spec"]["selector"]):
            yield f"{title(thing)}: spec.selector: selects no pod"
    for thing in services:
        selector = thing["spec"].get("selector")
        pods = matching(overlay, {"matchLabels": selector}) if selector else []
        if selector and not pods:
            yield f"{title(thing)}: spec.selector: selects no pod"
        for port in thing["spec"].get("ports") or []:
            target = port.get("targetPort", port["port"])
            for pod in pods:
                if pod.port(target) is None:
                    yield f"{title(thing)}: spec.ports: {pod.title} has no port {target}"
    for thing in overlay.kind("NetworkPolicy"):
        if not matching(overlay, thing["spec"]["podSelector"]):
            yield f"{title(thing)}: spec.podSelector: selects no pod"
        for peer in peers(thing):
            if "namespaceSelector" not in peer and "podSelector" in peer and not matching(overlay, peer["podSelector"]):
                yield f"{title(thing)}: spec: {peer['podSelector']} selects no pod"
    for thing in overlay.kind("ServiceMonitor"):
        chosen = [service for service in services if selects(thing["spec"]["selector"], labels_of(service))]
        if not chosen:
            yield f"{title(thing)}: spec.selector: selects no service"
        for service in chosen:
            names = {port.get("name") for port in service["spec"].get("ports") or []}
            for endpoint in thing["spec"]["endpoints"]:
                if endpoint.get("port") not in names:
                    yield f"{title(thing)}: spec.endpoints: {title(service)} has no port {endpoint.get('port')}"
    for thing in overlay.kind("PodMonitor"):
        pods = matching(overlay, thing["spec"]["selector"])
        if not pods:
            yield f"{title(thing)}: spec.selector: selects no pod"
        for pod in pods:
            for endpoint in thing["spec"]["podMetricsEndpoints"]:
                if endpoint.get("port") not in pod.ports:
                    yield f"{title(thing)}: spec.podMetricsEndpoints: {pod.title} has no port {endpoint.get('port')}"
    for pod in overlay.pods:
        for place, selector in own_selectors(pod):
            if not selects(selector, pod.labels):
                yield f"{pod.title}: {place}: does not select its own pods"


def labels_of(thing: Object) -> dict[str, str]:
    return dig(thing, "metadata", "labels", default={})


def peers(policy: Object):
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for rule in policy["spec"].get(direction) or []:
            yield from rule.get(side) or []


def own_selectors(pod: Pod):
    """Selectors in an object that mean the pods of that same object."""
    if pod.owner["kind"] in ("Deployment", "StatefulSet", "DaemonSet"):
        yield "spec.selector", pod.owner["spec"]["selector"]
    for spread in pod.spec.get("topologySpreadConstraints") or []:
        yield "topologySpreadConstraints", spread.get("labelSelector")
    terms = dig(pod.spec, "affinity", "podAntiAffinity", default={})
    for term in terms.get("requiredDuringSchedulingIgnoredDuringExecution") or []:
        yield "affinity.podAntiAffinity", term.get("labelSelector")
    for term in terms.get("preferredDuringSchedulingIgnoredDuringExecution") or []:
        yield "affinity.podAntiAffinity", term["podAffinityTerm"].get("labelSelector")


@check("no pod belongs to two workloads, or to two disruption budgets")
def no_sharing(overlay: Overlay, _tree: Tree):
    for pod in overlay.pods:
        owners = [title(other.owner) for other in overlay.pods if selects(dig(other.owner, "spec", "selector"), pod.labels)]
        if len(owners) > 1:
            yield f"{pod.title}: metadata.labels: selected by {' and '.join(owners)}"
    for pod in overlay.all_pods:
        budgets = budgets_of(overlay, pod)
        if len(budgets) > 1:
            yield f"{pod.title}: metadata.labels: under {' and '.join(map(title, budgets))}, so no drain could evict it"


def budgets_of(overlay: Overlay, pod: Pod) -> list[Object]:
    return [budget for budget in overlay.kind("PodDisruptionBudget") if selects(budget["spec"]["selector"], pod.labels)]


@check("what runs more than once has a disruption budget that lets a drain go on")
def drains_go_on(overlay: Overlay, _tree: Tree):
    scaled = {target for target, _ in scalers(overlay)}
    for pod in overlay.pods:
        many = pod.owner["spec"].get("replicas", 1) > 1 or (pod.owner["kind"], pod.name) in scaled
        if pod.owner["kind"] not in ("Deployment", "StatefulSet") or not many:
            continue
        if not budgets_of(overlay, pod):
            yield f"{pod.title}: no PodDisruptionBudget selects its pods"
        for budget in budgets_of(overlay, pod):
            if budget["spec"].get("maxUnavailable") in (None, 0, "0%"):
                yield f"{title(budget)}: spec.maxUnavailable: must be at least 1"


# ---- Scaling ---------------------------------------------------------------------------------------------------------


def scalers(overlay: Overlay):
    """What is scaled, and by which object."""
    for thing in overlay.kind("HorizontalPodAutoscaler", "ScaledObject"):
        target = thing["spec"]["scaleTargetRef"]
        yield (target.get("kind", "Deployment"), target["name"]), thing


@check("each workload has one owner of its replica count")
def scaling(overlay: Overlay, _tree: Tree):
    owners = Counter(target for target, _ in scalers(overlay))
    for target, count in owners.items():
        if count > 1:
            yield f"{'/'.join(target)}: scaled by {count} objects"
    for (kind, name), thing in scalers(overlay):
        workload = overlay.find(kind, name)
        if workload is None:
            yield f"{title(thing)}: spec.scaleTargetRef: {kind}/{name} is not there"
        elif "replicas" in workload["spec"]:
            yield f"{title(workload)}: spec.replicas: {title(thing)} sets it"


@check("scalers ask for consumers that NATS knows, where it answers")
def consumers(overlay: Overlay, _tree: Tree):
    accounts = "".join(
        text for thing in overlay.kind("ConfigMap") for name, text in (thing.get("data") or {}).items() if name == "accounts.conf"
    )
    for thing in overlay.kind("ScaledObject"):
        for trigger in thing["spec"]["triggers"]:
            if trigger["type"] != "nats-jetstream":
                continue
            asked = trigger["metadata"]
            consumer = f"{asked['stream']}.{asked['consumer']}"
            if f'"$JS.API.CONSUMER.INFO.{consumer}"' not in accounts:
                yield f"{title(thing)}: triggers: there is no consumer {consumer}"
            if f"{asked['account']} {{" not in accounts:
                yield f"{title(thing)}: triggers: there is no account {asked['account']}"
            host, _, port = asked["natsServerMonitoringEndpoint"].partition(":")
            name, _, domain = host.partition(".")
            service = overlay.find("Service", name)
            ports = {entry["port"] for entry in dig(service, "spec", "ports", default=[])}
            if not domain.startswith(f"{overlay.namespace}.svc") or int(port) not in ports:
                yield f"{title(thing)}: triggers: nothing answers at {host}:{port}"


# ---- References ------------------------------------------------------------------------------------------------------


def references(pod: Pod):
    """What a pod reads: (place, "ConfigMap" or "Secret", name, keys or None for all, optional)."""
    for volume in pod.spec.get("volumes") or []:
        sources = [volume, *(dig(volume, "projected", "sources", default=[]))]
        for source in sources:
            for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
                if field in source:
                    inner = source[field]
                    items = [item["key"] for item in inner["items"]] if "items" in inner else None
                    name = inner.get("name") or inner.get("secretName")
                    yield f"volumes[{volume['name']}]", kind, name, items, inner.get("optional", False)
    for container in pod.containers:
        for source in container.get("envFrom") or []:
            for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                if field in source:
                    inner = source[field]
                    yield f"containers[{container['name']}].envFrom", kind, inner["name"], None, inner.get("optional", False)
        for variable in container.get("env") or []:
            for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                inner = dig(variable, "valueFrom", field)
                if inner:
                    place = f"containers[{container['name']}].env[{variable['name']}]"
                    yield place, kind, inner["name"], [inner["key"]], inner.get("optional", False)


@check("config maps, secrets, claims and volumes that a pod names are there")
def parts(overlay: Overlay, _tree: Tree):
    secrets = known_secrets(overlay)
    maps = {
        name_of(thing): {*(thing.get("data") or {}), *(thing.get("binaryData") or {})}
        for thing in overlay.kind("ConfigMap")
    }
    for pod in overlay.pods:
        for place, kind, name, keys, _optional in references(pod):
            there = (maps if kind == "ConfigMap" else secrets).get(name)
            if there is None:
                yield f"{pod.title}: {place}: {kind} {name} is not there"
                continue
            for key in set(keys or []) - there:
                yield f"{pod.title}: {place}: {kind} {name} has no key {key}"
        yield from mounts(overlay, pod)


def mounts(overlay: Overlay, pod: Pod):
    volumes = {volume["name"] for volume in pod.spec.get("volumes") or []}
    claims = {name_of(claim) for claim in pod.owner["spec"].get("volumeClaimTemplates") or []}
    used = {mount["name"] for container in pod.containers for mount in container.get("volumeMounts") or []}
    for name in used - volumes - claims:
        yield f"{pod.title}: volumeMounts: there is no volume {name}"
    for name in (volumes | claims) - used:
        yield f"{pod.title}: volumes[{name}]: no container mounts it"
    for volume in pod.spec.get("volumes") or []:
        claim = dig(volume, "persistentVolumeClaim", "claimName")
        if claim and not overlay.find("PersistentVolumeClaim", claim):
            yield f"{pod.title}: volumes[{volume['name']}]: PersistentVolumeClaim {claim} is not there"
    if pod.owner["kind"] == "StatefulSet":
        service = pod.owner["spec"].get("serviceName")
        if not service or not overlay.find("Service", service):
            yield f"{pod.title}: spec.serviceName: Service {service} is not there"


@check("addresses in settings lead to a service of the overlay that listens there")
def addresses(overlay: Overlay, _tree: Tree):
    listening = {(name_of(cluster) + suffix, 5432) for cluster in overlay.kind("Cluster") for suffix in ("-rw", "-ro", "-r")}
    for service in overlay.kind("Service"):
        listening |= {(name_of(service), entry["port"]) for entry in service["spec"].get("ports") or []}
    for place, text in settings_texts(overlay):
        for host, port in re.findall(r"\b[a-z]+://(?:[^@/\s\"']*@)?([A-Za-z0-9.-]+):(\d+)", text):
            name = local_name(overlay, host)
            if name and (name, int(port)) not in listening:
                yield f"{place}: nothing listens at {host}:{port}"


def settings_texts(overlay: Overlay):
    for thing in overlay.kind("ConfigMap"):
        for name, text in (thing.get("data") or {}).items():
            if not name.endswith(".json"):
                yield f"{title(thing)}: {name}", text
    for pod in overlay.pods:
        for container in pod.containers:
            for variable in container.get("env") or []:
                yield f"{pod.title}: containers[{container['name']}].env[{variable['name']}]", variable.get("value", "")


def local_name(overlay: Overlay, host: str) -> str | None:
    """The name of the service that a host is, if it is one of ours: name, pod.name, name.namespace.svc."""
    if host == "localhost" or host.replace(".", "").isdigit():
        return None
    name, _, rest = host.partition(".")
    if not rest or rest.startswith(f"{overlay.namespace}.svc"):
        return name
    return rest if overlay.find("Service", rest) else None


# ---- Secrets ---------------------------------------------------------------------------------------------------------


@check("each pod reads its own secrets only")
def own_secrets(overlay: Overlay, tree: Tree):
    version = tree.version.replace(".", "-")
    authorities = authorities_of(overlay)
    for pod in overlay.pods:
        reader = pod.name.removesuffix(f"-{version}")
        for place, kind, name, keys, _optional in references(pod):
            if kind != "Secret":
                continue
            if name in authorities:
                allowed = {"ca.crt"}
            elif name in SECRETS or name.endswith("-superuser"):
                allowed = readable(reader, name)
            else:
                continue
            for key in sorted(set(keys or known_secrets(overlay).get(name, ())) - allowed):
                yield f"{pod.title}: {place}: {name}/{key} is not for it"


def readable(reader: str, name: str) -> set[str]:
    """The keys of a secret that a workload may see."""
    service = name.removeprefix("steward-")
    if service in SERVICES:
        by_reader = {
            service: SERVICE_KEYS,
            "provision": {"database-password", "platform-password", "owner-password"},
            "heads": {"platform-password"},
        }
        return by_reader.get(reader, set())
    readers = {
        "steward-streams": {"streams"},
        "steward-nats": {"nats"},
        "steward-postgres": {"postgres", "provision"},
        "steward-issuer": {"gateway"},
    }
    if name.endswith("-superuser"):
        return {"password"} if reader == "provision" else set()
    return SECRETS[name] if reader in readers[name] else set()


def authorities_of(overlay: Overlay) -> set[str]:
    """Secrets with the key of a certificate authority: whoever has it can be anybody."""
    named = {thing["spec"]["secretName"] for thing in overlay.kind("Certificate") if thing["spec"].get("isCA")}
    return named | {f"{name_of(cluster)}-ca" for cluster in overlay.kind("Cluster")}


@check("every secret that a pod reads is made by something")
def secrets_are_made(overlay: Overlay, _tree: Tree):
    made = {name for name in known_secrets(overlay) if name not in SECRETS}
    made |= {
        dig(thing, "spec", "target", "name", default=name_of(thing))
        for thing in overlay.kind("ExternalSecret", "SealedSecret")
    }
    if any(name_of(job).startswith("keys-") for job in overlay.kind("Job")):
        made |= set(SECRETS)
    for pod in overlay.pods:
        for place, kind, name, _keys, optional in references(pod):
            if kind == "Secret" and name not in made and not optional:
                yield f"{pod.title}: {place}: nothing makes Secret {name}"


@check("no secret value stands in the tree")
def no_secret_values(overlay: Overlay, _tree: Tree):
    for thing in overlay.kind("Secret"):
        for field in ("data", "stringData"):
            if thing.get(field):
                yield f"{title(thing)}: {field}: {', '.join(thing[field])}"
