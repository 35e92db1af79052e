"""What the checks look at: an overlay's objects, the pods they make, and the facts of the tree they are held against."""

from __future__ import annotations

import atexit
import functools
import json
import os
import pathlib
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

Object = dict[str, Any]

SERVICES = ("intake", "complaint", "dispatch", "notification", "feedback-analytics")
ROOT = pathlib.Path(__file__).resolve().parents[3]
KUBERNETES = ROOT / "deploy/kubernetes"
OBSERVABILITY = ROOT / "deploy/observability"
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")


# PyYAML would load every YAML 1.1 oddity slowly; the C loader reads the same in a tenth of the time where it is built in.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_yaml(text: str) -> list[Object]:
    return [document for document in yaml.load_all(text, Loader=_Loader) if document]


# ---- Objects ---------------------------------------------------------------------------------------------------------


def dig(value: Any, *path: str | int, default: Any = None) -> Any:
    """What stands at a path of keys, or the default where the path ends early."""
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return default
    return default if value is None else value


def name_of(thing: Object) -> str:
    return thing["metadata"]["name"]


def title(thing: Object) -> str:
    return f"{thing['kind']}/{name_of(thing)}"


def group_of(thing: Object) -> str:
    group, _, version = thing["apiVersion"].rpartition("/")
    return group if version else ""


def is_built_in(thing: Object) -> bool:
    """Whether every cluster knows the kind. Groups of the API server end in .k8s.io or have no dot; the Gateway API is
    the one group of that form that has to be installed."""
    group = group_of(thing)
    return "." not in group or (group.endswith(".k8s.io") and not group.startswith("gateway."))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in an object, with its path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{index}]")
    elif isinstance(value, str):
        yield path, value


def selects(selector: Object | None, labels: dict[str, str]) -> bool:
    """A label selector; an empty one selects everything, none selects nothing."""
    if selector is None:
        return False
    for key, wanted in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != wanted:
            return False
    for term in selector.get("matchExpressions") or []:
        value, values = labels.get(term["key"]), term.get("values") or []
        fits = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not fits[term["operator"]]:
            return False
    return True


@dataclass
class Pod:
    """The pods that one object makes."""

    owner: Object
    labels: dict[str, str]
    spec: Object

    @property
    def title(self) -> str:
        return title(self.owner)

    @property
    def name(self) -> str:
        return name_of(self.owner)

    @property
    def app(self) -> str:
        return self.labels.get("app.kubernetes.io/name", "")

    @property
    def is_service(self) -> bool:
        return self.owner["kind"] == "Deployment" and self.name in SERVICES

    @property
    def containers(self) -> list[Object]:
        return [*(self.spec.get("initContainers") or []), *self.spec["containers"]]

    @property
    def ports(self) -> set[str | int]:
        """Ports by number and by name."""
        ports = [port for container in self.spec["containers"] for port in container.get("ports") or []]
        return {port["containerPort"] for port in ports} | {port["name"] for port in ports if "name" in port}

    def port(self, wanted: str | int) -> int | None:
        for container in self.spec["containers"]:
            for port in container.get("ports") or []:
                if wanted in (port.get("name"), port["containerPort"]):
                    return port["containerPort"]
        return None


@dataclass
class Overlay:
    """What one overlay renders to."""

    name: str
    objects: list[Object]
    text: str = ""
    """The objects as they were rendered."""

    def kind(self, *kinds: str) -> list[Object]:
        return [thing for thing in self.objects if thing["kind"] in kinds]

    def find(self, kind: str, name: str) -> Object | None:
        return next((thing for thing in self.kind(kind) if name_of(thing) == name), None)

    @property
    def is_trial(self) -> bool:
        return self.name.partition("+")[0] == "trial"

    @property
    def pods(self) -> list[Pod]:
        """The pods whose template stands in the overlay."""
        pods = []
        for owner in self.kind(*WORKLOADS):
            spec = owner["spec"]["jobTemplate"]["spec"] if owner["kind"] == "CronJob" else owner["spec"]
            template = spec["template"]
            pods.append(Pod(owner, dig(template, "metadata", "labels", default={}), template["spec"]))
        return pods

    @property
    def foreign_pods(self) -> list[Pod]:
        """The pods that an operator makes for an object of ours; their containers are not ours to check."""
        pods = []
        for cluster in self.kind("Cluster"):
            labels = {"cnpg.io/cluster": name_of(cluster), "cnpg.io/podRole": "instance"}
            labels |= dig(cluster, "spec", "inheritedMetadata", "labels", default={})
            ports = [{"name": "postgresql", "containerPort": 5432}, {"name": "metrics", "containerPort": 9187}]
            ports += [{"name": "status", "containerPort": 8000}]
            pods.append(Pod(cluster, labels, {"containers": [{"name": "postgres", "ports": ports}]}))
        return pods

    @property
    def all_pods(self) -> list[Pod]:
        return self.pods + self.foreign_pods

    def pod(self, name: str) -> Pod | None:
        return next((pod for pod in self.pods if pod.name == name), None)

    @property
    def namespace(self) -> str:
        return self.objects[0]["metadata"].get("namespace") or next(
            (thing["metadata"]["namespace"] for thing in self.objects if "namespace" in thing["metadata"]), ""
        )


