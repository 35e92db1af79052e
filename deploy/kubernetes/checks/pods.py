"""What every pod has to keep: the restricted Pod Security standard and our own rules."""

from __future__ import annotations

import re

from .model import SERVICES, Object, Overlay, Pod, Tree, check, dig, name_of, title

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
OUR_IMAGES = (*SERVICES, "steward", "steward-local")


def at(pod: Pod, container: Object | None, field: str, message: str) -> str:
    place = f"containers[{container['name']}].{field}" if container else field
    return f"{pod.title}: {place}: {message}"


# ---- Security --------------------------------------------------------------------------------------------------------


@check("pods keep the restricted Pod Security standard, with a root that can't be written")
def restricted(overlay: Overlay, _tree: Tree):
    for pod in overlay.pods:
        yield from restricted_pod(pod)
        for container in pod.containers:
            yield from restricted_container(pod, container)


def restricted_pod(pod: Pod):
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(field):
            yield at(pod, None, field, "not allowed")
    for sysctl in dig(pod.spec, "securityContext", "sysctls", default=[]):
        yield at(pod, None, "securityContext.sysctls", f"{sysctl['name']} is not needed")
    for volume in pod.spec.get("volumes") or []:
        for kind in volume.keys() - {"name"} - VOLUMES:
            yield at(pod, None, f"volumes[{volume['name']}]", f"{kind} is not allowed")


