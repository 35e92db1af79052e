"""An overlay as a Helm chart: the same objects, and in values.yaml what differs from one site to the next.

The overlay is rendered once as it is and once with marks in the places of the values; so Kustomize itself tells where each
value goes, and each object with marks becomes a template.
"""

from __future__ import annotations

import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from .model import (
    KUBERNETES,
    OBSERVABILITY,
    SERVICES,
    Object,
    Overlay,
    Tree,
    check,
    load_yaml,
    name_of,
    program,
    read_version,
    scratch,
    title,
)
from .render import kustomize

IMAGE = re.compile(rf"(?:(?P<registry>.+)/)?(?P<name>steward/(?:{'|'.join(SERVICES)}|steward|steward-local)):(?P<tag>[^@]+)")
KEEP = {"helm.sh/resource-policy": "keep"}
KEPT = ("Namespace", "Cluster")
"""Kinds that hold data: taking the release away does not take them away."""
MARK = re.compile(r"zz-([a-z-]+?)-zz")


def mark(name: str) -> str:
    """Stands for a value until the template is text; Kubernetes would take it for a name."""
    return f"zz-{name}-zz"


def expression(name: str) -> str:
    """What the template has in the place of a mark."""
    special = {
        "namespace": ".Values.namespace",
        "settings": ".Values.settings",
        "tag": ".Values.image.tag",
        "registry": 'include "steward.registry" .',
        "revision": 'include "steward.revision" .',
    }
    return special.get(name) or f'index .Values.site "{name}"'


# ---- Values ----------------------------------------------------------------------------------------------------------


class Site:
    """What an overlay says about its site: its namespace, images, settings, and the file site.yaml."""

    def __init__(self, folder: pathlib.Path, overlay: Overlay):
        images = (IMAGE.fullmatch(container["image"]) for pod in overlay.pods for container in pod.containers)
        image = next(filter(None, images))
        self.namespace, self.registry, self.tag = overlay.namespace, image["registry"] or "", image["tag"]
        self.settings = (folder / "steward.toml").read_text("utf-8")
        file = folder / "site.yaml"
        self.text = file.read_text("utf-8").partition("\ndata:\n")[2] if file.exists() else ""
        self.values: dict[str, str] = yaml.safe_load(self.text) or {}

    def values_file(self) -> str:
        settings = "".join(f"  {line}".rstrip() + "\n" for line in self.settings.splitlines())
        site = f"\n# What is different at every site.\nsite:\n{self.text}" if self.values else ""
        return (
            "# Where everything is put, and whether the chart makes that namespace, with the label that enforces the\n"
            "# restricted Pod Security standard.\n"
            f"namespace: {json.dumps(self.namespace)}\n"
            "createNamespace: true\n"
            "\n# Where the images of Steward are, and which.\n"
            f"image:\n  registry: {json.dumps(self.registry)}\n  tag: {json.dumps(self.tag)}\n"
            f"{site}"
            "\n# The settings of all five services.\n"
            f"settings: |\n{settings}"
        )

    def digest(self) -> str:
        """Of what config maps are made of, as the template works it out."""
        parts = [self.namespace, self.settings, self.values]
        text = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        for sign in "<>&":
            text = text.replace(sign, f"\\u{ord(sign):04x}")
        return hashlib.sha256(text.encode()).hexdigest()

    def helpers(self) -> str:
        parts = "list .Values.namespace .Values.settings (.Values.site | default dict)"
        return (
            '{{- define "steward.registry" -}}\n'
            "{{- with .Values.image.registry }}{{ . }}/{{ end -}}\n"
            "{{- end }}\n\n"
            "{{- /* Part of the names of config maps, so that another content is a rollout. */ -}}\n"
            '{{- define "steward.revision" -}}\n'
            f"{{{{- $now := {parts} | toJson | sha256sum -}}}}\n"
            f'{{{{- if ne $now "{self.digest()}" }}}}-{{{{ $now | trunc 8 }}}}{{{{ end -}}}}\n'
            "{{- end }}\n"
        )


# ---- From an overlay to a chart --------------------------------------------------------------------------------------


