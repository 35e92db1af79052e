"""Runs every check on every overlay: one line a check, and below it what breaks the rule."""

from __future__ import annotations

import sys
import time

# In the order in which their checks run.
from . import render, schemas, pods, wiring, network, routes, running, metrics, policy, chart, selftest  # noqa: F401
from .model import CHECKS, read_tree


def main() -> int:
    begun = time.monotonic()
    overlays, tree = render.render_all(), read_tree()
    print("overlays: " + ", ".join(f"{overlay.name} ({len(overlay.objects)} objects)" for overlay in overlays))
    found: dict[str, list[str]] = {}
    for one in CHECKS.values():
        found[one.title] = one.findings(overlays, tree)
        report(one.title, found[one.title])
    blind = list(selftest.checks_that_see_nothing(overlays, tree, found))
    report("each check sees the faults that it is for", blind)
    failed = sum(map(bool, [*found.values(), blind]))
    print(f"{len(CHECKS) + 1 - failed} passed, {failed} failed, {time.monotonic() - begun:.0f} s")
    return 1 if failed else 0


def report(title: str, findings: list[str]) -> None:
    print(f"{'FAILED' if findings else 'ok':8}{title}", flush=True)
    for finding in findings:
        print(f"          {finding}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
