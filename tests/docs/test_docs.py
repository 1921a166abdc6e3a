"""Whether README.md and docs/ agree with the template and the sources, and whether their links lead anywhere.

    .venv-ops/bin/python -m unittest discover --start-directory tests/docs

Sources are found by what is in them rather than by their names: files move more often than facts change.
"""

from __future__ import annotations

import json
import os
import re
import unittest
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from samtranslator.yaml_helper import yaml_parse

# Another copy of the repository can be looked at: that is how this test is tested.
ROOT = Path(os.environ.get("DOCS_TEST_ROOT") or Path(__file__).resolve().parent.parent.parent)
README = ROOT / "README.md"
PAGES = sorted((ROOT / "docs").glob("*.md"))
LONGEST_README = 200  # lines

TEMPLATE: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
PARAMETERS: dict[str, Any] = TEMPLATE["Parameters"]


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


# Markdown


def without_code(text: str) -> str:
    """A page without its blocks of code and without what is between backticks."""
    text = re.sub(r"(?ms)^( *)(`{3,}|~{3,}).*?^\1\2 *$", "", text)
    return re.sub(r"(?s)(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", "``", text)


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    text = re.sub(r"(?ms)^( *)(`{3,}|~{3,}).*?^\1\2 *$", "", text)
    found: Counter[str] = Counter()
    names = set(re.findall(r'<a (?:id|name)="([^"]+)"', text))
    for heading in re.findall(r"(?m)^#{1,6} +(.+?) *#*$", text):
        heading = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        names.add(f"{anchor}-{found[anchor]}" if found[anchor] else anchor)
        found[anchor] += 1
    return names


def links(text: str) -> list[str]:
    """Where a page's links and pictures lead, but for those to other hosts."""
    text = without_code(text)
    found = re.findall(r"\]\(<?([^)\s>]+)>?(?: +\"[^\"]*\")?\)", text)
    found += re.findall(r"(?m)^ *\[[^\]]+\]: +(\S+)", text)
    found += re.findall(r"(?:src|srcset|href)=\"([^\"\s]+)\"", text)
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def tables(text: str) -> Iterator[tuple[list[str], list[dict[str, str]]]]:
    """Each table of a page: its columns, and its rows by column."""
    for block in re.findall(r"(?m)(?:^\|.*\n?)+", text):
        lines = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in block.splitlines()]
        columns, _, *rows = lines
        yield columns, [dict(zip(columns, row)) for row in rows]


def rows_with(text: str, *columns: str) -> list[dict[str, str]]:
    """The rows of a page's tables that have these columns."""
    return [row for found, rows in tables(text) if set(columns) <= set(found) for row in rows]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


# Sources


def strip_comments(source: str) -> str:
    return re.sub(r"(?m)^\s*//.*$|\s//[ /!].*$", "", source)


def sources() -> dict[Path, str]:
    """The Rust sources, without their comments and tests."""
    files = [*ROOT.glob("src/**/*.rs"), *ROOT.glob("photo/src/**/*.rs")]
    texts = {path: strip_comments(path.read_text()) for path in files if path.stem not in ("tests", "sample")}
    return {path: re.split(r"#\[cfg\(test\)\]\s*mod ", text)[0] for path, text in texts.items()}


SOURCES = sources()


def constants(text: str) -> dict[str, str]:
    return dict(re.findall(r'const (\w+): &(?:\'static )?str = "([^"]*)"', text))


