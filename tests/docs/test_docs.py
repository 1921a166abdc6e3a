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
RATIO = "CPU time, times libheif's"

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
    return {path: re.split(r"#\[cfg\(test\)\]\s*mod \w+ \{", text)[0] for path, text in texts.items()}


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


def camel_case(name: str) -> str:
    first, *others = name.removeprefix("r#").split("_")
    return first + "".join(part.capitalize() for part in others)


def serialized() -> dict[str, list[tuple[str | None, str]]]:
    """The structs that serde writes: of each field its name in JSON, none where it is flattened, and its type.

    An enum without tags has the fields of all its variants."""
    found: dict[str, list[tuple[str | None, str]]] = {}
    for text in SOURCES.values():
        for match in re.finditer(r"#\[serde\(untagged\)\]\s*pub enum (\w+) \{", text):
            block = block_after(text, match.start(1))
            named = re.findall(r"(?m)^ +(\w+): ([^\n]+),$", block)
            found[match[1]] = [(None, kind) for kind in re.findall(r"\w+\((\w+)\),", block)] + [
                (camel_case(field), kind) for field, kind in named
            ]
        for match in re.finditer(r"((?:#\[[^\n]*\]\s*)+)(?:pub(?:\([a-z]+\))? )?struct (\w+)(?:<'\w+>)? \{", text):
            attributes, name = match.groups()
            if "Serialize" not in attributes:
                continue
            if name in found:
                raise ValueError(f"two structs are named {name}")
            is_camel = 'rename_all = "camelCase"' in attributes
            fields = re.findall(
                r"((?:#\[[^\n]*\]\s*)*)(?:pub(?:\([a-z]+\))? )?((?:r#)?\w+): ([^\n]+),\n", block_after(text, match.start(2))
            )
            found[name] = []
            for given, field, kind in fields:
                renamed = re.search(r'rename = "(\w+)"', given)
                written = renamed[1] if renamed else camel_case(field) if is_camel else field
                found[name].append((None if "flatten" in given else written, kind))
    return found


class Readme(unittest.TestCase):
    def test_the_readme_is_a_door(self) -> None:
        lines = README.read_text().splitlines()
        self.assertLessEqual(len(lines), LONGEST_README)

    def test_the_readme_leads_to_every_page(self) -> None:
        linked = {link.partition("#")[0] for link in links(README.read_text())}
        # Tables that commands write, by the page that they belong to.
        figures = {f"docs/{name}.md": "performance.md" for name in ("bench", "bench-heic", "cost", "growth", "latency", "load")}
        figures["docs/scale-figures.md"] = "scale.md"
        for path in PAGES:
            name = path.relative_to(ROOT).as_posix()
            if name in figures:
                self.assertIn(path.name, {link.partition("#")[0] for link in links(page(figures[name]))})
            else:
                self.assertIn(name, linked)

    def test_its_versions_and_sizes_are_those_of_the_project(self) -> None:
        (version,) = set(re.findall(r'(?m)^rust-version *= *"([\d.]+)"', (ROOT / "Cargo.toml").read_text()))
        text = " ".join(README.read_text().split())
        self.assertEqual(set(re.findall(r"Rust (\d[\d.]*\d) or later", text)), {version})
        size = json.loads((ROOT / "docs/figures.json").read_text())["the package of thumbnail"]
        self.assertEqual(re.findall(r"package ([\d.]+) MB", text), [f"{size:.2f}"])


class HeicFigures(unittest.TestCase):
    """The committed figures of HEICs hold what docs/performance.md promises of them."""

    promised = " ".join(page("performance.md").split())

    def most(self, pattern: str) -> float:
        """The number that the page promises as the most."""
        (number,) = re.findall(pattern, self.promised)
        return float(number)

    def test_a_heic_costs_little_more_than_libheifs_decoding(self) -> None:
        rows = [row for row in rows_with(page("bench-heic.md"), RATIO) if row[""] == "**this crate**"]
        self.assertEqual(len(rows), 2)
        most = self.most(r"at most ([\d.]+) times the CPU time of libheif's decoding")
        for row in rows:
            self.assertLessEqual(float(row[RATIO]), most)

    def test_the_function_has_the_memory_for_heics(self) -> None:
        figures = json.loads((ROOT / "docs/figures.json").read_text())
        for megapixels in (12, 200):
            most = self.most(rf"at most (\d+) MB for {megapixels} megapixels")
            self.assertLessEqual(figures[f"peak memory, a HEIC of {megapixels} megapixels"], most)


