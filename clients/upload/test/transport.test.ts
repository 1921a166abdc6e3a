import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";

import { send, within } from "../src/transport.js";
import { urlsFrom } from "../src/urls.js";

const servers: Server[] = [];
after(() => servers.forEach((server) => (server.closeAllConnections(), server.close())));

async function serve(handler: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(handler as never);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test("a request without an answer ends after its time, and tells of the stall", async () => {
  const url = await serve(() => {});
  const { signal } = new AbortController();
  const sending = {
    request: { url, method: "PUT", headers: {} },
    body: new Blob(["x"]),
    signal,
    stallMs: 50,
    onSent: () => {},
  };
  await assert.rejects(send(sending), { reason: "unreachable", message: /no progress/ });
});

test("a signal ends what does not heed it", async () => {
  const cancel = new AbortController();
  const run = within(undefined, cancel.signal, () => new Promise(() => {}));
  cancel.abort(new Error("cancelled"));
  await assert.rejects(run, /cancelled/);
});

test("URLs are asked for by a POST of JSON, with the headers that the app adds", async () => {
  const asked: unknown[] = [];
  const url = await serve((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      asked.push([request.method, request.headers["content-type"], request.headers["x-csrf"], JSON.parse(body)]);
      response.writeHead(201, { "content-type": "application/json" }).end('{"uploads": []}');
    });
  });
  const answer = await urlsFrom(url, { headers: { "x-csrf": "7" } })({ files: [] }, new AbortController().signal);
  assert.deepEqual(answer, { uploads: [] });
  assert.deepEqual(asked, [["POST", "application/json", "7", { files: [] }]]);
});

test("a refusal keeps what it says, with the status of HTTP", async () => {
  const problem = '{"detail": "not allowed", "errors": [{"pointer": "#/files/0", "detail": "no"}]}';
  const refused = await serve((_, response) => response.writeHead(400).end(problem));
  const broken = await serve((_, response) => response.writeHead(502).end("<html>"));
  const empty = await serve((_, response) => response.writeHead(200).end("<html>sign in</html>"));
  const ask = async (url: string) => urlsFrom(url)({ files: [] }, new AbortController().signal);
  assert.deepEqual(await ask(refused), { title: "Bad Request", ...(JSON.parse(problem) as object), status: 400 });
  assert.deepEqual(await ask(broken), { title: "Bad Gateway", status: 502 });
  assert.deepEqual(await ask(empty), { title: "OK", status: 502 });
});
