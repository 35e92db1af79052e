"""No check that can't fail: each has to see the faults below, made one at a time in a copy of what it looks at."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from . import metrics
from .model import CHECKS, Object, Overlay, Tree, name_of
from .schemas import VERSIONS


class Fault(NamedTuple):
    says: str
    """A part of what the check has to say."""
    make: Callable[[Overlay, Tree], Any]
    overlay: str = "production"


def checks_that_see_nothing(overlays: list[Overlay], tree: Tree, before: dict[str, list[str]]) -> Iterator[str]:
    """What is wrong with the checks themselves; `before` is what they found without any fault."""
    yield from (f"{title}: there is no such check" for title in FAULTS.keys() - CHECKS.keys())
    for check in CHECKS.values():
        if check.title not in FAULTS:
            yield f"{check.title}: no fault is made for it"
        for fault in FAULTS.get(check.title, []):
            changed, changed_tree = copy.deepcopy(named(overlays, fault.overlay)), copy.deepcopy(tree)
            try:
                fault.make(changed, changed_tree)
            except (LookupError, StopIteration, ValueError) as why:
                yield f"{check.title}: its fault “{fault.says}” can't be made: {why!r}"
                continue
            others = [] if check.alone else [one for one in overlays if not one.name.startswith(changed.name)]
            new = set(check.findings([changed, *others], changed_tree)) - set(before[check.title])
            if not any(fault.says in finding for finding in new):
                yield f"{check.title}: does not say “{fault.says}”, but {sorted(new) or 'nothing'}"


def named(overlays: list[Overlay], name: str) -> Overlay:
    return next(overlay for overlay in overlays if overlay.name == name)


# ---- How faults are made ---------------------------------------------------------------------------------------------


def the(kind: str, name: str | None = None) -> Callable[[Overlay], Object]:
    """The object of that name, or the first one of its kind."""

    def find(overlay: Overlay) -> Object:
        return next(thing for thing in overlay.kind(kind) if name in (None, name_of(thing)))

    return find


def put(find: Callable[[Overlay], Object], path: str, value: Any) -> Callable[[Overlay, Tree], None]:
    """Sets what stands at a path; `…` as the value takes it away."""

    def make(overlay: Overlay, _tree: Tree) -> None:
        *steps, last = [int(step) if step.isdigit() else step for step in path.split(" ")]
        place = find(overlay)
        for step in steps:
            place = place.setdefault(step, {}) if isinstance(place, dict) else place[step]
        if value is ...:
            del place[last]
        else:
            place[last] = value

    return make


INTAKE = the("Deployment", "intake")
POD = "spec template spec"
CONTAINER = f"{POD} containers 0"


def drop(kind: str, name: str | None = None) -> Callable[[Overlay, Tree], None]:
    return lambda overlay, _tree: overlay.objects.remove(the(kind, name)(overlay))


def add(thing: Object) -> Callable[[Overlay, Tree], None]:
    def make(overlay: Overlay, _tree: Tree) -> None:
        overlay.objects.append({**thing, "metadata": {"namespace": overlay.namespace, **thing["metadata"]}})

    return make


def both(*makers: Callable[[Overlay, Tree], Any]) -> Callable[[Overlay, Tree], None]:
    def make(overlay: Overlay, tree: Tree) -> None:
        for maker in makers:
            maker(overlay, tree)

    return make


def in_tree(field: str, change: Callable[[Any], Any]) -> Callable[[Overlay, Tree], None]:
    return lambda _overlay, tree: setattr(tree, field, change(getattr(tree, field)))


def in_data(prefix: str, old: str, new: str) -> Callable[[Overlay, Tree], None]:
    """Changes a word in a file of a config map."""

    def make(overlay: Overlay, _tree: Tree) -> None:
        for thing in overlay.kind("ConfigMap"):
            for name, text in (thing.get("data") or {}).items():
                if name_of(thing).startswith(prefix) and old in text:
                    thing["data"][name] = text.replace(old, new, 1)
                    return
        raise LookupError(f"no config map {prefix}… has {old}")

    return make


def first_alert(overlay: Overlay) -> Object:
    rules = (rule for thing in overlay.kind("PrometheusRule") for group in thing["spec"]["groups"] for rule in group["rules"])
    return next(rule for rule in rules if "alert" in rule)


def first_rule(overlay: Overlay) -> Object:
    """The first rule of a route that has a backend."""
    rules = (rule for route in overlay.kind("HTTPRoute") for rule in route["spec"]["rules"])
    return next(rule for rule in rules if rule.get("backendRefs"))


def prefix(path: str) -> Object:
    return {"path": {"type": "PathPrefix", "value": path}}


def in_dashboard(change: Callable[[Object], Any]) -> Callable[[Overlay, Tree], None]:
    """Changes the first panel of a dashboard that has queries."""

    def make(overlay: Overlay, _tree: Tree) -> None:
        for thing in overlay.kind("ConfigMap"):
            for name, text in (thing.get("data") or {}).items():
                if name.endswith(".json") and '"targets"' in text:
                    dashboard = json.loads(text)
                    change(next(panel for panel in dashboard["panels"] if panel.get("targets")))
                    thing["data"][name] = json.dumps(dashboard)
                    return
        raise LookupError("no dashboard")

    return make


def some_metric(tree: Tree) -> str:
    return next(iter(metrics.listed(tree.metrics)))


# ---- The faults ------------------------------------------------------------------------------------------------------

BUILT_IN = f"built-in kinds fit Kubernetes {', '.join(VERSIONS)}"
SECURITY = f"{CONTAINER} securityContext"
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "leak"}, "stringData": {"password": "x"}}
HPA = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "second"},
    "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "intake"}, "maxReplicas": 3},
}
ANYBODY = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "anybody"},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]},
}

FAULTS: dict[str, list[Fault]] = {
    "renders to the same bytes again": [
        Fault("differs", lambda overlay, _tree: setattr(overlay, "text", overlay.text[1:])),
    ],
    "names are unique, and all is in one namespace": [
        Fault("twice", lambda overlay, _tree: overlay.objects.append(INTAKE(overlay))),
        Fault("metadata.namespace", put(INTAKE, "metadata namespace", "default")),
    ],
    BUILT_IN: [
        Fault("(1.35)", put(INTAKE, f"{CONTAINER} imagePullPolice", "Always")),
        Fault("(1.37)", put(the("Service", "intake"), "spec ports 0 port", "eighty")),
        Fault("does not exist in", put(INTAKE, "apiVersion", "apps/v1beta1")),
    ],
    "kinds of extensions fit the schemas in schemas/": [
        Fault("sice", put(the("Cluster"), "spec storage sice", "1Gi")),
        Fault("no schema", put(the("Cluster"), "kind", "Klaster")),
        Fault("schedule", put(the("ScheduledBackup"), "spec schedule", "0 2 * * *")),
    ],
    "the trial needs no extension": [
        Fault("bare cluster", put(the("Service"), "apiVersion", "keda.sh/v1alpha1"), "trial"),
    ],
    "pods keep the restricted Pod Security standard, with a root that can't be written": [
        Fault("privileged", put(INTAKE, f"{SECURITY} privileged", True)),
        Fault("runAsNonRoot", put(INTAKE, f"{SECURITY} runAsNonRoot", False)),
        Fault("readOnlyRootFilesystem", put(INTAKE, f"{SECURITY} readOnlyRootFilesystem", ...)),
        Fault("capabilities", put(INTAKE, f"{SECURITY} capabilities", {"drop": ["ALL"], "add": ["SYS_ADMIN"]})),
        Fault("seccompProfile", put(INTAKE, f"{POD} securityContext seccompProfile", ...)),
        Fault("hostNetwork", put(INTAKE, f"{POD} hostNetwork", True)),
        Fault("hostPath", put(INTAKE, f"{POD} volumes 0", {"name": "settings", "hostPath": {"path": "/"}})),
    ],
    "the namespace enforces the restricted Pod Security standard": [
        Fault("enforce", put(the("Namespace"), "metadata labels", {})),
    ],
    "only keys has a token for the API server, and it may only get and create secrets": [
        Fault("automountServiceAccountToken", put(INTAKE, f"{POD} automountServiceAccountToken", ...)),
        Fault("may only get and create", put(the("Role"), "rules 0 verbs", ["get", "list"]), "trial"),
        Fault("is not in the overlay", drop("ServiceAccount", "intake")),
    ],
    "every container asks for CPU and memory, and has a memory limit": [
        Fault("limits.memory", put(INTAKE, f"{CONTAINER} resources limits", ...)),
        Fault("less than", put(INTAKE, f"{CONTAINER} resources requests memory", "1Gi")),
    ],
    "a service has memory for the bodies that it may hold": [
        Fault("core.http.body_memory_bytes needs: 448 MiB", put(INTAKE, f"{CONTAINER} resources limits memory", "256Mi")),
    ],
    "probes are told apart: started, alive, ready": [
        Fault("readinessProbe: missing", put(INTAKE, f"{CONTAINER} readinessProbe", ...)),
        Fault("not ready is not dead", put(INTAKE, f"{CONTAINER} livenessProbe httpGet path", "/ready")),
        Fault("has no port", put(INTAKE, f"{CONTAINER} readinessProbe httpGet port", "admin")),
    ],
    "images are named exactly; ours have the version of the workspace": [
        Fault("under the same name", put(the("StatefulSet", "nats"), f"{CONTAINER} image", "nats")),
        Fault("is not of version", put(INTAKE, f"{CONTAINER} image", "registry.example.com/steward/intake:0.0.9")),
    ],
    "a rollout takes no pod away before its successor is ready": [
        Fault("maxUnavailable", put(INTAKE, "spec strategy rollingUpdate maxUnavailable", 1)),
    ],
    "a job's name carries the version: its spec can't be changed": [
        Fault("must end with", put(the("Job"), "metadata name", "provision")),
    ],
    "every selector selects something": [
        Fault("selects no pod", put(the("PodDisruptionBudget", "intake"), "spec selector matchLabels", {"app": "intake"})),
        Fault("selects no pod", put(the("Service", "intake"), "spec selector", {"app": "intake"})),
        Fault("has no port", put(the("Service", "intake"), "spec ports 0 targetPort", "admin")),
        Fault("selects no pod", put(the("NetworkPolicy", "dns"), "spec podSelector", {"matchLabels": {"a": "b"}})),
        Fault("selects no service", put(the("ServiceMonitor"), "spec selector", {"matchLabels": {"a": "b"}})),
        Fault("its own pods", put(INTAKE, f"{POD} topologySpreadConstraints 0 labelSelector matchLabels", {"a": "b"})),
    ],
    "no pod belongs to two workloads, or to two disruption budgets": [
        Fault("selected by", put(INTAKE, "spec selector", {"matchLabels": {}})),
        Fault("no drain", put(the("PodDisruptionBudget", "intake"), "spec selector", {})),
    ],
    "what runs more than once has a disruption budget that lets a drain go on": [
        Fault("no PodDisruptionBudget", drop("PodDisruptionBudget", "intake")),
        Fault("at least 1", put(the("PodDisruptionBudget", "intake"), "spec maxUnavailable", 0)),
    ],
    "each workload has one owner of its replica count": [
        Fault("scaled by 2", add(HPA)),
        Fault("sets it", put(INTAKE, "spec replicas", 2)),
    ],
    "scalers ask for consumers that NATS knows, where it answers": [
        Fault("there is no consumer", put(the("ScaledObject", "intake"), "spec triggers 1 metadata consumer", "nobody")),
        Fault(
            "nothing answers",
            put(the("ScaledObject", "intake"), "spec triggers 1 metadata natsServerMonitoringEndpoint", "nats.steward.svc:8222"),
        ),
    ],
    "config maps, secrets, claims and volumes that a pod names are there": [
        Fault("ConfigMap", lambda overlay, _tree: [overlay.objects.remove(thing) for thing in overlay.kind("ConfigMap")]),
        Fault("Secret other is not there", put(INTAKE, f"{CONTAINER} envFrom", [{"secretRef": {"name": "other"}}])),
        Fault("there is no volume", put(INTAKE, f"{CONTAINER} volumeMounts 0 name", "other")),
    ],
    "each pod reads its own secrets only": [
        Fault("steward-complaint/", put(INTAKE, f"{CONTAINER} envFrom", [{"secretRef": {"name": "steward-complaint"}}])),
        Fault("owner-password", put(INTAKE, f"{CONTAINER} envFrom", [{"secretRef": {"name": "steward-intake"}}])),
        Fault("tls.key", put(INTAKE, f"{CONTAINER} envFrom", [{"secretRef": {"name": "nats-ca"}}])),
    ],
    "every secret that a pod reads is made by something": [
        Fault("nothing makes", drop("ExternalSecret", "steward-intake")),
    ],
    "no secret value stands in the tree": [
        Fault("stringData", add(SECRET)),
    ],
    "addresses in settings lead to a service of the overlay that listens there": [
        Fault("nothing listens at", in_data("steward-", "tls://nats:", "tls://nuts:")),
    ],
    "network policies deny by default, in both directions, for every pod": [
        Fault("by default", drop("NetworkPolicy", "default-deny")),
    ],
    "network policies let through what the system needs, and not what it does not need": [
        Fault("can't reach", drop("NetworkPolicy", "nats-clients")),
        Fault("Deployment/intake can reach Deployment/complaint", add(ANYBODY)),
        Fault("a stranger can reach Cluster/steward-pg on 5432", add(ANYBODY)),
    ],
    "the way to the internet leads to no private address": [
        Fault("may talk to anybody", add(ANYBODY)),
        Fault(
            "must leave out",
            put(the("NetworkPolicy", "identity-provider"), "spec egress 0 to 0 ipBlock except", ["10.0.0.0/8"]),
        ),
    ],
    "routes.txt covers every path of the API document once, and sends it to its owner": [
        Fault("covered by no prefix", lambda _overlay, tree: tree.routes.pop("/v1/visits")),
        Fault("but intake owns", lambda _overlay, tree: tree.routes.update({"/v1/visits": "complaint"})),
        Fault("only /v1 is public", lambda _overlay, tree: tree.routes.update({"/metrics": "intake"})),
        Fault("no such path", lambda _overlay, tree: tree.routes.update({"/v1/nothing": "intake"})),
    ],
    "routes are those of routes.txt, and nothing else is public": [
        Fault("goes nowhere", lambda overlay, _tree: first_rule(overlay)["matches"].pop()),
        Fault("/metrics", lambda overlay, _tree: first_rule(overlay)["matches"].append(prefix("/metrics"))),
        Fault("/: goes to", lambda overlay, _tree: first_rule(overlay).pop("matches")),
        Fault("has no port", lambda overlay, _tree: first_rule(overlay)["backendRefs"][0].update(port=9090)),
        Fault("makes every path public", put(the("Service", "intake"), "spec type", "LoadBalancer")),
        Fault(
            "makes every path public",
            put(the("Ingress"), "spec defaultBackend", {"service": {"name": "intake"}}),
            "production+ingress",
        ),
        Fault(
            "goes to nobody",
            put(the("Ingress"), "spec rules 0 http paths 0 backend service name", "nobody"),
            "production+ingress",
        ),
    ],
    "operator's pages are reachable inside only: a service listens where its probes ask": [
        Fault("8080 only", put(INTAKE, f"{CONTAINER} ports 0 containerPort", 9090)),
    ],
    "the services take their settings, and every file that these name is mounted": [
        Fault("is not a setting", in_data("steward-", "max_connections", "max_conections")),
        Fault("no volume", put(INTAKE, f"{CONTAINER} volumeMounts", [])),
        Fault("brings /etc/steward/nothing", in_data("steward-", "/etc/steward/nats-ca/ca.crt", "/etc/steward/nothing")),
    ],
    "a stopping service has the time that its settings promise, and listens where it is asked": [
        Fault("is not more than", put(INTAKE, f"{POD} terminationGracePeriodSeconds", 30)),
        Fault("core.http.bind", in_data("steward-", "0.0.0.0:8080", "127.0.0.1:8080")),
    ],
    "the gateway of a trial leaves its endpoint before it stops, as the services do": [
        Fault("STEWARD_LINGER", put(the("Deployment", "gateway"), f"{CONTAINER} env", []), "trial"),
        Fault("is not more than", put(the("Deployment", "gateway"), f"{POD} terminationGracePeriodSeconds", 30), "trial"),
    ],
    "the database takes the connections of as many replicas as may run, and one more of each in a rollout": [
        Fault("is less than", put(the("ScaledObject", "intake"), "spec maxReplicaCount", 100)),
    ],
    "nats-server takes its configuration, and every user in it has a key": [
        Fault("", in_data("nats-", "jetstream {", "jetstrem {")),
        Fault("", in_data("nats-accounts-", "$INTAKE_NKEY", "$NOBODYS_NKEY")),
    ],
    "alerts, dashboards and scalers name metrics and labels that exist": [
        Fault("no metric is named", lambda overlay, _tree: first_alert(overlay).update(expr="nothing_total > 1")),
        Fault("is not PromQL", lambda overlay, _tree: first_alert(overlay).update(expr="rate(up[5m]")),
        Fault(
            "has no label",
            lambda overlay, tree: first_alert(overlay).update(expr=f'{some_metric(tree)}{{nonsense="1"}}'),
        ),
        Fault("no metric is named", in_dashboard(lambda panel: panel["targets"][0].update(expr="nothing_total"))),
        Fault("no metric is named", in_tree("metrics", lambda _text: "")),
    ],
    "every alert has a severity, words and a runbook; every runbook has an alert": [
        Fault("severity", lambda overlay, _tree: first_alert(overlay)["labels"].pop("severity")),
        Fault("summary", lambda overlay, _tree: first_alert(overlay)["annotations"].pop("summary")),
        Fault(
            "there is no runbooks/",
            lambda overlay, _tree: first_alert(overlay)["annotations"].update(runbook_url="https://x/nothing.md"),
        ),
        Fault("no alert leads here", in_tree("runbooks", lambda pages: pages | {"Nothing": ""})),
    ],
    "every dashboard is delivered, with an address of its own": [
        Fault(
            "in no ConfigMap",
            lambda overlay, _tree: [overlay.objects.remove(thing) for thing in overlay.kind("ConfigMap")],
        ),
    ],
    "the Helm chart of the overlay is sound, renders to the same objects, and follows its values": [
        Fault("not the same", put(INTAKE, "spec minReadySeconds", 99)),
    ],
    "checkov finds nothing": [
        Fault("CKV_K8S_16", put(INTAKE, f"{SECURITY} privileged", True)),
    ],
}
