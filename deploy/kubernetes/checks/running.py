"""What the programs themselves say of their settings: each reads them in a folder laid out as its pod would see it."""

from __future__ import annotations

import base64
import binascii
import functools
import os
import pathlib
import re
import subprocess
import tempfile

from .model import SERVICES, Object, Overlay, Pod, Tree, check, dig, program, scratch, title
from .pods import at, quantity
from .wiring import known_secrets, scalers

# ---- Made-up secrets -------------------------------------------------------------------------------------------------


def nkey(*prefix: int) -> str:
    """A key of NATS: a prefix that tells its kind, 32 bytes, a checksum."""
    content = bytes(prefix) + os.urandom(32)
    content += binascii.crc_hqx(content, 0).to_bytes(2, "little")
    return base64.b32encode(content).decode().rstrip("=")


@functools.cache
def certificate() -> tuple[str, str]:
    """A certificate and its key."""
    key = scratch() / "tls.key"
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=nats -keyout"
    made = subprocess.run([*words.split(), key], capture_output=True, text=True, check=True)
    return made.stdout, key.read_text("ascii")


def made_up(key: str) -> str:
    if key.endswith("_NKEY"):
        return nkey(20 << 3)
    if key == "nats-seed":
        user = 20 << 3
        return nkey(18 << 3 | user >> 5, user << 3 & 0xFF)
    if key.endswith(".crt"):
        return certificate()[0]
    if key == "tls.key":
        return certificate()[1]
    return os.urandom(32).hex()


# ---- A pod's files ---------------------------------------------------------------------------------------------------


class Container:
    """A container's files, laid out in a folder, and its environment."""

    def __init__(self, overlay: Overlay, pod: Pod, container: Object, folder: pathlib.Path):
        self.overlay, self.pod, self.container, self.folder = overlay, pod, container, folder
        self.mounts = sorted((mount["mountPath"].rstrip("/") for mount in container.get("volumeMounts") or []), reverse=True)
        for mount in container.get("volumeMounts") or []:
            volume = next((volume for volume in self.volumes() if volume["name"] == mount["name"]), {})
            self.fill(self.inside(mount["mountPath"]), self.content(volume), mount.get("subPath"))
        self.environment = self.read_environment()

    def volumes(self) -> list[Object]:
        claims = self.pod.owner["spec"].get("volumeClaimTemplates") or []
        return [*(self.pod.spec.get("volumes") or []), *({"name": claim["metadata"]["name"]} for claim in claims)]

    def inside(self, path: str) -> pathlib.Path:
        return self.folder / path.lstrip("/")

    def fill(self, place: pathlib.Path, files: dict[str, str], sub_path: str | None) -> None:
        if sub_path in files:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(self.mapped(files[sub_path]), "utf-8")
            return
        place.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            file = place / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self.mapped(text), "utf-8")

    def content(self, volume: Object) -> dict[str, str]:
        files: dict[str, str] = {}
        for source in [volume, *dig(volume, "projected", "sources", default=[])]:
            for field in ("configMap", "secret"):
                if field in source:
                    inner = source[field]
                    data = self.data(field, inner.get("name") or inner.get("secretName"))
                    items = inner.get("items") or [{"key": key, "path": key} for key in data]
                    files |= {item["path"]: data[item["key"]] for item in items if item["key"] in data}
        return files

    def data(self, field: str, name: str) -> dict[str, str]:
        if field == "configMap":
            return dig(self.overlay.find("ConfigMap", name), "data", default={})
        return {key: made_up(key) for key in known_secrets(self.overlay).get(name, set())}

    def mapped(self, text: str) -> str:
        """Paths of the container become paths of the folder."""
        for mount in self.mounts:
            text = re.sub(rf"(?<![\w/.]){re.escape(mount)}(?=[/\s\"';&,]|$)", str(self.inside(mount)), text)
        return text

    def read_environment(self) -> dict[str, str]:
        values: dict[str, str] = {}
        for source in self.container.get("envFrom") or []:
            for ref, field in (("configMapRef", "configMap"), ("secretRef", "secret")):
                if ref in source:
                    data = self.data(field, source[ref]["name"])
                    values |= {source.get("prefix", "") + key: value for key, value in data.items()}
        for variable in self.container.get("env") or []:
            values[variable["name"]] = self.mapped(self.variable(variable))
        return values

    def variable(self, variable: Object) -> str:
        for ref, field in (("configMapKeyRef", "configMap"), ("secretKeyRef", "secret")):
            inner = dig(variable, "valueFrom", ref)
            if inner:
                return self.data(field, inner["name"]).get(inner["key"], "")
        if "valueFrom" in variable:
            return f"{self.pod.name}-0"  # a fact about the pod, such as its name
        return variable.get("value", "")

    def missing_files(self):
        """Files below /etc that a setting names and no volume brings."""
        texts = [(f"env {name}", value) for name, value in self.environment.items()]
        texts += [
            (str(file.relative_to(self.folder)), file.read_text("utf-8"))
            for file in sorted(self.folder.rglob("*"))
            if file.suffix in (".toml", ".conf")
        ]
        for place, text in texts:
            # What stands in a comment is no setting.
            text = re.sub(r"(?m)^\s*#.*", "", text)
            for path in re.findall(r"(?<![\w.])/[\w./-]*/etc/[\w./-]+|(?<![\w./])/etc/[\w./-]+", text):
                if not pathlib.Path(path).is_relative_to(self.folder) or not pathlib.Path(path).exists():
                    yield place, path.removeprefix(str(self.folder))


