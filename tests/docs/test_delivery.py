"""Whether the programs of docs/delivery.md sign cookies that open one album's pictures and nothing else.

    .venv-ops/bin/python -m unittest discover --start-directory tests/docs

The programs are taken from the page as they stand there. Those in TypeScript need Node.js and npm, and are left out where
they are missing. CloudFront is replaced by `allows`, which follows the Amazon CloudFront Developer Guide, "Set signed
cookies using a custom policy"; a browser by `sent`, which follows RFC 6265.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from functools import cache
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, quote, urlsplit

import tomlkit
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from samcli.cli.types import CfnParameterOverridesType
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs/delivery.md").read_text()
PARAMETERS: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())["Parameters"]
SITE = "https://photos.example.com"
KEY_PAIR_ID = "K2JCJMDEHXQW5F"
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
# Names as people give them, and names that would be wildcards, or end a cookie or a path, if they were not encoded.
ALBUMS = (
    "trip", "tokyo trip", "東京 2024", "café/day 1", "a*", "a?", "100%", "100%25", "it's (ours)!", "a;b, c", 'a"b\\c',
    "+&=#~", "what?v=1", "ab",
)  # fmt: skip


def blocks(language: str) -> list[str]:
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", PAGE)


def private_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


# CloudFront


def decoded(text: str) -> bytes:
    return base64.b64decode(text.translate(str.maketrans("-_~", "+=/")), validate=True)


def matches(resource: str, url: str) -> bool:
    """`*` is zero or more characters and `?` is one, anywhere; the URL is looked at with its query string."""
    wildcards = {"*": ".*", "?": "."}
    return re.fullmatch("".join(wildcards.get(sign) or re.escape(sign) for sign in resource), url, re.S) is not None


def is_signed(policy: bytes, signature: bytes, public: Any) -> bool:
    try:
        if isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, policy, ec.ECDSA(hashes.SHA256()))
        else:
            public.verify(signature, policy, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def allows(parts: dict[str, str], url: str, public: Any, now: float | None = None) -> bool:
    """Whether CloudFront answers a request that has these values, in cookies or in its query string."""
    if parts.get("Key-Pair-Id") != KEY_PAIR_ID or parts.get("Hash-Algorithm") != "SHA256":
        return False
    policy = decoded(parts["Policy"])
    if not is_signed(policy, decoded(parts["Signature"]), public):
        return False
    (statement,) = json.loads(policy)["Statement"]
    until = statement["Condition"]["DateLessThan"]["AWS:EpochTime"]
    return matches(statement["Resource"], url) and (time.time() if now is None else now) < until


# A browser


def morsels(set_cookies: list[str]) -> list[Morsel[str]]:
    """The cookies of Set-Cookie headers; each has one."""
    found = []
    for header in set_cookies:
        (morsel,) = SimpleCookie(header).values()
        found.append(morsel)
    return found


def sent(cookies: list[Morsel[str]], url: str) -> dict[str, str]:
    """The cookies that a browser sends with a request, by name without "CloudFront-"."""
    host, path = urlsplit(url).hostname or "", urlsplit(url).path
    found = {}
    for cookie in cookies:
        is_of_host = host == cookie["domain"] or host.endswith("." + cookie["domain"])
        is_of_path = path == cookie["path"] or (path.startswith(cookie["path"]) and cookie["path"].endswith("/"))
        if is_of_host and is_of_path and (not cookie["secure"] or url.startswith("https:")):
            found[cookie.key.removeprefix("CloudFront-")] = cookie.value
    return found


class Running:
    """A program of the page that runs in a folder with its private key, and answers calls of its functions."""

    def __init__(self, command: list[str], folder: Path, key: PrivateKey) -> None:
        (folder / "private.pem").write_bytes(private_pem(key))
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.folder, self.public = folder, key.public_key()
        self.process = subprocess.Popen(command, cwd=folder, text=True, **pipes)

    def call(self, function: str, *args: Any) -> Any:
        print(json.dumps([function, args]), file=self.process.stdin, flush=True)
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["value"]

    def cookies(self, *args: Any) -> list[Morsel[str]]:
        return morsels(self.call("album_cookies", *args))

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Programs:
    """What the programs of the page promise, in both languages."""

    def start(self, key: PrivateKey) -> Running:
        raise NotImplementedError

    def setUp(self) -> None:
        self.running = self.start(ec.generate_private_key(ec.SECP256R1()))
        self.addCleanup(self.running.end)

    def folder(self, above: Path | None = None) -> Path:
        folder = tempfile.TemporaryDirectory(dir=above)
        self.addCleanup(folder.cleanup)
        return Path(folder.name)

    def check_rsa(self) -> None:
        running = self.start(rsa.generate_private_key(65537, 2048))
        self.addCleanup(running.end)
        url = f"{SITE}/thumbnail/trip/a.jpg"
        self.assertTrue(allows(sent(running.cookies("trip"), url), url, running.public))

    def cookies(self, *args: Any) -> list[Morsel[str]]:
        return self.running.cookies(*args)

    def url(self, key: str, version: str = "1f0c9a3e") -> str:
        return self.running.call("picture_url", {"key": key, "version": version})

    def is_open(self, cookies: list[Morsel[str]], url: str, now: float | None = None) -> bool:
        return allows(sent(cookies, url), url, self.running.public, now)

    def test_an_albums_cookies_open_its_pictures_and_no_other_albums(self) -> None:
        urls = {album: self.url(f"thumbnail/{album}/a 1.jpg") for album in ALBUMS}
        self.assertEqual(len(set(urls.values())), len(ALBUMS))
        for album in ALBUMS:
            cookies = self.cookies(album)
            opened = [other for other, url in urls.items() if self.is_open(cookies, url)]
            self.assertEqual(opened, [album])
            # Without the browser's help: whoever has the values may send them anywhere.
            values = {cookie.key.removeprefix("CloudFront-"): cookie.value for cookie in cookies}
            opened = [other for other, url in urls.items() if allows(values, url, self.running.public)]
            self.assertEqual(opened, [album])

    def test_a_picture_is_asked_for_at_the_path_that_names_its_key(self) -> None:
        for album in ALBUMS:
            key = f"thumbnail/{album}/a 1.jpg"
            url = self.url(key)
            # As SigV4 encodes a key.
            self.assertEqual(url, f"{SITE}/{quote(key, safe='/-._~')}?v=1f0c9a3e")
            self.assertTrue(url.isascii())

    def test_what_lies_near_an_album_stays_closed(self) -> None:
        cookies = self.cookies("trip")
        values = {cookie.key.removeprefix("CloudFront-"): cookie.value for cookie in cookies}
        public = self.running.public
        for path in ("trip/a.jpg?v=1", "trip/day 1/b.jpg?v=1", "trip/a.jpg.webp", "trip/a.jpg"):
            self.assertTrue(allows(values, f"{SITE}/thumbnail/{path}", public), path)
        closed = (
            "/thumbnail/trip 2/a.jpg", "/thumbnail/trips/a.jpg", "/thumbnail/trip", "/thumbnail/other/trip/a.jpg",
            "/share/trip/a.jpg", "/screen/trip/a.jpg.webp", "/thumbnail/secret/a.jpg?x=/thumbnail/trip/", "/", "/trip/a.jpg",
            "/thumbnail/Trip/a.jpg", "//thumbnail/trip/a.jpg",
        )  # fmt: skip
        for path in closed:
            self.assertFalse(allows(values, SITE + path, public), path)
        for site in ("http://photos.example.com", "https://photos.example.com.evil.example", "https://other.example.com"):
            self.assertFalse(allows(values, f"{site}/thumbnail/trip/a.jpg", public), site)

    def test_each_rendition_has_cookies_of_its_own_which_a_browser_keeps_apart(self) -> None:
        screen, url = self.cookies("trip", "screen"), f"{SITE}/screen/trip/a.jpg.webp?v=1"
        self.assertTrue(self.is_open(screen, url))
        both = screen + self.cookies("trip", "thumbnail")
        self.assertTrue(self.is_open(both, url))
        self.assertTrue(self.is_open(both, f"{SITE}/thumbnail/trip/a.jpg?v=1"))
        self.assertEqual(sent(both, f"{SITE}/share/trip/a.jpg"), {})

    def test_browsers_send_the_cookies_with_the_albums_pictures_only(self) -> None:
        for album in ALBUMS:
            cookies = self.cookies(album)
            self.assertEqual(len(cookies), 4)
            for cookie in cookies:
                self.assertTrue(cookie["secure"] and cookie["httponly"])
                self.assertEqual((cookie["samesite"], cookie["domain"]), ("Lax", "example.com"))
                self.assertLessEqual(len(cookie["path"]), 1024)
                self.assertRegex(cookie.value, r"^[A-Za-z0-9_~-]+$")
            self.assertEqual(len(sent(cookies, self.url(f"thumbnail/{album}/a.jpg"))), 4)
            self.assertEqual(sent(cookies, "https://www.example.com/albums"), {})
        self.assertEqual(sent(cookies, "https://example.org/thumbnail/ab/a.jpg"), {})

    def test_cookies_end(self) -> None:
        url, before = f"{SITE}/thumbnail/trip/a.jpg", time.time()
        cookies = self.cookies("trip", "thumbnail", 600)
        self.assertEqual({cookie["max-age"] for cookie in cookies}, {"600"})
        self.assertTrue(self.is_open(cookies, url, before + 595))
        self.assertFalse(self.is_open(cookies, url, time.time() + 600))

    def test_what_was_changed_or_signed_by_others_opens_nothing(self) -> None:
        url = f"{SITE}/thumbnail/trip/a.jpg"
        parts = sent(self.cookies("trip"), url)
        self.assertTrue(allows(parts, url, self.running.public))
        other = ec.generate_private_key(ec.SECP256R1()).public_key()
        self.assertFalse(allows(parts, url, other))
        policy = decoded(parts["Policy"])
        until = str(json.loads(policy)["Statement"][0]["Condition"]["DateLessThan"]["AWS:EpochTime"])
        for changed in (policy.replace(b"/trip/", b"/"), policy.replace(until.encode(), b"9999999999")):
            self.assertNotEqual(changed, policy)
            text = base64.b64encode(changed).decode().translate(str.maketrans("+=/", "-_~"))
            self.assertFalse(allows(parts | {"Policy": text}, url, self.running.public))
        self.assertFalse(allows(parts | {"Key-Pair-Id": "K3"}, url, self.running.public))

    def test_the_policy_is_json_without_spaces_with_one_resource_that_ends_with_the_only_wildcard(self) -> None:
        for album in ALBUMS:
            policy = decoded(sent(self.cookies(album), self.url(f"thumbnail/{album}/a.jpg"))["Policy"]).decode()
            self.assertNotRegex(policy, r"\s")
            (statement,) = json.loads(policy)["Statement"]
            self.assertEqual(set(statement), {"Resource", "Condition"})
            self.assertRegex(statement["Resource"], r"^https://[^*?]+/\*$")

    def test_photos_without_an_album_are_not_shared_all_at_once(self) -> None:
        for album in ("", "/"):
            with self.assertRaisesRegex(ValueError, "no album that can be shared"):
                self.cookies(album)


class InPython(Programs, unittest.TestCase):
    ANSWER = """
