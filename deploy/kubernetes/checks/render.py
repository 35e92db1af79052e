"""Overlays to objects, with kubectl's kustomize."""

from __future__ import annotations

import os
import pathlib
import subprocess

import yaml

from .model import KUBERNETES, Object, Overlay, check, load_yaml, program, scratch

OVERLAYS = KUBERNETES / "overlays"
COMPONENTS = KUBERNETES / "components"


def kustomize(folder: pathlib.Path) -> str:
    command = [program("KUBECTL"), "kustomize", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    if result.returncode != 0 or result.stderr:
        # Warnings are errors, too: they tell of deprecated fields.
        raise SystemExit(f"FAILED  {folder.name} does not render\n{result.stderr.rstrip()}")
    return result.stdout


TRIAL_ONLY = ("volatile",)
"""Components that are made for the trial; the others are made for production."""


def render_all() -> list[Overlay]:
    """Every overlay, and an overlay with each component that none of them uses."""
    folders = sorted(folder for folder in OVERLAYS.iterdir() if (folder / "kustomization.yaml").exists())
    folders += [with_component(component) for component in unused_components(folders)]
    overlays = []
    for folder in folders:
        text = kustomize(folder)
        overlays.append(Overlay(folder.name, load_yaml(text), text))
    return overlays


def read(folder: pathlib.Path) -> Object:
    return yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))


def unused_components(overlays: list[pathlib.Path]) -> list[pathlib.Path]:
    used: set[pathlib.Path] = set()
    waiting = [folder.resolve() for folder in overlays]
    while waiting:
        folder = waiting.pop()
        if folder in used or not (folder / "kustomization.yaml").exists():
            continue
        used.add(folder)
        content = read(folder)
        for reference in [*(content.get("resources") or []), *(content.get("components") or [])]:
            waiting.append((folder / reference).resolve())
    there = sorted(path.parent for path in COMPONENTS.rglob("kustomization.yaml"))
    return [folder for folder in there if folder.resolve() not in used]


def with_component(component: pathlib.Path) -> pathlib.Path:
    base = OVERLAYS / ("trial" if component.name in TRIAL_ONLY else "production")
    folder = scratch() / f"{base.name}+{component.name}"
    folder.mkdir()
    content = {
        "namespace": read(base)["namespace"],
        "resources": [os.path.relpath(base, folder)],
        "components": [os.path.relpath(component, folder)],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(content), "utf-8")
    return folder


@check("renders to the same bytes again")
def renders_the_same(overlay: Overlay, _tree):
    folder = OVERLAYS / overlay.name
    if kustomize(folder if folder.exists() else scratch() / overlay.name) != overlay.text:
        yield "differs from one rendering to the next"


@check("names are unique, and all is in one namespace")
def one_namespace(overlay: Overlay, _tree):
    seen = set()
    for thing in overlay.objects:
        key = (thing["apiVersion"], thing["kind"], thing["metadata"].get("namespace"), thing["metadata"]["name"])
        if key in seen:
            yield f"{thing['kind']}/{thing['metadata']['name']}: twice"
        seen.add(key)
        if "generateName" in thing["metadata"]:
            yield f"{thing['kind']}: metadata.generateName: every apply would make a new one"
        if thing["kind"] in CLUSTER_WIDE:
            continue
        namespace = thing["metadata"].get("namespace")
        if namespace != overlay.namespace:
            yield f"{thing['kind']}/{thing['metadata']['name']}: metadata.namespace: {namespace}, not {overlay.namespace}"


CLUSTER_WIDE = ("Namespace", "PriorityClass", "StorageClass", "GatewayClass", "ClusterIssuer", "ClusterSecretStore")