def laid_out(overlay: Overlay, pod: Pod, container: Object) -> Container:
    folder = tempfile.mkdtemp(prefix=f"{overlay.name}-{pod.name}-", dir=scratch())
    return Container(overlay, pod, container, pathlib.Path(folder))


# ---- The services' settings ------------------------------------------------------------------------------------------


def service_settings(overlay: Overlay, pod: Pod) -> tuple[dict[str, str], str]:
    """What a service would run with, or what it says is wrong."""
    container = laid_out(overlay, pod, pod.spec["containers"][0])
    command = [f"{program('PROGRAMS')}/{pod.name}", "check-config"]
    result = subprocess.run(command, env=container.environment, cwd="/", capture_output=True, text=True, check=False)
    if result.returncode != 0:
        return {}, result.stderr.strip().replace(str(container.folder), "").replace("\n  ", "; ")
    lines = (line.partition(" = ") for line in result.stdout.splitlines())
    return {name: value.strip('"') for name, _, value in lines}, ""


@check("the services take their settings, and every file that these name is mounted")
def settings(overlay: Overlay, _tree: Tree):
    for pod in overlay.pods:
        if pod.is_service:
            _, fault = service_settings(overlay, pod)
            if fault:
                yield f"{pod.title}: {fault}"
        for container in pod.containers:
            for place, path in laid_out(overlay, pod, container).missing_files():
                yield f"{pod.title}: {place}: no volume of container {container['name']} brings {path}"
    found = {pod.name for pod in overlay.pods if pod.is_service}
    yield from (f"Deployment/{name} is missing" for name in SERVICES if name not in found)


@check("a stopping service has the time that its settings promise, and listens where it is asked")
def stopping(overlay: Overlay, _tree: Tree):
    for pod in overlay.pods:
        if not pod.is_service:
            continue
        values, fault = service_settings(overlay, pod)
        if fault:
            continue
        needs = sum(seconds(values.get(f"core.shutdown.{part}", "0s")) for part in ("linger", "grace"))
        has = pod.spec.get("terminationGracePeriodSeconds", 30)
        if has <= needs:
            yield f"{pod.title}: terminationGracePeriodSeconds: {has} is not more than linger and grace, {needs:.0f}"
        host, _, port = values["core.http.bind"].rpartition(":")
        if host != "0.0.0.0" or int(port) not in pod.ports:
            yield f"{pod.title}: core.http.bind: {host}:{port} is not where the pod is asked"


@check("the gateway of a trial leaves its endpoint before it stops, as the services do")
def gateway_stopping(overlay: Overlay, _tree: Tree):
    pod = overlay.pod("gateway")
    for container in pod.containers if pod else ():
        values = {one["name"]: one.get("value", "") for one in container.get("env", [])}
        needs = seconds(values.get("STEWARD_LINGER", "0s")) + GATEWAY_GRACE
        if needs == GATEWAY_GRACE:
            yield f"{pod.title}: STEWARD_LINGER: it stops while requests are still sent to it"
        if pod.spec.get("terminationGracePeriodSeconds", 30) <= needs:
            yield f"{pod.title}: terminationGracePeriodSeconds is not more than linger and grace, {needs:.0f}"