import json, sys
for line in sys.stdin:
    name, args = json.loads(line)
    try:
        answer = {"value": globals()[name](*args)}
    except ValueError as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
"""

    def program(self) -> str:
        program, _ = blocks("python")
        return program

    def start(self, key: PrivateKey) -> Running:
        return Running([sys.executable, "-c", self.program() + self.ANSWER], self.folder(), key)

    def test_a_query_string_opens_what_the_cookies_open(self) -> None:
        program, snippet = blocks("python")
        photo = {"renditions": {"thumbnail": {"key": "thumbnail/tokyo trip/a.jpg", "version": "1f0c9a3e"}}}
        script = f"{program}\nphoto = {photo!r}\n{snippet}\nprint(url)"
        url = run(sys.executable, "-c", script, cwd=self.running.folder)
        base, _, query = url.strip().partition("&")
        self.assertEqual(base, self.url("thumbnail/tokyo trip/a.jpg"))
        parts = {name: value for name, (value,) in parse_qs(query, strict_parsing=True).items()}
        self.assertEqual(set(parts), {"Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"})
        self.assertTrue(allows(parts, base, self.running.public))
        self.assertFalse(allows(parts, f"{SITE}/thumbnail/other/a.jpg", self.running.public))

    def test_a_key_of_rsa_signs_as_the_guide_says(self) -> None:
        (line,) = re.findall(r"`(PRIVATE_KEY\.sign\(.*?padding.*?)`", PAGE)
        changed = re.sub(r"PRIVATE_KEY\.sign\(text, .+\)", line, self.program()).replace("import ec", "import padding")
        self.assertNotEqual(changed, self.program())
        with mock.patch.object(self, "program", lambda: changed):
            self.check_rsa()


@unittest.skipUnless(shutil.which("node") and shutil.which("npm"), "Node.js or npm is missing")
class InTypeScript(Programs, unittest.TestCase):
    ANSWER = """
