"""Whether the API server would take the objects, field by field. Fields it does not know are errors."""

from __future__ import annotations

import functools
import json
import pathlib

import jsonschema
import kubernetes_validate
import yaml
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from .model import KUBERNETES, Object, Overlay, check, group_of, is_built_in, title

VERSIONS = ("1.35", "1.36", "1.37")
"""The three newest minor versions of Kubernetes."""

BUNDLED = pathlib.Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
OURS = KUBERNETES / "schemas"


@functools.cache
def definitions(version: str) -> tuple[pathlib.Path, Registry]:
    folder = BUNDLED / f"v{version}.0-local-strict"
    contents = json.loads((folder / "_definitions.json").read_text("utf-8"))
    return folder, Resource.from_contents(contents) @ Registry()


@functools.cache
def built_in(version: str, api_version: str, kind: str) -> jsonschema.Validator | None:
    folder, registry = definitions(version)
    group, _, number = api_version.rpartition("/")
    file = folder / "-".join(filter(None, (kind.lower(), group.partition(".")[0], f"{number}.json")))
    if not file.exists():
        return None
    return jsonschema.Draft202012Validator(json.loads(file.read_text("utf-8")), registry=registry)


@functools.cache
def our_parts() -> Registry:
    contents = yaml.safe_load((OURS / "parts.yaml").read_text("utf-8"))
    return Registry().with_resource("parts.yaml", Resource.from_contents(contents, default_specification=DRAFT202012))


@functools.cache
def ours(api_version: str, kind: str) -> jsonschema.Validator | None:
    """The schema of a kind that an extension brings: a file of ours with the fields that we use."""
    group, _, version = api_version.partition("/")
    file = OURS / group / f"{kind}.{version}.yaml"
    if not file.exists():
        return None
    schema = yaml.safe_load(file.read_text("utf-8"))
    whole = {
        "type": "object",
        "additionalProperties": False,
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {"const": api_version},
            "kind": {"const": kind},
            "metadata": {"$ref": "parts.yaml#/$defs/metadata"},
            "spec": schema,
        },
    }
    return jsonschema.Draft202012Validator(whole, registry=our_parts())


def faults(validator: jsonschema.Validator, thing: Object):
    for error in validator.iter_errors(thing):
        # Of alternatives, the fault of the one that fits best says more than "fits none".
        deepest = jsonschema.exceptions.best_match([error])
        path = ".".join(str(step) for step in deepest.absolute_path)
        yield f"{title(thing)}: {path or 'the object'}: {deepest.message[:300]}"


@check(f"built-in kinds fit Kubernetes {', '.join(VERSIONS)}")
def built_in_kinds(overlay: Overlay, _tree):
    for thing in filter(is_built_in, overlay.objects):
        for version in VERSIONS:
            validator = built_in(version, thing["apiVersion"], thing["kind"])
            if validator is None:
                yield f"{title(thing)}: apiVersion: {thing['apiVersion']} does not exist in {version}"
                continue
            yield from (f"{fault} ({version})" for fault in faults(validator, thing))


@check("kinds of extensions fit the schemas in schemas/")
def custom_kinds(overlay: Overlay, _tree):
    for thing in overlay.objects:
        if is_built_in(thing):
            continue
        validator = ours(thing["apiVersion"], thing["kind"])
        if validator is None:
            yield f"{title(thing)}: no schema in schemas/{group_of(thing)}/ for {thing['kind']} {thing['apiVersion']}"
            continue
        yield from faults(validator, thing)


@check("the trial needs no extension")
def trial_is_plain(overlay: Overlay, _tree):
    if overlay.is_trial:
        for thing in overlay.objects:
            if not is_built_in(thing) or thing["kind"] in ("Ingress", "CustomResourceDefinition"):
                yield f"{title(thing)}: kind: {thing['apiVersion']} needs more than a bare cluster"
