import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { judge, readAnswer } from "../src/verdict.js";

test("an answer of S3 is read with its code and message, and a page of a proxy has none", () => {
  const xml = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SlowDown</Code><Message>Please</Message></Error>';
  assert.deepEqual(readAnswer(503, xml), { status: 503, code: "SlowDown", message: "Please" });
  assert.deepEqual(readAnswer(502, "<html><Code>7</Code></html>"), {
    status: 502,
    code: undefined,
    message: undefined,
  });
  assert.equal(judge(readAnswer(502, "<html></html>")), "again");
  assert.equal(judge(readAnswer(403, "<html></html>")), "give-up");
  assert.equal(judge(readAnswer(200, xml)), "again", "CompleteMultipartUpload says 200 before it knows");
});

test("the page about failed uploads has a row for each code that the client knows", () => {
  const page = readFileSync(new URL("../../../../docs/upload-urls.md", import.meta.url), "utf8");
  const source = readFileSync(new URL("../../src/verdict.ts", import.meta.url), "utf8");
  const codes = [...source.matchAll(/^ {2}(\w+): "/gm)].map(([, code]) => code);
  assert.ok(codes.length >= 9);
  for (const code of codes) assert.match(page, new RegExp(`^\\|[^|]*\`${code}\``, "m"), `${code} has no row`);
});
