"""What checkov says. Rules that do not fit are skipped in checkov.yaml, each with its reason."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import yaml

from .model import Overlay, Tree, check_all, program, scratch

SKIPS = pathlib.Path(__file__).parent / "checkov.yaml"


@check_all("checkov finds nothing", alone=True)
def checkov(overlays: list[Overlay], _tree: Tree):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="checkov-", dir=scratch()))
    for overlay in overlays:
        (folder / f"{overlay.name}.yaml").write_text(yaml.safe_dump_all(overlay.objects), "utf-8")
    command = [sys.executable, f"{program('CHECKOV')}/bin/checkov", "--config-file", str(SKIPS), "--directory", "."]
    environment = os.environ | {"PYTHONPATH": program("CHECKOV")}
    # It leaves hidden folders out, and the scratch folder is in one; so it starts there.
    result = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    try:
        report = json.loads(result.stdout)
    except json.JSONDecodeError:
        yield f"it did not run: {result.stderr.strip()[-500:]}"
        return
    if "results" not in report:
        yield "it looked at nothing"
        return
    for fault in report["results"]["failed_checks"]:
        overlay = fault["file_path"].strip("/").removesuffix(".yaml")
        yield f"{overlay}: {fault['resource']}: {fault['check_id']}: {fault['check_name']}"