# ---- Facts -----------------------------------------------------------------------------------------------------------


@dataclass
class Tree:
    """What the manifests are held against; it stands elsewhere in the tree."""

    version: str
    routes: dict[str, str]
    """Prefix of a path to the service that answers there."""
    paths: dict[str, str]
    """Path of the API document to the service that owns it."""
    metrics: str
    """The list of our metrics."""
    runbooks: dict[str, str]
    """Name of an alert to the text of its runbook."""


def read_version() -> str:
    with (ROOT / "Cargo.toml").open("rb") as file:
        return tomllib.load(file)["workspace"]["package"]["version"]


def read_tree() -> Tree:
    routes = {}
    for line in (KUBERNETES / "routes.txt").read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            prefix, service = line.split()
            routes[prefix] = service
    paths = {}
    for service in SERVICES:
        document = json.loads((ROOT / f"services/{service}/openapi.golden.json").read_text("utf-8"))
        paths |= dict.fromkeys(document["paths"], service)
    published = json.loads((ROOT / "deploy/openapi.json").read_text("utf-8"))["paths"]
    # A path without an owner is kept, so that the check of the routes can name it.
    paths = {path: paths.get(path, "") for path in published}
    return Tree(
        version=read_version(),
        routes=routes,
        paths=paths,
        metrics=(OBSERVABILITY / "metrics.md").read_text("utf-8"),
        runbooks={page.stem: page.read_text("utf-8") for page in sorted(OBSERVABILITY.glob("runbooks/*.md"))},
    )


def program(variable: str) -> str:
    """A program that the script `check` has found."""
    return os.environ[variable]


# ---- Checks ----------------------------------------------------------------------------------------------------------

Findings = Iterable[str]


@dataclass(frozen=True)
class Check:
    """A rule, and the function that tells what breaks it: the object, the field, and what is expected."""

    title: str
    find: Callable[[list[Overlay], Tree], Findings]
    alone: bool
    """Whether an overlay can be looked at without the others."""

    def findings(self, overlays: list[Overlay], tree: Tree) -> list[str]:
        return list(dict.fromkeys(self.find(overlays, tree)))


CHECKS: dict[str, Check] = {}


def check(title: str) -> Callable[[Callable[[Overlay, Tree], Findings]], Callable[[Overlay, Tree], Findings]]:
    """Registers a rule that each overlay has to keep."""

    def register(find: Callable[[Overlay, Tree], Findings]) -> Callable[[Overlay, Tree], Findings]:
        def find_in_all(overlays: list[Overlay], tree: Tree) -> Findings:
            return (f"{overlay.name}: {finding}" for overlay in overlays for finding in find(overlay, tree))

        CHECKS[title] = Check(title, find_in_all, alone=True)
        return find

    return register


def check_all(title: str, *, alone: bool = False) -> Callable[[Callable[[list[Overlay], Tree], Findings]], Callable]:
    """Registers a rule about the tree as a whole."""

    def register(find: Callable[[list[Overlay], Tree], Findings]) -> Callable:
        CHECKS[title] = Check(title, find, alone=alone)
        return find

    return register


@functools.cache
def scratch() -> pathlib.Path:
    """A folder for what a run writes; it goes when the run ends."""
    (ROOT / ".local").mkdir(exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kubernetes-", dir=ROOT / ".local"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