import * as delivery from "./delivery.mjs";
import { createInterface } from "node:readline";
for await (const line of createInterface({ input: process.stdin })) {
  const [name, args] = JSON.parse(line);
  const inCamelCase = name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  let answer;
  try {
    answer = { value: delivery[inCamelCase](...args) };
  } catch (error) {
    answer = { error: error.message };
  }
  console.log(JSON.stringify(answer));
}
"""

    def start(self, key: PrivateKey) -> Running:
        folder = self.folder()
        (folder / "delivery.mjs").write_text(compiled())
        return Running(["node", "--input-type=module", "--eval", self.ANSWER], folder, key)

    def test_a_key_of_rsa_signs_without_a_change(self) -> None:
        self.check_rsa()


@cache
def compiled() -> str:
    """The program in TypeScript as JavaScript. The compiler, with its pins, is installed below target/ once."""
    folder, pins = ROOT / "target/docs-examples", ROOT / "tests/docs/package-lock.json"
    folder.mkdir(parents=True, exist_ok=True)
    installed = folder / "installed.json"
    if not installed.exists() or installed.read_bytes() != pins.read_bytes():
        for file in (pins, pins.with_name("package.json")):
            shutil.copy(file, folder)
        run("npm", "ci", "--no-audit", "--no-fund", cwd=folder)
        shutil.copy(pins, installed)
    (program,) = blocks("ts")
    (folder / "delivery.ts").write_text(program)
    options = "--strict --target es2022 --module nodenext --types node delivery.ts"
    run("npx", "--no-install", "tsc", *options.split(), cwd=folder)
    return (folder / "delivery.js").read_text()


def run(*command: str, cwd: Path) -> str:
    result = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        raise AssertionError(f"{command[0]} failed: {result.stdout}")
    return result.stdout


class Guide(unittest.TestCase):
    def test_a_wildcard_before_the_album_opens_what_the_guide_says(self) -> None:
        (resource,) = re.findall(r"The usual `(https://.+?)`", PAGE)
        (opened,) = re.findall(r"also opens\s+(.+?)\. The code above", PAGE, re.S)
        paths = re.findall(r"`(/.+?)`", opened)
        self.assertEqual(len(paths), 3)
        for path in paths:
            self.assertTrue(matches(resource, SITE + path), path)

    def test_an_album_inside_of_another_is_opened_with_it(self) -> None:
        self.assertIn("A cookie for `trip` opens `trip/day 1` too", PAGE)
        self.assertTrue(matches(f"{SITE}/thumbnail/trip/*", f"{SITE}/thumbnail/trip/day%201/a.jpg?v=1"))

    def test_the_commands_make_keys_that_the_template_takes_and_cookies_are_signed_with(self) -> None:
        if not shutil.which("openssl"):
            self.skipTest("openssl is missing")
        (commands,) = [block for block in blocks("sh") if "openssl" in block]
        with tempfile.TemporaryDirectory() as folder:
            run("sh", "-e", "-c", commands, cwd=Path(folder))
            public = (Path(folder) / "public.pem").read_text()
            private = serialization.load_pem_private_key((Path(folder) / "private.pem").read_bytes(), None)
        self.assertIsInstance(private, ec.EllipticCurvePrivateKey)
        self.assertEqual(private.curve.name, "secp256r1")
        self.assertRegex(public, rf"^{PARAMETERS['DeliveryPublicKey']['AllowedPattern']}$")

    def test_samconfig_hands_the_key_over_with_its_line_breaks(self) -> None:
        (settings,) = blocks("toml")
        overrides = tomlkit.parse(settings)["parameter_overrides"].unwrap()
        given = CfnParameterOverridesType().convert(overrides, None, None)
        self.assertEqual(len(given), len(overrides))
        for name, value in given.items():
            self.assertIsNotNone(re.fullmatch(PARAMETERS[name]["AllowedPattern"], value), name)
        key = serialization.load_pem_public_key(given["DeliveryPublicKey"].encode())
        self.assertEqual(key.curve.name, "secp256r1")
        self.assertEqual(given["CacheControl"], "public, max-age=31536000, immutable")

    def test_a_key_is_taken_away_by_an_empty_value(self) -> None:
        (override,) = re.findall(r"deploy with\s`'(.+?)'`", PAGE)
        self.assertEqual(CfnParameterOverridesType().convert([override], None, None), {"DeliveryPublicKey": ""})

    def test_the_days_that_the_guide_tells_are_those_of_the_template(self) -> None:
        resources = yaml_parse((ROOT / "template.yaml").read_text())["Resources"]
        cache = resources["DistributionCache"]["Properties"]["CachePolicyConfig"]
        self.assertEqual(cache["MaxTTL"], 24 * 3600)
        self.assertIn("CloudFront keeps a picture for at most a day", PAGE)


if __name__ == "__main__":
    unittest.main()
