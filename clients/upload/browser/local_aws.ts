/** A stack in the local AWS of AWS_ENDPOINT_URL, as `photos_dev.local_aws with` sets it. */

import { execFile } from "node:child_process";
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { AwsClient } from "aws4fetch";

import type { Problem, UrlAnswer, UrlRequest } from "../src/protocol.js";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const REGION = "us-east-1";
/** How long photos may take to become READY on a machine that does much else. */
const LONGEST_MS = 240_000;

/** An item of the table, as far as the tests look at it. */
export interface Item {
  readonly photoKey: string;
  readonly status: string;
}

export class Stack {
  readonly #aws = new AwsClient({ accessKeyId: "test", secretAccessKey: "test", region: REGION, retries: 0 });

  private constructor(
    readonly endpoint: string,
    readonly outputs: Readonly<Record<string, string>>,
  ) {}

  static async deploy(name: string): Promise<Stack> {
    const endpoint = process.env["AWS_ENDPOINT_URL"];
    if (!endpoint) throw new Error("AWS_ENDPOINT_URL is not set: run this test by `make test-upload`");
    const parameters = ["FindDuplicates=true", "OriginalsStorageClass=INTELLIGENT_TIERING"];
    const command = ["-m", "photos_dev.local_aws", "deploy", "--stack", name, "--parameter", ...parameters];
    const { stdout } = await promisify(execFile)(`${ROOT}.venv/bin/python`, command, { cwd: ROOT });
    return new Stack(endpoint, JSON.parse(stdout) as Record<string, string>);
  }

  #output(name: string): string {
    const value = this.outputs[name];
    if (value === undefined) throw new Error(`the stack has no output ${name}`);
    return value;
  }

  /** Calls the upload-url function at its URL, as an app's server does. */
  readonly requestUrls = async (asked: UrlRequest): Promise<UrlAnswer | Problem> => {
    const url = this.#output("UploadUrlFunctionUrl");
    const body = JSON.stringify(asked);
    const headers = { "content-type": "application/json" };
    const signed = await this.#aws.sign(url, { method: "POST", headers, body, aws: { service: "lambda" } });
    // The local AWS finds the function by its Host header alone.
    const { hostname, port } = new URL(this.endpoint);
    const all = { ...Object.fromEntries(signed.headers), host: new URL(url).host };
    const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const call = request({ hostname, port, method: "POST", path: "/", headers: all }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      });
      call.on("error", reject).end(body);
    });
    return { status, ...(JSON.parse(text) as UrlAnswer | Problem) };
  };

  /** The keys of the originals that begin so. */
  async originals(prefix: string): Promise<string[]> {
    const query = new URLSearchParams({ "list-type": "2", prefix });
    const url = `${this.endpoint}/${this.#output("OriginalsBucketName")}?${query}`;
    const xml = await (await this.#aws.fetch(url, { aws: { service: "s3" } })).text();
    return [...xml.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => key ?? "").sort();
  }

  /** The multipart uploads that were neither completed nor aborted. */
  async unfinished(): Promise<number> {
    const url = `${this.endpoint}/${this.#output("OriginalsBucketName")}?uploads=`;
    const xml = await (await this.#aws.fetch(url, { aws: { service: "s3" } })).text();
    if (!xml.includes("ListMultipartUploadsResult")) throw new Error(xml);
    return [...xml.matchAll(/<Upload>/g)].length;
  }

  /** The items of an album, as soon as there are so many. */
  async items(album: string, count: number): Promise<Item[]> {
    const patience = Date.now() + LONGEST_MS;
    for (;;) {
      const items = await this.#query(album);
      if (items.length >= count || Date.now() > patience) return items;
      await sleep(300);
    }
  }

  async #query(album: string): Promise<Item[]> {
    const body = JSON.stringify({
      TableName: this.#output("PhotosTableName"),
      IndexName: "album-timeline",
      KeyConditionExpression: "album = :album",
      ExpressionAttributeValues: { ":album": { S: album } },
    });
    const headers = { "content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810.Query" };
    const options = { method: "POST", headers, body, aws: { service: "dynamodb" } };
    const answer: unknown = await (await this.#aws.fetch(this.endpoint, options)).json();
    const { Items } = answer as { Items: Record<string, { S: string }>[] };
    return Items.map((item) => ({ photoKey: item["photoKey"]?.S ?? "", status: item["status"]?.S ?? "" }));
  }
}

/** An answer whose requests go by another way to S3. */
export function by(origin: string, answer: UrlAnswer | Problem, s3: string): UrlAnswer | Problem {
  return JSON.parse(JSON.stringify(answer).replaceAll(`${s3}/`, `${origin}/`)) as UrlAnswer | Problem;
}

/** An uncompressed picture, which the function reads: as large as the test wants it. */
export function bitmap(width: number, height: number, seed: number): Buffer {
  const rowBytes = Math.ceil((width * 3) / 4) * 4;
  const file = Buffer.alloc(54 + rowBytes * height);
  file.write("BM");
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(54, 10); // where the pixels begin
  file.writeUInt32LE(40, 14); // BITMAPINFOHEADER
  file.writeInt32LE(width, 18);
  file.writeInt32LE(height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28); // bits of a pixel
  for (let at = 54; at + 4 <= file.length; at += 4) file.writeUInt32LE(Math.imul(at + seed, 2654435761) >>> 0, at);
  return file;
}