def write(overlay: Overlay, folder: pathlib.Path) -> None:
    """Writes the chart of a rendered overlay."""
    version = read_version()
    site = Site(KUBERNETES / "overlays" / overlay.name, overlay)
    (folder / "templates").mkdir(parents=True)
    chart = {
        "apiVersion": "v2",
        "name": "steward",
        "description": f"Steward, the service platform of property companies: the overlay {overlay.name}",
        "type": "application",
        "version": version,
        "appVersion": version,
    }
    (folder / "Chart.yaml").write_text(yaml.safe_dump(chart, sort_keys=False), "utf-8")
    (folder / "values.yaml").write_text(site.values_file(), "utf-8")
    (folder / "templates/_helpers.tpl").write_text(site.helpers(), "utf-8")
    for thing in templates(overlay, site):
        if thing["kind"] in KEPT:
            thing["metadata"]["annotations"] = thing["metadata"].get("annotations", {}) | KEEP
        file = f"{thing['kind']}-{name_of(thing)}.yaml".lower().replace(mark("revision"), "")
        (folder / "templates" / file).write_text(template(thing), "utf-8")


def templates(overlay: Overlay, site: Site) -> list[Object]:
    """The objects with marks in the places of the values."""
    marked = load_yaml(kustomize(with_marks(overlay.name, site)))
    # Kustomize has named config maps by their content, which has marks in it; they get their true names back.
    true = {base_name(thing): name_of(thing) for thing in overlay.kind("ConfigMap")}
    renamed = {
        name_of(thing): true[base_name(thing)] + mark("revision")
        for thing in marked
        if thing["kind"] == "ConfigMap" and name_of(thing) != true[base_name(thing)]
    }

    def change(text: str) -> str:
        image = IMAGE.fullmatch(text)
        return f"{mark('registry')}{image['name']}:{mark('tag')}" if image else renamed.get(text, text)

    return [each_text(thing, change) for thing in marked]


def base_name(thing: Object) -> str:
    return re.sub(r"-[0-9a-z]{10}$", "", name_of(thing))


def with_marks(name: str, site: Site) -> pathlib.Path:
    """A copy of the manifests in which the overlay has marks in the places of its values."""
    copy = pathlib.Path(tempfile.mkdtemp(prefix=f"marked-{name}-", dir=scratch()))
    shutil.copytree(KUBERNETES, copy / "kubernetes")
    if OBSERVABILITY.exists():
        shutil.copytree(OBSERVABILITY, copy / "observability")
    folder = copy / "kubernetes/overlays" / name
    (folder / "steward.toml").write_text(mark("settings"), "utf-8")
    for file in folder.glob("*.yaml"):
        text = file.read_text("utf-8")
        if file.name == "site.yaml":
            head, _, _ = text.partition("\ndata:\n")
            text = f"{head}\ndata:\n" + "".join(f"  {key}: {mark(key)}\n" for key in site.values)
        elif file.name == "kustomization.yaml":
            text = re.sub(r"(?m)^namespace: .*", f"namespace: {mark('namespace')}", text)
        elif "kind: Namespace" in text:
            text = re.sub(r"(?m)^  name: .*", f"  name: {mark('namespace')}", text)
        file.write_text(text, "utf-8")
    return folder


def each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: each_text(inner, change) for key, inner in value.items()}
    if isinstance(value, list):
        return [each_text(inner, change) for inner in value]
    return change(value) if isinstance(value, str) else value


class Dumper(yaml.SafeDumper):
    """Writes long texts as blocks, and quotes what some reader of YAML might take for a number."""


def text_node(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = None
    if "\n" in text:
        style = "|"
    elif re.fullmatch(r"[-+.0-9][-+.0-9a-fA-FxXoO_:]*", text):
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


Dumper.add_representer(str, text_node)


def template(thing: Object) -> str:
    text = yaml.dump(thing, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=2**20)
    text = text.replace("{{", '{{ "{{" }}')
    # A whole value may be anything, so it is written as JSON; a part of a text is what it is.
    text = re.sub(rf"(?m)(?<=[:-] ){MARK.pattern}$", lambda found: f"{{{{ {expression(found[1])} | toJson }}}}", text)
    text = MARK.sub(lambda found: f"{{{{ {expression(found[1])} }}}}", text)
    return f"{{{{- if .Values.createNamespace }}}}\n{text}{{{{- end }}}}\n" if thing["kind"] == "Namespace" else text


# ---- The check -------------------------------------------------------------------------------------------------------


@check("the Helm chart of the overlay is sound, renders to the same objects, and follows its values")
def same(overlay: Overlay, _tree: Tree):
    if "+" in overlay.name:
        return  # a combination that is made for the checks; no chart is made of it
    if not program("HELM"):
        print("skipped the Helm charts: there is no helm here")
        return
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"chart-{overlay.name}-", dir=scratch()))
    write(overlay, folder)
    try:
        helm("lint", "--strict", str(folder))
        yield from differences(overlay, folder)
        yield from left_behind(overlay, folder)
    except ValueError as fault:
        yield str(fault)