def restricted_container(pod: Pod, container: Object):
    own, of_pod = container.get("securityContext") or {}, pod.spec.get("securityContext") or {}
    both = of_pod | own
    if own.get("privileged"):
        yield at(pod, container, "securityContext.privileged", "not allowed")
    if own.get("allowPrivilegeEscalation") is not False:
        yield at(pod, container, "securityContext.allowPrivilegeEscalation", "must be false")
    if own.get("readOnlyRootFilesystem") is not True:
        yield at(pod, container, "securityContext.readOnlyRootFilesystem", "must be true")
    if dig(own, "capabilities", "drop") != ["ALL"] or dig(own, "capabilities", "add"):
        yield at(pod, container, "securityContext.capabilities", "must drop ALL and add nothing")
    if both.get("runAsNonRoot") is not True:
        yield at(pod, container, "securityContext.runAsNonRoot", "must be true")
    if both.get("runAsUser", 0) == 0:
        yield at(pod, container, "securityContext.runAsUser", "must be a number other than 0")
    if dig(both, "seccompProfile", "type") not in ("RuntimeDefault", "Localhost"):
        yield at(pod, container, "securityContext.seccompProfile", "must be RuntimeDefault")
    if own.get("procMount", "Default") != "Default":
        yield at(pod, container, "securityContext.procMount", "must be Default")
    for port in container.get("ports") or []:
        if port.get("hostPort"):
            yield at(pod, container, "ports.hostPort", "not allowed")
    handlers = {probe: container.get(probe) for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    handlers |= {f"lifecycle.{hook}": dig(container, "lifecycle", hook) for hook in ("preStop", "postStart")}
    for field, handler in handlers.items():
        if dig(handler, "httpGet", "host") or dig(handler, "tcpSocket", "host"):
            yield at(pod, container, field, "must not name a host")


@check("the namespace enforces the restricted Pod Security standard")
def namespace_enforces(overlay: Overlay, _tree: Tree):
    for namespace in overlay.kind("Namespace"):
        if dig(namespace, "metadata", "labels", "pod-security.kubernetes.io/enforce") != "restricted":
            yield f"{title(namespace)}: metadata.labels: pod-security.kubernetes.io/enforce must be restricted"


@check("only keys has a token for the API server, and it may only get and create secrets")
def tokens(overlay: Overlay, _tree: Tree):
    accounts = {name_of(account): account for account in overlay.kind("ServiceAccount")}
    for name, account in accounts.items():
        if account.get("automountServiceAccountToken") is not False:
            yield f"{title(account)}: automountServiceAccountToken: must be false; a pod that needs a token says so itself"
        if not any(pod.spec.get("serviceAccountName") == name for pod in overlay.pods):
            yield f"{title(account)}: no pod uses it"
    for pod in overlay.pods:
        account = pod.spec.get("serviceAccountName", "default")
        if account not in accounts:
            yield at(pod, None, "serviceAccountName", f"{account} is not in the overlay")
        mounts = pod.spec.get("automountServiceAccountToken")
        if mounts is not (account == "keys"):
            yield at(pod, None, "automountServiceAccountToken", f"must be {str(account == 'keys').lower()}")
        if pod.spec.get("enableServiceLinks") is not False:
            yield at(pod, None, "enableServiceLinks", "must be false")
    for role in overlay.kind("Role", "ClusterRole"):
        for rule in role.get("rules") or []:
            fits = rule.get("apiGroups") == [""] and rule.get("resources") == ["secrets"]
            if role["kind"] == "ClusterRole" or not fits or set(rule["verbs"]) - {"get", "create"}:
                yield f"{title(role)}: rules: may only get and create secrets in its namespace"
    for binding in overlay.kind("RoleBinding", "ClusterRoleBinding"):
        for subject in binding.get("subjects") or []:
            if (subject["kind"], subject["name"]) != ("ServiceAccount", "keys"):
                yield f"{title(binding)}: subjects: {subject['name']} needs no rights"


# ---- Resources, probes, images ---------------------------------------------------------------------------------------


@check("every container asks for CPU and memory, and has a memory limit")
def resources(overlay: Overlay, _tree: Tree):
    for pod in overlay.pods:
        for container in pod.containers:
            for path in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory")):
                if dig(container, "resources", *path) is None:
                    yield at(pod, container, ".".join(("resources", *path)), "missing")
            request, limit = (dig(container, "resources", part, "memory") for part in ("requests", "limits"))
            if request and limit and quantity(request) > quantity(limit):
                yield at(pod, container, "resources.limits.memory", f"{limit} is less than the request, {request}")


UNITS = {"": 1, "m": 0.001, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def quantity(text: str | int | float) -> float:
    number, unit = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(text)).groups()
    return float(number) * UNITS[unit]


@check("probes are told apart: started, alive, ready")
def probes(overlay: Overlay, _tree: Tree):
    for pod in overlay.pods:
        if pod.owner["kind"] in ("Job", "CronJob"):
            continue
        for container in pod.spec["containers"]:
            startup, live, ready = (container.get(f"{probe}Probe") for probe in ("startup", "liveness", "readiness"))
            if not ready:
                yield at(pod, container, "readinessProbe", "missing")
            if live and not startup:
                yield at(pod, container, "startupProbe", "missing: a slow start would be taken for a dead process")
            if live and handler(live) == handler(ready):
                yield at(pod, container, "livenessProbe", "asks the same as readinessProbe: not ready is not dead")
            for field, probe in (("startupProbe", startup), ("livenessProbe", live), ("readinessProbe", ready)):
                port = dig(probe, "httpGet", "port") or dig(probe, "tcpSocket", "port")
                if port is not None and pod.port(port) is None:
                    yield at(pod, container, field, f"the pod has no port {port}")
        if is_ours(pod.spec["containers"][0]):
            container = pod.spec["containers"][0]
            for field, path in (("startupProbe", "/live"), ("livenessProbe", "/live"), ("readinessProbe", "/ready")):
                if dig(container, field, "httpGet", "path") != path:
                    yield at(pod, container, f"{field}.httpGet.path", f"must be {path}")


def handler(probe: Object | None) -> Object:
    timing = ("initialDelaySeconds", "periodSeconds", "timeoutSeconds", "failureThreshold", "successThreshold")
    return {key: value for key, value in (probe or {}).items() if key not in timing}


def is_ours(container: Object) -> bool:
    return re.split(r"[:@]", container["image"].rpartition("/")[2])[0] in OUR_IMAGES


@check("images are named exactly; ours have the version of the workspace")
def images(overlay: Overlay, tree: Tree):
    for pod in overlay.pods:
        for container in pod.containers:
            image = container["image"]
            tag = re.search(r":([^:/@]+)(@|$)", image)
            if (not tag or tag[1] == "latest") and "@sha256:" not in image:
                yield at(pod, container, "image", f"{image} changes under the same name")
            if is_ours(container) and tag and tag[1] != tree.version:
                yield at(pod, container, "image", f"{image} is not of version {tree.version}")
        version = pod.labels.get("app.kubernetes.io/version", tree.version)
        if is_ours(pod.spec["containers"][0]) and version != tree.version:
            yield at(pod, None, "metadata.labels", f"app.kubernetes.io/version is {version}, not {tree.version}")


# ---- Rollout ---------------------------------------------------------------------------------------------------------


@check("a rollout takes no pod away before its successor is ready")
def rollout(overlay: Overlay, _tree: Tree):
    for thing in overlay.kind("Deployment"):
        strategy = dig(thing, "spec", "strategy", default={})
        if strategy.get("type", "RollingUpdate") != "RollingUpdate":
            yield f"{title(thing)}: spec.strategy.type: must be RollingUpdate"
        elif dig(strategy, "rollingUpdate", "maxUnavailable") != 0:
            yield f"{title(thing)}: spec.strategy.rollingUpdate.maxUnavailable: must be 0"
        if name_of(thing) in SERVICES and not dig(thing, "spec", "progressDeadlineSeconds"):
            yield f"{title(thing)}: spec.progressDeadlineSeconds: missing"


@check("a job's name carries the version: its spec can't be changed")
def job_names(overlay: Overlay, tree: Tree):
    suffix = "-" + tree.version.replace(".", "-")
    for job in overlay.kind("Job"):
        if not name_of(job).endswith(suffix):
            yield f"{title(job)}: metadata.name: must end with {suffix}"