def block_after(text: str, start: int) -> str:
    """What is between the braces that open next."""
    depth, opened = 0, text.index("{", start)
    for position in range(opened, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return text[opened + 1 : position]
    raise ValueError("a block has no end")


class Readme(unittest.TestCase):
    def test_the_readme_is_a_door(self) -> None:
        lines = README.read_text().splitlines()
        self.assertLessEqual(len(lines), LONGEST_README)

    def test_the_readme_leads_to_every_page(self) -> None:
        linked = {link.partition("#")[0] for link in links(README.read_text())}
        figures = {"docs/bench.md", "docs/growth.md", "docs/load.md"}  # of docs/performance.md
        for path in PAGES:
            name = path.relative_to(ROOT).as_posix()
            if name in figures:
                self.assertIn(path.name, {link.partition("#")[0] for link in links(page("performance.md"))})
            else:
                self.assertIn(name, linked)

    def test_its_versions_and_sizes_are_those_of_the_project(self) -> None:
        (version,) = set(re.findall(r'(?m)^rust-version *= *"([\d.]+)"', (ROOT / "Cargo.toml").read_text()))
        text = " ".join(README.read_text().split())
        self.assertEqual(set(re.findall(r"Rust (\d[\d.]*\d) or later", text)), {version})
        size = json.loads((ROOT / "docs/figures.json").read_text())["the package of thumbnail"]
        self.assertEqual(re.findall(r"package ([\d.]+) MB", text), [f"{size:.2f}"])


class Links(unittest.TestCase):
    def test_every_link_and_anchor_resolves(self) -> None:
        pages = [README, *PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md"]
        pages += [ROOT / "dev/README.md", *sorted(ROOT.glob("tests/**/*.md"))]
        looked_at = 0
        for path in pages:
            for link in links(path.read_text()):
                looked_at += 1
                file, _, anchor = link.partition("#")
                target = path.parent / unquote(file) if file else path
                with self.subTest(page=path.relative_to(ROOT).as_posix(), link=link):
                    self.assertTrue(target.exists(), "there is no such file")
                    if anchor:
                        self.assertIn(anchor, anchors(target.read_text()))
        self.assertGreater(looked_at, 100)

    def test_commands_that_pages_tell_exist(self) -> None:
        targets = set(re.findall(r"(?m)^([a-z][a-z-]*):", (ROOT / "Makefile").read_text()))
        for path in (README, *PAGES, ROOT / "CONTRIBUTING.md", ROOT / "dev/README.md", ROOT / "tests/README.md"):
            text = path.read_text()
            told = re.findall(r"`make ([a-z][a-z-]*)", text) + re.findall(r"(?m)^(?:\$ )?make ([a-z][a-z-]*)", text)
            self.assertLessEqual(set(told), targets, path.name)


class Configuration(unittest.TestCase):
    rows = rows_with(page("configuration.md"), "default")

    def default(self, row: dict[str, str]) -> str:
        return row["default"].strip("`")

    def of(self, column: str) -> dict[str, dict[str, str]]:
        """The rows by the name in one of their columns; no name stands in two."""
        named = [(code(row[column])[0], row) for row in self.rows if code(row.get(column, ""))]
        self.assertEqual(len(named), len(dict(named)), f"a {column} stands in two rows")
        return dict(named)

    def test_each_parameter_of_the_template_has_its_row_with_its_default(self) -> None:
        rows = self.of("parameter")
        self.assertEqual(set(rows), set(PARAMETERS))
        for name, parameter in PARAMETERS.items():
            self.assertEqual(self.default(rows[name]), str(parameter["Default"]) or "empty", name)

    def test_each_variable_that_the_functions_read_has_its_row(self) -> None:
        reading = [text for text in SOURCES.values() if re.search(r"\bConfigError\b|\benv::var\(", text)]
        read = {name for text in reading for name in re.findall(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_?)"', text)}
        self.assertGreaterEqual(len(read), 16, "the settings are read in another way than this test knows")
        self.assertEqual(set(self.of("variable")), read | self.set_by_the_template())

    def set_by_the_template(self) -> set[str]:
        return {name for variables in self.environments() for name in variables}

    def environments(self) -> Iterator[dict[str, Any]]:
        for resource in TEMPLATE["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                yield resource["Properties"]["Environment"]["Variables"]

    def test_each_variable_stands_beside_the_parameter_that_sets_it(self) -> None:
        rows, looked_at = self.of("variable"), 0
        for variables in self.environments():
            for name, value in variables.items():
                set_by = [value["Ref"]] if isinstance(value, dict) and value.get("Ref") in PARAMETERS else []
                self.assertEqual(code(rows[name].get("parameter", "")), set_by, name)
                looked_at += 1
        self.assertGreater(looked_at, 15)

    def test_both_functions_variables_have_a_star(self) -> None:
        thumbnail, upload_url = self.environments()
        self.assertIn("THUMBNAILS_BUCKET", thumbnail)
        for name, row in self.of("variable").items():
            if "parameter" in row:
                self.assertEqual("*" in row["variable"], name in thumbnail and name in upload_url, name)

    def test_defaults_are_those_of_the_source(self) -> None:
        rows, looked_at = self.of("variable"), set()
        for text in SOURCES.values():
            if "ConfigError" not in text:
                continue
            call = r'\.(text|number|required)\(\s*(?:"(\w+)"|([A-Z_]+))\s*,\s*("[^"]*"|[\d._]+|[^,()]*)'
            for match in re.finditer(call, text):
                way, name, constant, literal = match.groups()
                if constant:  # the constant of the function that it is in
                    name = re.findall(rf'const {constant}: &str = "(\w+)"', text[: match.start()])[-1]
                if way == "required":
                    said = "required"
                elif literal.startswith('"'):
                    said = literal.strip('"') or "empty"
                elif re.fullmatch(r"[\d._]+", literal):
                    said = literal.replace("_", "")
                else:
                    continue  # nothing that can be compared
                self.assertEqual(self.default(rows[name]), said, name)
                looked_at.add(name)
        self.assertGreaterEqual(len(looked_at), 14, "defaults are stated in another way than this test knows")


class DataModel(unittest.TestCase):
    def documented(self) -> set[str]:
        """The attributes of the tables: `.model` after `camera.make` is `camera.model`."""
        names = []
        for row in rows_with(page("data-model.md"), "attribute"):
            for name in code(row["attribute"]):
                names.append(names[-1].rpartition(".")[0] + name if name.startswith(".") else name)
        self.assertEqual(len(names), len(set(names)), "an attribute stands in two rows")
        return set(names)

    def owned(self) -> tuple[set[str], set[str]]:
        """The attributes that the function owns, the key with them; and the text of the files that write them."""
        texts = {path: text for path, text in SOURCES.items() if "item" in path.relative_to(ROOT).as_posix()}
        (listed,) = [found for text in texts.values() for found in re.findall(r"OWNED[^=]*=\s*&?\[(.*?)\]", text, re.S)]
        (key,) = [names["PHOTO_KEY"] for names in map(constants, texts.values()) if "PHOTO_KEY" in names]
        owned = set(re.findall(r'"(\w+)"', listed)) | {key}
        written = {name for text in texts.values() for name in re.findall(r'\(\s*"([a-z]\w*)"\s*,', text)}
        return owned, written

    def test_the_attributes_are_those_that_the_function_owns(self) -> None:
        owned, _ = self.owned()
        self.assertGreater(len(owned), 10)
        self.assertEqual({name.split(".")[0] for name in self.documented()}, owned)

    def test_what_is_in_them_is_what_the_function_writes(self) -> None:
        owned, written = self.owned()
        nested = {part for name in self.documented() for part in name.split(".")[1:]}
        # Some names, such as `bytes`, are those of attributes too.
        self.assertEqual(nested - owned, written - owned)
        self.assertLessEqual(nested, written)

    def test_the_index_carries_all_but_the_one_large_attribute(self) -> None:
        owned, _ = self.owned()
        (index,) = TEMPLATE["Resources"]["PhotosTable"]["Properties"]["GlobalSecondaryIndexes"]
        keys = {key["AttributeName"] for key in index["KeySchema"]}
        carried = set(index["Projection"]["NonKeyAttributes"]) | keys
        # The key is in every index; what expires has no album, so it is in none.
        self.assertEqual(carried - {"app"}, owned - {"photoKey", "exif", "expiresAt"})


# How an error type is written where a failure is made.
ERROR_TYPE = r"[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)*"
# A type whose names are those of failures, by its own name.
FAILING = r"\w*(?:Error|Failure|Stop|Why|Reason|Ignored|Superseded|Rejected|Rejection|Retry)"


def error_types() -> set[str]:
    """Every error type in the sources."""
    names: dict[str, str] = {}
    for text in SOURCES.values():
        names |= constants(text)
    found: set[str] = set()
    for text in SOURCES.values():
        # Failure::permanent("EmptyPhoto", ...), call_failure(NAME, ...)
        made = r'\b(?:permanent|transient|ignored|rejected|retry|call_failure)\(\s*(?:"(\w+)"|([A-Z][A-Z_0-9]+)\b)'
        found.update(literal or names.get(constant, "") for literal, constant in re.findall(made, text))
        # Failure { error_type: NAME, .. }, let (class, error_type) = (Class::Superseded, "Superseded")
        given = r'error_type(?::|\)\s*=\s*\([^,]*,)\s*(?:"(\w+)"|([A-Z][A-Z_0-9]+)\b)'
        found.update(literal or names.get(constant, "") for literal, constant in re.findall(given, text))
        # PhotoError::Empty => "EmptyPhoto", in the function that tells the name of a failure
        for block in re.finditer(rf"\bimpl (?:[\w:]+ for )?{FAILING}\b", text):
            body = block_after(text, block.end())
            for function in re.finditer(r"\bfn (?:name|error_type|kind|as_str)\b", body):
                found.update(re.findall(rf'"({ERROR_TYPE})"', block_after(body, function.end())))
    return {name for name in found if re.fullmatch(ERROR_TYPE, name)}


class Operations(unittest.TestCase):
    text = page("operations.md")

    def test_each_error_type_has_its_row(self) -> None:
        rows = rows_with(self.text, "error type")
        for row in rows:
            self.assertTrue(row["cause"] and row["what to do"], row)
        found = error_types()
        self.assertGreaterEqual(len(found), 25, "failures are made in another way than this test knows")
        self.assertEqual({code(row["error type"])[0] for row in rows}, found)

    def test_each_error_type_has_an_outcome_that_the_log_has(self) -> None:
        outcomes = {"ignored", "superseded", "failed", "retry"}
        written = {literal for text in SOURCES.values() for literal in re.findall(r'"([a-z]+)"', text)}
        self.assertLessEqual(outcomes, written)
        for row in rows_with(self.text, "error type"):
            self.assertIn(code(row["outcome"])[0], outcomes, row["error type"])

    def test_each_alarm_has_its_row(self) -> None:
        rows = rows_with(self.text, "alarm")
        for row in rows:
            self.assertTrue(row["what to do"], row)
        alarms = {name for name, resource in TEMPLATE["Resources"].items() if resource["Type"] == "AWS::CloudWatch::Alarm"}
        self.assertEqual({code(row["alarm"])[0] for row in rows}, alarms)

    def test_each_metric_has_its_row(self) -> None:
        told = {name for row in rows_with(self.text, "metric") for name in code(row["metric"])}
        (log,) = [text for text in SOURCES.values() if re.search(r'NAMESPACE: &(?:\'static )?str = "', text)]
        numbers = set(re.findall(r'value\("(\w+)", &steps\.\w+\.0\)', log)) | {"durationMs", "timeoutUsed"}
        self.assertGreaterEqual(len(numbers), 8)
        self.assertLessEqual(numbers, told)
        dashboard = TEMPLATE["Resources"]["Dashboard"]["Properties"]["DashboardBody"]
        shown = re.findall(r'"PhotoThumbnails", "(\w+)"', json.dumps(dashboard).replace('\\"', '"'))
        self.assertGreater(len(shown), 10)
        self.assertLessEqual(set(shown), told)


class Deploy(unittest.TestCase):
    def test_each_output_has_its_row(self) -> None:
        told = {name for row in rows_with(page("deploy.md"), "output") for name in code(row["output"])}
        self.assertEqual(told, set(TEMPLATE["Outputs"]))


class Tests(unittest.TestCase):
    def test_each_folder_of_tests_is_told_of(self) -> None:
        linked = {os.path.normpath(ROOT / "tests" / link) for link in links((ROOT / "tests/README.md").read_text())}
        places = (ROOT, ROOT / "photo")
        folders = [path for place in places if (place / "tests").is_dir() for path in (place / "tests").iterdir()]
        folders += [place / "fuzz" for place in places]
        folders = [path for path in folders if path.is_dir() and not path.name.startswith(("_", "."))]
        self.assertGreaterEqual(len(folders), 10)
        for path in folders:
            self.assertIn(str(path), linked)


if __name__ == "__main__":
    unittest.main()
