/** A bad link between the browser and S3: it cuts, stalls, loses answers, refuses, and lets requests overtake. */

import { createServer, request as send, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** What the link does to a request. */
export type Damage = "cut before" | "cut midway" | "stall" | "answer lost" | "503";

const DAMAGES: readonly Damage[] = ["cut before", "cut midway", "stall", "answer lost", "503"];
const SLOW_DOWN = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";

export class Link {
  /** Requests that came through, and damages by their kind; preflights count as well. */
  readonly counts = new Map<Damage | "none", number>();
  /** Every request with what was done to it, such as `PUT none`. */
  readonly requests: string[] = [];
  /** Decides about each request; by default nothing is damaged. */
  damageOf: (request: IncomingMessage) => Damage | undefined = () => undefined;
  /** The longest time that a request is held back. */
  longestDelayMs = 0;
  #server: Server;
  #random: () => number;

  private constructor(
    readonly s3: URL,
    seed: number,
  ) {
    this.#random = randomFrom(seed);
    this.#server = createServer(
      (request, response) => void this.#pass(request, response).catch(() => response.destroy()),
    );
  }

  static async to(s3: string, seed: number): Promise<Link> {
    const link = new Link(new URL(s3), seed);
    await new Promise<void>((resolve) => link.#server.listen(0, "127.0.0.1", resolve));
    return link;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Damages this share of all requests, every kind as often as the others. */
  damage(share: number): void {
    this.damageOf = () => (this.#random() < share ? DAMAGES[Math.floor(this.#random() * DAMAGES.length)] : undefined);
  }

  get damaged(): number {
    return [...this.counts].reduce((sum, [damage, count]) => sum + (damage === "none" ? 0 : count), 0);
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const damage = this.damageOf(request);
    this.counts.set(damage ?? "none", (this.counts.get(damage ?? "none") ?? 0) + 1);
    this.requests.push(`${request.method} ${damage ?? "none"}`);
    if (damage === "stall") return; // its body is not read either
    if (damage === "cut before") return void request.socket.destroy();
    const body = await read(
      request,
      damage === "cut midway" ? Number(request.headers["content-length"] ?? 0) / 2 : Infinity,
    );
    if (damage === "cut midway") return void request.socket.destroy();
    if (damage === "503") return void response.writeHead(503, { "access-control-allow-origin": "*" }).end(SLOW_DOWN);
    await sleep(this.#random() * this.longestDelayMs);
    const answer = await this.#forward(request, body);
    const answered = await read(answer, Infinity);
    if (damage === "answer lost") return void request.socket.destroy();
    response.writeHead(answer.statusCode ?? 502, answer.headers).end(answered);
  }

  /** The signature of a presigned URL covers the host: S3 has to see its own. */
  #forward(request: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    const { hostname, port, host } = this.s3;
    const headers = { ...request.headers, host };
    return new Promise((resolve, reject) => {
      const { method, url } = request;
      send({ hostname, port, method, path: url, headers }, resolve).on("error", reject).end(body);
    });
  }
}

async function read(stream: IncomingMessage, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length >= bytes) break;
  }
  return Buffer.concat(chunks);
}

/** Marsaglia's xorshift of 32 bits: the same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