class Links(unittest.TestCase):
    def test_every_link_and_anchor_resolves(self) -> None:
        pages = [README, *PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md"]
        pages += [ROOT / "dev/README.md", *sorted(ROOT.glob("tests/**/*.md")), *sorted(ROOT.glob("clients/*/README.md"))]
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
        read -= {word for text in reading for word in re.findall(r'\("([A-Z_]+)", \w+::\w+\)', text)}  # of a choice
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
            call = r'\.(text|number|required|bucket)\(\s*(?:"(\w+)"|([A-Z_]+))\s*,\s*("[^"]*"|[\d._]+|[^,()]*)'
            for match in re.finditer(call, text):
                way, name, constant, literal = match.groups()
                if constant:  # the constant of the function that it is in
                    name = re.findall(rf'const {constant}: &str = "(\w+)"', text[: match.start()])[-1]
                if way in ("required", "bucket"):
                    said = "required"
                elif literal.startswith('"'):
                    said = literal.strip('"') or "empty"
                elif re.fullmatch(r"[\d._]+", literal):
                    said = literal.replace("_", "")
                else:
                    continue  # nothing that can be compared
                self.assertEqual(self.default(rows[name]), said, name)
                looked_at.add(name)
            # The first of several words.
            for match in re.finditer(r"\bfn (\w+)\(&self\)", text):
                body = block_after(text, match.end())
                for name in re.findall(r'\.choice\("(\w+)"', body):
                    said = re.findall(r'\[\s*\("(\w+)", ', body)[0]
                    self.assertEqual(self.default(rows[name]), said, name)
                    looked_at.add(name)
        of_glibc = {name for name in self.of("variable") if name.startswith("MALLOC_")}
        read = set(self.of("variable")) - {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE"} - of_glibc
        of_logs = {"RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"}
        self.assertEqual(looked_at, read - of_logs, "defaults are stated in another way than this test knows")

    def test_the_form_of_renditions_is_that_of_the_source(self) -> None:
        (source,) = [text for text in SOURCES.values() if "pub struct RenditionSetting" in text]
        rows = {row["part"]: row for row in rows_with(page("configuration.md"), "part", "allowed")}
        (longest,) = re.findall(r"const MAX_NAME: usize = (\d+)", source)
        self.assertIn(f"at most {longest},", rows["name"]["allowed"])
        (most,) = re.findall(r"const MAX_RENDITIONS: usize = (\d+)", source)
        self.assertIn(f"one to {most} renditions", page("configuration.md").replace("eight", "8"))
        (largest,) = re.findall(r"const MAX_BOX: u32 = ([\d_]+)", source)
        for part in ("`fit=N`, `fit=WxH`", "`cover=WxH`"):
            self.assertIn(f"1 to {largest.replace('_', '')} pixels", rows[part]["allowed"])
        of_formats = re.findall(r"Encoding::(\w+) => ([\d.]+),", block_after(source, source.index("fn default_quality")))
        self.assertEqual(len(of_formats), 2)
        for encoding, quality in of_formats:
            name = {"Jpeg": "JPEG", "WebP": "WebP"}[encoding]
            self.assertIn(f"{quality} for {name}", rows["`quality=Q`"]["meaning"])
        (least,) = re.findall(r"filter\(\|quality\| \*quality >= ([\d.]+)\)", source)
        self.assertEqual(rows["`quality=Q`"]["allowed"], f"{least} to 1")
        options = set(re.findall(r'"(\w+)" => self\.set\(', source))
        documented = {part.split("=")[0] for row in rows for part in code(row)} - {"name"}
        self.assertEqual(documented, options)
        for words in (rf'"(\w+)" => Some\(Format::', rf'"(\w+)" => Some\(Strip::'):
            for word in re.findall(words, source):
                self.assertTrue(any(f"`{word}`" in row["allowed"] for row in rows.values()), word)

    def test_the_template_takes_the_renditions_that_the_guide_shows(self) -> None:
        pattern, default = PARAMETERS["Renditions"]["AllowedPattern"], PARAMETERS["Renditions"]["Default"]
        several = re.findall(r"(?m)^ *(thumbnail: [^`\n]*; [^`\n]*)$", page("configuration.md"))
        self.assertTrue(several, "no example of several renditions")
        eight = "; ".join(f"r{number}: fit=9" for number in range(8))
        for allowed in (default, "a: scale=1", f"{'a' * 32}: scale=0.5 quality=0.01", eight, *several):
            self.assertRegex(allowed, rf"^(?:{pattern})$")
        for refused in (f"{eight}; r8: fit=9", "a: fit=9;", "", "thumbnail", "Thumbnail: scale=1", "1: scale=1", f"{'a' * 33}: scale=1", "a/b: scale=1"):
            self.assertNotRegex(refused, rf"^(?:{pattern})$")


class DataModel(unittest.TestCase):
    def documented(self) -> set[str]:
        """The attributes of the tables: `.model` after `camera.make` is `camera.model`."""
        names = []
        for row in rows_with(page("data-model.md"), "attribute"):
            for name in code(row["attribute"]):
                names.append(names[-1].rpartition(".")[0] + name if name.startswith(".") else name)
        self.assertEqual(len(names), len(set(names)), "an attribute stands in two rows")
        return set(names)

    def written(self) -> set[str]:
        """The attributes that the function writes: a path for each that is not a map of its own."""
        structs = serialized()
        (default_name,) = re.findall(r"^[a-z0-9-]+", PARAMETERS["Renditions"]["Default"])

        def paths(struct: str, above: str) -> set[str]:
            found: set[str] = set()
            for name, kind in structs[struct]:
                kind = re.sub(r"^Option<(.*)>$", r"\1", kind).removeprefix("&'a ")
                path = above if name is None else f"{above}{name}"
                by_name = re.fullmatch(r"BTreeMap<String, (\w+)>", kind)
                inner = re.sub(r"<'\w+>$", "", kind)
                if by_name and by_name[1] in structs:
                    found |= paths(by_name[1], f"{path}.{default_name}.")
                elif inner in structs:
                    found |= paths(inner, path if name is None else f"{path}.")
                else:
                    self.assertIsNotNone(name, f"{inner}, which is flattened, is not found")
                    found.add(path)
            return found

        names: dict[str, str] = {}
        for text in SOURCES.values():
            names |= constants(text)
        # Beside the record: the key of the item, and what UpdateItem copies from the item before.
        return paths("Record", "") | {names["PHOTO_KEY"], names["PLACES"]}

    def test_the_attributes_are_those_that_the_function_writes(self) -> None:
        written = self.written()
        self.assertGreater(len(written), 40)
        self.assertEqual(self.documented(), written)

    def test_what_only_some_items_have_is_said(self) -> None:
        rows = {code(row["attribute"])[0]: row for row in rows_with(page("data-model.md"), "attribute", "meaning")}
        for name, status in (("failure.type", "FAILED"), ("renditions.thumbnail.bucket", "READY"), ("expiresAt", "tombstone")):
            self.assertIn("Only of a", rows[name]["meaning"], name)
            self.assertIn(status, rows[name]["meaning"], name)

    def test_the_values_of_sources_are_those_of_the_code(self) -> None:
        for enum, name in (("TimeSource", "taken.source"), ("OffsetSource", "taken.offsetSource")):
            documented = {word for row in rows_with(page("data-model.md"), f"`{name}`", "from") for word in code(row[f"`{name}`"])}
            (text,) = [text for text in SOURCES.values() if f"pub enum {enum} " in text]
            variants = set(re.findall(r"(?m)^ +(\w+),$", block_after(text, text.index(f"pub enum {enum} "))))
            self.assertTrue(variants, enum)
            self.assertEqual(documented, variants, name)

    def test_the_index_carries_all_but_what_the_guides_leave_out(self) -> None:
        index, _ = TEMPLATE["Resources"]["PhotosTable"]["Properties"]["GlobalSecondaryIndexes"]
        keys = {key["AttributeName"] for key in index["KeySchema"]}
        carried = set(index["Projection"]["NonKeyAttributes"]) | keys
        owned = {path.split(".")[0] for path in self.written()}
        # The key is in every index; what expires has no album, so it is in none.
        left_out = owned - carried - {"photoKey", "expiresAt"}
        self.assertEqual(carried - {"app"}, owned - left_out - {"photoKey", "expiresAt"})
        rows = {name: row for row in rows_with(page("data-model.md"), "attribute") for name in code(row["attribute"])}
        said = {name.split(".")[0] for name, row in rows.items() if "index leaves it out" in " ".join(row.values())}
        self.assertEqual(said, left_out)
        guide = " ".join(page("client-guide.md").split())
        *names, last = [f"`{name}`" for name in sorted(left_out)]
        self.assertIn(f"every attribute but {', '.join(names)} and {last}", guide)

    def test_bounds_of_the_timeline_are_wall_clocks(self) -> None:
        for path in (README, *PAGES):
            for bound in re.findall(r'":(?:from|to)": \{"S": "([^"]+)"', path.read_text()):
                self.assertRegex(bound, r"^\d{4}-\d{2}-\d{2}(T[\d:.]+)?$", path.name)


# How an error type is written where a failure is made.
ERROR_TYPE = r"[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)*"
# A type whose names are those of failures, by its own name.
FAILING = r"\w*(?:Error|Ignored|Rejection|Retry)"


def error_types() -> set[str]:
    """Every error type in the sources."""
    found: set[str] = set()
    for text in SOURCES.values():
        # PhotoError::Empty => "EmptyPhoto", in the function that tells the name of a failure
        for block in re.finditer(rf"\bimpl (?:[\w:]+ for )?{FAILING}\b", text):
            body = block_after(text, block.end())
            for function in re.finditer(r"\bfn name\b", body):
                found.update(re.findall(rf'"({ERROR_TYPE})"', block_after(body, function.end())))
    # Disposition::Superseded(why) => ("INFO", "superseded", Some(("Superseded", why.to_string()))
    return found | set(re.findall(rf'\(\(\s*"({ERROR_TYPE})",', outcomes_of()[1]))


def outcomes_of() -> tuple[set[str], str]:
    """The outcomes that a disposition can have in logs and metrics, and the function that names them."""
    (text,) = [text for text in SOURCES.values() if "pub enum Disposition" in text]
    summary = block_after(text, text.index("fn summary("))
    return set(re.findall(r'\(\s*"[A-Z]+",\s*"([a-z]+)",', summary)), summary


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
        outcomes, _ = outcomes_of()
        self.assertEqual(outcomes, {"ready", "removed", "ignored", "superseded", "failed", "retry"})
        for row in rows_with(self.text, "error type"):
            self.assertIn(code(row["outcome"])[0], outcomes - {"ready", "removed"}, row["error type"])

    def test_each_error_type_has_the_outcome_of_the_code(self) -> None:
        (text,) = [text for text in SOURCES.values() if "pub enum Disposition" in text]
        looked_at = 0
        for reason, outcome in (("Ignored", "ignored"), ("Rejection", "failed"), ("Retry", "retry")):
            implementation = block_after(text, re.search(rf"\bimpl {reason}\b", text).end())
            names = re.findall(rf'"({ERROR_TYPE})"', block_after(implementation, implementation.index("fn name(")))
            for name in names:
                told = {code(row["outcome"])[0] for row in rows_with(self.text, "error type") if code(row["error type"])[0] == name}
                self.assertIn(outcome, told, name)
                looked_at += 1
        self.assertGreaterEqual(looked_at, 15)

    def test_each_alarm_has_its_row(self) -> None:
        rows = rows_with(self.text, "alarm")
        for row in rows:
            self.assertTrue(row["what to do"], row)
        alarms = {name for name, resource in TEMPLATE["Resources"].items() if resource["Type"] == "AWS::CloudWatch::Alarm"}
        self.assertEqual({code(row["alarm"])[0] for row in rows}, alarms)

    def test_each_metric_has_its_row(self) -> None:
        told = {name for row in rows_with(self.text, "metric") for name in code(row["metric"])}
        (log,) = [text for text in SOURCES.values() if re.search(r'NAMESPACE: &(?:\'static )?str = "', text)]
        # A number becomes a metric unless it is a NoMetric; the others are texts.
        number = r"took\(|&record\.took\b|&As[A-Z]\w+::from|.*\bAs[A-Z]\w+::from|.*then_some\(1u64\)"
        numbers = set(re.findall(rf'writer\.value\("(\w+)", (?:{number})', log))
        self.assertGreaterEqual(len(numbers), 13)
        outcomes, _ = outcomes_of()
        self.assertEqual(told, numbers | outcomes)
        dashboard = TEMPLATE["Resources"]["Dashboard"]["Properties"]["DashboardBody"]
        shown = re.findall(r'"PhotoThumbnails", "(\w+)"', json.dumps(dashboard).replace('\\"', '"'))
        self.assertGreater(len(shown), 10)
        self.assertLessEqual(set(shown), told)


class Deploy(unittest.TestCase):
    def test_each_output_has_its_row(self) -> None:
        told = {name for row in rows_with(page("deploy.md"), "output") for name in code(row["output"])}
        self.assertEqual(told, set(TEMPLATE["Outputs"]))


class Demo(unittest.TestCase):
    def test_the_page_has_advice_for_each_type_that_a_photo_can_fail_with(self) -> None:
        rows = rows_with(page("operations.md"), "error type")
        failing = {code(row["error type"])[0] for row in rows if code(row["outcome"]) == ["failed"]}
        self.assertGreater(len(failing), 10)
        advice = (ROOT / "dev/demo-server/page/advice.js").read_text()
        # What is left out is about events, which leave no item that a page could show.
        self.assertEqual(set(re.findall(r"(?m)^  (\w+): \{$", advice)), failing - {"UnknownEvent", "UnreadableRecord"})


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