def helm(*arguments: str) -> str:
    result = subprocess.run([program("HELM"), *arguments], capture_output=True, text=True, encoding="utf-8", check=False)
    if result.returncode != 0:
        raise ValueError((result.stdout + result.stderr).strip())
    return result.stdout


def differences(overlay: Overlay, folder: pathlib.Path) -> Iterator[str]:
    """What the chart with its own values has otherwise than the overlay."""

    def by_name(objects: list[Object]) -> dict[str, Object]:
        return {f"{title(thing)} ({thing['apiVersion']})": thing for thing in objects}

    objects = load_yaml(helm("template", "steward", str(folder)))
    for thing in objects:
        if thing["kind"] in KEPT:
            for annotation in KEEP:
                del thing["metadata"]["annotations"][annotation]
    wanted, rendered = by_name(overlay.objects), by_name(objects)
    for key in sorted(wanted.keys() | rendered.keys()):
        if bare(wanted.get(key)) != bare(rendered.get(key)):
            yield f"{key}: not the same in chart and overlay"


def bare(thing: Object | None) -> Object | None:
    """Without empty annotations, which are none."""
    if thing and not thing["metadata"].get("annotations", True):
        return {**thing, "metadata": {key: value for key, value in thing["metadata"].items() if key != "annotations"}}
    return thing


def left_behind(overlay: Overlay, folder: pathlib.Path) -> Iterator[str]:
    """What stays as it was when all values change."""
    site = Site(KUBERNETES / "overlays" / overlay.name, overlay)
    other = {
        "namespace": "elsewhere",
        "image": {"registry": "registry.elsewhere", "tag": "elsewhere"},
        "settings": "elsewhere",
        "site": {name: f"elsewhere-{name}" for name in site.values},
    }
    values = folder / "other-values.yaml"
    values.write_text(yaml.safe_dump(other), "utf-8")
    changed = Overlay(overlay.name, load_yaml(helm("template", "steward", str(folder), "--values", str(values))))
    # Short values are words that may stand for something else; long ones and the ways to name the namespace are not.
    old = {value for value in site.values.values() if "." in value or "/" in value}
    old |= {f'namespace="{site.namespace}"', f".{site.namespace}.svc"}
    for thing in changed.objects:
        if thing["metadata"].get("namespace", "elsewhere") != "elsewhere":
            yield f"{title(thing)}: metadata.namespace: does not follow the value"
        text = json.dumps(thing, ensure_ascii=False)
        yield from (f"{title(thing)}: {value} stays" for value in sorted(old) if value in text)
    maps = {name_of(thing) for thing in changed.kind("ConfigMap")}
    for pod in changed.pods:
        for container in pod.containers:
            image = IMAGE.fullmatch(container["image"])
            if image and (image["registry"], image["tag"]) != ("registry.elsewhere", "elsewhere"):
                yield f"{pod.title}: containers[{container['name']}].image: does not follow the values"
        for volume in pod.spec.get("volumes") or []:
            name = volume.get("configMap", {}).get("name")
            if name and name not in maps:
                yield f"{pod.title}: volumes[{volume['name']}]: there is no ConfigMap {name}"
    for thing in overlay.kind("ConfigMap"):
        if "steward.toml" in thing["data"] and name_of(thing) in maps:
            yield f"{title(thing)}: metadata.name: stays when the content changes"


def main(name: str, target: str) -> None:
    source = KUBERNETES / "overlays" / name
    if not (source / "kustomization.yaml").exists():
        raise SystemExit(f"chart: there is no overlay {name}")
    folder = pathlib.Path(target)
    if folder.exists() and any(folder.iterdir()):
        raise SystemExit(f"chart: {folder} is not empty")
    write(Overlay(name, load_yaml(kustomize(source))), folder)
    print(f"{folder} is the chart of {name}: helm upgrade --install steward {folder} --values YOUR-VALUES.yaml")


if __name__ == "__main__":
    main(*sys.argv[1:])