GATEWAY_GRACE = 30
"""Seconds that what is under way in the gateway may take: core.shutdown.grace as it ships."""
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "min": 60, "sec": 1, "hours": 3600, "days": 86400}


def seconds(text: str) -> float:
    return sum(int(number) * SECONDS[unit] for number, unit in re.findall(r"(\d+)\s*([a-z]+)", text))


BESIDE_BODIES = 256 * 2**20
"""Bytes that a service needs beside bodies: itself, what it remembers, one register file."""
OF_A_BODY = 3
"""As many times as large as itself is a body while it is worked on: read, on its way to the database, and in pieces that are not given back."""


@check("a service has memory for the bodies that it may hold")
def bodies(overlay: Overlay, _tree: Tree):
    for pod in overlay.pods:
        if not pod.is_service:
            continue
        values, fault = service_settings(overlay, pod)
        for container in pod.containers if not fault else []:
            limit = dig(container, "resources", "limits", "memory")
            needed = BESIDE_BODIES + OF_A_BODY * int(values["core.http.body_memory_bytes"])
            if limit and quantity(limit) < needed:
                yield at(pod, container, "resources.limits.memory", f"{limit} is less than core.http.body_memory_bytes needs: {needed // 2**20} MiB")


PLATFORM_CONNECTIONS = 4
"""Connections of a replica's own loops, beside those of core.database.max_connections."""
RESERVED_CONNECTIONS = 15
"""For the operator, backups, replication, the provision job and the exporter."""


@check("the database takes the connections of as many replicas as may run, and one more of each in a rollout")
def connections(overlay: Overlay, _tree: Tree):
    most = {name: thing for (kind, name), thing in scalers(overlay) if kind == "Deployment"}
    wanted = 0
    for pod in overlay.pods:
        if not pod.is_service:
            continue
        values, fault = service_settings(overlay, pod)
        if fault:
            return
        scaler = most.get(pod.name, {}).get("spec", {})
        replicas = scaler.get("maxReplicas") or scaler.get("maxReplicaCount") or pod.owner["spec"].get("replicas", 1)
        wanted += (replicas + 1) * (int(values["core.database.max_connections"]) + PLATFORM_CONNECTIONS)
    for source, limit in database_limits(overlay):
        if limit < wanted + RESERVED_CONNECTIONS:
            yield f"{source}: max_connections: {limit} is less than {wanted} of the services and {RESERVED_CONNECTIONS} others"


def database_limits(overlay: Overlay):
    for cluster in overlay.kind("Cluster"):
        yield title(cluster), int(dig(cluster, "spec", "postgresql", "parameters", "max_connections", default=100))
    for pod in overlay.pods:
        for container in pod.spec["containers"]:
            if re.search(r"(^|/)postgres(ql)?[:@]", container["image"]):
                words = " ".join([*(container.get("command") or []), *(container.get("args") or [])])
                found = re.search(r"max_connections=(\d+)", words)
                yield pod.title, int(found[1]) if found else 100


# ---- The configuration of NATS ---------------------------------------------------------------------------------------


@check("nats-server takes its configuration, and every user in it has a key")
def nats(overlay: Overlay, _tree: Tree):
    pods = [pod for pod in overlay.pods if pod.name == "nats"]
    if not pods:
        yield "StatefulSet/nats is missing"
    for pod in pods:
        server = next((container for container in pod.spec["containers"] if container["name"] == "nats"), None)
        if server is None:
            yield f"{pod.title}: containers: none is named nats"
            continue
        container = laid_out(overlay, pod, server)
        words = [*(server.get("command") or []), *(server.get("args") or [])]
        file = next((word for word in words if word.endswith(".conf")), None)
        if file is None:
            yield f"{pod.title}: containers[nats].args: name no .conf file"
            continue
        file = file.partition("=")[2] if file.startswith("-") else file
        command = [program("NATS_SERVER"), "-t", "-c", container.mapped(file)]
        result = subprocess.run(command, env=container.environment, cwd="/", capture_output=True, text=True, check=False)
        if result.returncode != 0:
            yield f"{pod.title}: {result.stderr.strip().replace(str(container.folder), '')}"
