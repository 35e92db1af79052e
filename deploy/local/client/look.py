#!/usr/bin/env python3
"""Looks at clients that were generated from the API document: has each of them every operation, are files bytes, and does each
survive a word that is newer than it is?

    look.py DOCUMENT TYPESCRIPT_FILE PYTHON_FOLDER KOTLIN_FOLDER SWIFT_FOLDER
"""

import importlib
import json
import pathlib
import re
import sys

FILES = {"store_file", "import_estates", "import_residents", "import_staff", "import_articles", "import_departments",
         "import_technicians", "import_shifts"}


def operations(document):
    return {
        operation["operationId"]: operation
        for item in document["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict) and "responses" in operation
    }


def camel(name):
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def text_of(folder, ending):
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(pathlib.Path(folder).rglob(f"*{ending}")))


def field_type(text, owner, field, pattern):
    """The type of a field of a class in generated source."""
    start = text.index(owner)
    return re.compile(pattern.format(field=field)).search(text, start).group(1)


def new_word_in_python(folder, document):
    """Reads an example of a case in which every word is one that the client has never met."""
    package = next(path.parent for path in pathlib.Path(folder).glob("*/client.py"))
    sys.path.insert(0, str(package.parent))
    view = importlib.import_module(f"{package.name}.models.case_view").CaseView
    case = dict(operations(document)["get_case"]["responses"]["200"]["content"]["application/json"]["example"])
    for name in ("kind", "status", "stage", "channel", "priority", "opened_by"):
        case[name] = "newer_than_this_client"
    read = view.from_dict(case)
    return read.kind == "newer_than_this_client" and read.to_dict()["stage"] == "newer_than_this_client"


def main(document, typescript, python, kotlin, swift):
    document = json.loads(pathlib.Path(document).read_text(encoding="utf-8"))
    wanted = operations(document)
    clients = {
        "TypeScript": (pathlib.Path(typescript).read_text(encoding="utf-8"), lambda name: rf"^    {name}: \{{"),
        "Python": ("\n".join(path.stem for path in pathlib.Path(python).rglob("api/*/*.py")), lambda name: rf"^{name}$"),
        "Kotlin": (text_of(kotlin, "Api.kt"), lambda name: rf"\bfun {camel(name)}\("),
        "Swift": (text_of(swift, "API.swift"), lambda name: rf"\bfunc {camel(name)}\("),
    }
    faults = []
    for language, (text, pattern) in clients.items():
        missing = [name for name in wanted if not re.search(pattern(name), text, re.MULTILINE)]
        print(f"{language}: {len(wanted) - len(missing)} of {len(wanted)} operations")
        faults += [f"{language} has no {name}" for name in missing]

    kotlin_api, swift_api = clients["Kotlin"][0], clients["Swift"][0]
    for name in sorted(FILES & set(wanted)):
        taken = re.search(rf"\bfun {camel(name)}\(([^)]*)\)", kotlin_api)
        if not taken or "java.io.File" not in taken.group(1):
            faults.append(f"Kotlin: {name} takes no file")
        taken = re.search(rf"\bfunc {camel(name)}\(([^)]*)\)", swift_api)
        if not taken or not re.search(r"\b(Data|URL)\b", taken.group(1)):
            faults.append(f"Swift: {name} takes no file")

    kinds = {
        "Kotlin": field_type(text_of(kotlin, "CaseView.kt"), "data class CaseView", "kind", r"val {field}: ([\w.?]+)"),
        "Swift": field_type(text_of(swift, "CaseView.swift"), "struct CaseView", "kind", r"var {field}: ([\w?]+)"),
    }
    for language, kind in kinds.items():
        print(f"{language}: the kind of a case is a {kind}")
        if kind.split(".")[-1] != "String":
            faults.append(f"{language}: a new kind of case would break the client")
    if new_word_in_python(python, document):
        print("Python: words that are newer are read as texts")
    else:
        faults.append("Python: a new word is lost")

    for fault in faults:
        print(fault, file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    main(*sys.argv[1:])
