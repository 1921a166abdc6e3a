import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), "utf8");

function bundle(...more: string[]): string {
  return execFileSync("npm", ["run", "--silent", "bundle", "--", "--log-level=error", ...more], {
    cwd: ROOT,
    encoding: "utf8",
  });
}

test("the committed module is what the sources build", () => {
  assert.equal(read("dist/upload.js"), bundle(), "run `npm run build` in clients/upload and commit dist/upload.js");
});

test("the README tells the size of the module", () => {
  const kilobytes = (gzipSync(bundle("--minify"), { level: 9 }).length / 1000).toFixed(1);
  assert.match(read("README.md"), new RegExp(`\\b${kilobytes.replace(".", "\\.")} kB`), `it is ${kilobytes} kB`);
});

test("the package depends on nothing", () => {
  const { dependencies, peerDependencies, sideEffects } = JSON.parse(read("package.json")) as Record<string, unknown>;
  assert.deepEqual([dependencies, peerDependencies, sideEffects], [undefined, undefined, false]);
  assert.doesNotMatch(read("dist/upload.js"), /^import |require\(/m);
});

test("no lock file names a host", () => {
  for (const path of ["package-lock.json", "examples/uppy/package-lock.json"])
    assert.doesNotMatch(read(path), /"resolved": "[^.]/, path);
});

test("every exported name has documentation, and no type is any", () => {
  for (const name of readdirSync(new URL("src/", ROOT))) {
    const source = read(`src/${name}`);
    assert.doesNotMatch(source.replace(/\/\*[^]*?\*\/|\/\/.*/g, ""), /\bany\b/, name);
    const undocumented = source.matchAll(
      /(?<!\*\/\n)^export (?:async )?(?:function|class|interface|type|const) (\w+)/gm,
    );
    assert.deepEqual(
      [...undocumented].map(([, exported]) => `${name}: ${exported}`),
      [],
    );
  }
});

test("the options that the README tells are those of the types, with their defaults", () => {
  const told = new Map(
    [...read("README.md").matchAll(/^\| `(\w+)` \| (\S+ ?(?:MiB)?) ?\|/gm)].map(([, name, value]) => [
      name,
      value?.trim(),
    ]),
  );
  const types = read("src/types.ts");
  const options = types.slice(types.indexOf("interface UploadOptions"), types.indexOf("interface UploadProgress"));
  assert.deepEqual(
    [...told.keys()],
    [...options.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name),
  );
  const upload = read("src/upload.ts");
  const defaults = upload.slice(upload.indexOf("const DEFAULTS"), upload.indexOf("};"));
  const numbers = [...defaults.matchAll(/^ {2}(\w+): ([\d_]+)( \* 1024 \* 1024)?,$/gm)];
  assert.equal(numbers.length, 6);
  for (const [, name, number, isMib] of numbers) {
    assert.equal(told.get(name), number?.replace("_", "") + (isMib ? " MiB" : ""), name);
  }
});
