"""What keeps people from using a page with a screen reader, a keyboard or little sight, as far as a program finds it.

Names and roles are those of Chromium's accessibility tree, which screen readers get. The limits are those of WCAG 2.2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SOURCE = Path(__file__).parent / "accessibility.js"

NAMED = {
    "button", "link", "image", "img", "textbox", "dialog", "progressbar", "DisclosureTriangle", "heading", "region",
    "form",
}
LANDMARKS = {"banner", "main"}


@dataclass(frozen=True)
class Node:
    role: str
    name: str
    properties: dict[str, Any]


def tree(page: Page) -> list[Node]:
    """The nodes of the accessibility tree that are not ignored, in order."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    return [
        Node(
            node["role"]["value"],
            node.get("name", {}).get("value", "").strip(),
            {each["name"]: each["value"].get("value") for each in node.get("properties", [])},
        )
        for node in in_order(nodes)
        if not node["ignored"]
    ]


def in_order(nodes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    by_id = {node["nodeId"]: node for node in nodes}
    waiting = [nodes[0]["nodeId"]] if nodes else []
    while waiting:
        node = by_id.get(waiting.pop())
        if node:
            yield node
            waiting += reversed(node.get("childIds", []))


def flaws(page: Page) -> list[str]:
    nodes = tree(page)
    of_document = page.evaluate(f"{SOURCE.read_text()}\ndocumentFlaws()")
    return [*names(nodes), *headings(nodes), *landmarks(nodes), *of_document]


def names(nodes: list[Node]) -> Iterator[str]:
    """4.1.2 and 1.1.1: what can be used, and each picture that is not for decoration, has a name."""
    for node in nodes:
        if node.role in NAMED and not node.name:
            yield f"a {node.role} has no name"


def headings(nodes: list[Node]) -> Iterator[str]:
    """1.3.1: no level is left out. A dialog hides the page behind it, with its headings."""
    levels = [node.properties["level"] for node in nodes if node.role == "heading"]
    if not any(node.role == "dialog" for node in nodes):
        if levels.count(1) != 1:
            yield f"the page has {levels.count(1)} headings of level 1"
        levels = [0, *levels]
    for before, after in zip(levels, levels[1:]):
        if after > before + 1:
            yield f"a heading of level {after} follows one of {before}"


def landmarks(nodes: list[Node]) -> Iterator[str]:
    if any(node.role == "dialog" for node in nodes):
        return
    found = Counter(node.role for node in nodes)
    yield from (f"the page has {found[role]} landmarks {role}" for role in LANDMARKS if found[role] != 1)
    regions = Counter(node.name for node in nodes if node.role == "region")
    yield from (f"{count} regions are named {name}" for name, count in regions.items() if count > 1)
