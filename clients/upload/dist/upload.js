// s3-photo-upload, MIT OR Apache-2.0

// src/store.ts
var THREE_DAYS_MS = 3 * 24 * 60 * 60 * 1e3;
function localStorageStore(prefix = "photo-upload:") {
  const read = (name) => {
    try {
      const value = JSON.parse(localStorage.getItem(name) ?? "{}");
      return typeof value === "object" && value !== null ? value : {};
    } catch {
      return {};
    }
  };
  const isFresh = ({ savedAt = 0 }) => Date.now() - savedAt < THREE_DAYS_MS;
  return {
    load(key) {
      const saved = read(prefix + key);
      return isFresh(saved) ? saved.state : void 0;
    },
    save(key, state) {
      for (const name of Object.keys(localStorage)) {
        if (name.startsWith(prefix) && !isFresh(read(name))) localStorage.removeItem(name);
      }
      localStorage.setItem(prefix + key, JSON.stringify({ savedAt: Date.now(), state }));
    },
    remove: (key) => localStorage.removeItem(prefix + key)
  };
}
function isState(value) {
  if (!isObject(value) || typeof value["uploadId"] !== "string") return false;
  const multipart = value["multipart"];
  return multipart === void 0 || isObject(multipart) && typeof multipart["uploadId"] === "string" && Number(multipart["partBytes"]) > 0 && isObject(multipart["etags"]) && Object.values(multipart["etags"]).every((etag) => typeof etag === "string");
}
function isObject(value) {
  return typeof value === "object" && value !== null;
}
var Keeper = class {
  /** @param key - none if the file cannot be told from others, so that nothing may be kept */
  constructor(store, key) {
    this.store = store;
    this.key = key;
  }
  store;
  key;
  #last = Promise.resolve();
  /** Whether a later call can go on with what is kept. */
  get isKept() {
    return this.store !== void 0 && this.key !== void 0;
  }
  /** Keeps nothing from now on. */
  forgo() {
    this.key = void 0;
  }
  async load() {
    if (!this.store || this.key === void 0) return void 0;
    try {
      const state = await this.store.load(this.key);
      return isState(state) ? state : void 0;
    } catch {
      return void 0;
    }
  }
  save(state) {
    this.#next((store, key) => store.save(key, state));
  }
  remove() {
    this.#next((store, key) => store.remove(key));
  }
  /** Resolves when everything was kept. */
  settled() {
    return this.#last;
  }
  /** One after the other, so that the last state stays. A full or forbidden store must stop no upload. */
  #next(change) {
    const { store, key } = this;
    if (!store || key === void 0) return;
    this.#last = this.#last.then(() => change(store, key)).catch(() => {
    });
  }
};

// src/types.ts
var UploadError = class extends Error {
  name = "UploadError";
  /** The kind of failure. */
  reason;
  /** HTTP status of the last answer, if there was one. */
  status;
  /** S3's name of the error, such as `SignatureDoesNotMatch`. */
  code;
  /** What the server says about this photo. */
  details;
  /** An error of this kind, with what is known of it. */
  constructor(reason, message, more = {}) {
    super(message, { cause: more.cause });
    this.reason = reason;
    this.status = more.status;
    this.code = more.code;
    this.details = more.details ?? [];
  }
};
function unreadable(cause) {
  return new UploadError("unreadable", "the file cannot be read", { cause });
}

// src/digest.ts
async function sha256(file) {
  if (!globalThis.crypto?.subtle) return void 0;
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return btoa(String.fromCharCode(...new Uint8Array(digest)));
}
function newUploadId() {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...random)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}

// src/job.ts
var MULTIPART_ABOVE = 16 * 1024 * 1024;
var Job = class {
  file;
  name;
  album;
  signal;
  keeper;
  checksum;
  #state = { uploadId: newUploadId() };
  #progress;
  #onProgress;
  /** Bytes that were sent, by part; a single PUT is part 0. */
  #sent = /* @__PURE__ */ new Map();
  constructor(item, options, onProgress) {
    this.file = item.file;
    this.name = item.name ?? ("name" in item.file ? String(item.file.name) : "photo");
    this.album = item.album ?? options.album;
    this.signal = either(options.signal, item.signal);
    this.keeper = new Keeper(options.store, fingerprint(item.file, this.name, this.album));
    this.#onProgress = onProgress;
    this.#progress = { status: "waiting", sentBytes: 0, totalBytes: item.file.size };
  }
  get state() {
    return this.#state;
  }
  /** Goes on with a state of an earlier call. */
  resume(state) {
    this.#state = state;
  }
  /** Changes the multipart upload that runs, and keeps it. */
  set multipart(multipart) {
    this.#state = { uploadId: this.#state.uploadId, ...multipart && { multipart } };
    this.keeper.save(this.#state);
  }
  get progress() {
    return this.#progress;
  }
  show(status) {
    this.#update({ status });
  }
  sent(part, bytes) {
    this.#sent.set(part, bytes);
    const sentBytes = [...this.#sent.values()].reduce((sum, each2) => sum + each2, 0);
    this.#update({ status: "sending", sentBytes: Math.min(sentBytes, this.file.size) });
  }
  /** S3 has lost the multipart upload. */
  forget() {
    this.multipart = void 0;
    this.#sent.clear();
  }
  isInParts({ multipart = true }) {
    return multipart && this.file.size > MULTIPART_ABOVE;
  }
  /** What the server is asked for. */
  request(options, isFirst) {
    const { checksum } = this;
    const running = this.#running;
    return {
      fileName: this.name,
      contentType: this.file.type,
      contentLength: this.file.size,
      uploadId: this.#state.uploadId,
      ...this.album !== void 0 && { album: this.album },
      ...checksum !== void 0 && { checksumSha256: checksum },
      // Later this photo itself might be found.
      ...checksum !== void 0 && options.ifNew && isFirst && !running && { ifNew: true },
      ...this.isInParts(options) && { multipart: running ?? true }
    };
  }
  /** The multipart upload that runs, with the parts that need URLs: no list of parts would mean each of them. */
  get #running() {
    const { multipart } = this.#state;
    if (!multipart) return void 0;
    const missing = this.missingParts;
    return { uploadId: multipart.uploadId, partNumbers: missing.length > 0 ? missing : [1] };
  }
  /** The parts that S3 has not. */
  get missingParts() {
    const { multipart } = this.#state;
    if (!multipart) return [];
    const count = Math.ceil(this.file.size / multipart.partBytes);
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    return numbers.filter((number) => multipart.etags[number] === void 0);
  }
  #update(change) {
    this.#progress = { ...this.#progress, ...change };
    this.#onProgress(this.#progress);
  }
};
function fingerprint(file, name, album) {
  if (!("lastModified" in file)) return void 0;
  const path = "webkitRelativePath" in file ? file.webkitRelativePath : "";
  return JSON.stringify([album ?? "", path, name, file.size, file.lastModified]);
}
function either(...signals) {
  const both = new AbortController();
  for (const signal of signals) {
    const follow = () => both.abort(signal?.reason);
    if (signal?.aborted) follow();
    else signal?.addEventListener("abort", follow, { once: true });
  }
  return both.signal;
}

// src/retry.ts
var Again = class extends Error {
  constructor(error) {
    super(error.message);
    this.error = error;
  }
  error;
};
function backoff(failures, { backoffMs, maxBackoffMs }, random) {
  return random * Math.min(maxBackoffMs, backoffMs * 2 ** (failures - 1));
}
async function retried(world, patience, signal, attempt, onWait = () => {
}) {
  for (let failures = 1; ; failures++) {
    await world.online(signal);
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Again)) throw error;
      if (failures >= patience.attempts) throw error.error;
    }
    onWait();
    await world.sleep(backoff(failures, patience, world.random()), signal);
  }
}
var REAL = {
  // It also counts while the device sleeps, unlike performance.now() in some browsers.
  now: () => Date.now(),
  random: () => Math.random(),
  sleep: (ms, signal) => until(signal, (wake) => {
    const timer = setTimeout(wake, ms);
    return () => clearTimeout(timer);
  }),
  online: async (signal) => {
    if (globalThis.navigator?.onLine !== false) return;
    await until(signal, (wake) => {
      addEventListener("online", wake);
      return () => removeEventListener("online", wake);
    });
  }
};
function until(signal, start) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const end = () => {
      stop();
      signal.removeEventListener("abort", cancel);
    };
    const cancel = () => {
      end();
      reject(signal.reason);
    };
    const stop = start(() => {
      end();
      resolve();
    });
    signal.addEventListener("abort", cancel);
  });
}
var Slots = class {
  #waiting = [];
  #free;
  constructor(count) {
    this.#free = count;
  }
  async run(work) {
    if (this.#free > 0) this.#free--;
    else await new Promise((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
};
async function each(items, workers, work) {
  const left = items.values();
  const failures = [];
  const run = async () => {
    for (const item of left) await work(item).catch((error) => void failures.push(error));
  };
  await Promise.all(Array.from({ length: Math.min(workers, items.length) }, run));
  if (failures.length > 0) throw failures[0];
}

// src/verdict.ts
var BY_CODE = {
  BadDigest: "again-once",
  ExpiredToken: "new-url",
  IncompleteBody: "again",
  InvalidPart: "restart",
  NotImplemented: "again-once",
  NoSuchUpload: "restart",
  OperationAborted: "again",
  RequestTimeout: "again",
  RequestTimeTooSkewed: "new-url"
};
function judge({ status, code, message = "" }, isComplete = false) {
  if (status >= 200 && status < 300 && code === void 0) return "done";
  const known = code === void 0 ? void 0 : BY_CODE[code];
  if (known) return known;
  if (code === "AccessDenied" && /expired/i.test(message)) return "new-url";
  if (code === "AccessDenied" && /not valid yet/i.test(message)) return "again";
  if (status === 412) return "there";
  if (status === 409) return isComplete ? "restart" : "again";
  if (status < 300 || status === 408 || status === 429 || status >= 500 && status !== 501) return "again";
  return "give-up";
}
function readAnswer(status, text) {
  const of = (name) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  const isError = text.includes("<Error>");
  return { status, code: isError ? of("Code") ?? "" : void 0, message: isError ? of("Message") : void 0 };
}

// src/sender.ts
var COMPLETE_MS = 3e5;
var FORGET_MS = 5e3;
var Lost = class extends UploadError {
};
var Sender = class {
  constructor(settings, world, transport) {
    this.settings = settings;
    this.world = world;
    this.transport = transport;
    this.#slots = new Slots(settings.concurrency);
  }
  settings;
  world;
  transport;
  #slots;
  /** The answer of a request that has done its work, itself or by an attempt whose answer was lost. */
  send(errand) {
    const { job, signal, isComplete = false } = errand;
    const seen = /* @__PURE__ */ new Set();
    let refused;
    let body = errand.body;
    const attempt = async () => {
      signal.throwIfAborted();
      const request = await errand.to(refused);
      const answer = await this.#answer(errand, request, body);
      const told = readAnswer(answer.status, answer.text);
      const { status, code, message } = told;
      const what = ["S3 answered", status, code, message].filter(Boolean).join(" ");
      switch (judge(told, isComplete)) {
        case "done":
        case "there":
          return answer;
        case "again":
          throw new Again(new UploadError("unreachable", what, { status, code }));
        case "new-url":
          refused = request;
          throw new Again(new UploadError("rejected", what, { status, code }));
        case "restart":
          throw new Lost("rejected", what, { status, code });
        case "again-once":
          if (code !== void 0 && !seen.has(code)) {
            seen.add(code);
            if (code === "NotImplemented") body = await errand.body.arrayBuffer();
            throw new Again(new UploadError("rejected", what, { status, code }));
          }
          break;
        case "give-up":
      }
      throw new UploadError("rejected", what, { status, code });
    };
    return retried(
      this.world,
      this.settings,
      signal,
      () => this.#slots.run(attempt),
      () => job.show("retrying")
    );
  }
  /** Tells S3 to forget something. It is no matter if that fails: the bucket's lifecycle rule does it later. */
  async forget(request) {
    const { signal } = new AbortController();
    const sending = { request, body: void 0, signal, stallMs: FORGET_MS, onSent: () => {
    } };
    await this.transport(sending).catch(() => {
    });
  }
  async #answer(errand, request, body) {
    const { signal, onSent = () => {
    }, isComplete } = errand;
    const stallMs = isComplete ? Math.max(COMPLETE_MS, this.settings.stallMs) : this.settings.stallMs;
    onSent(0);
    try {
      return await this.transport({ request, body, signal, stallMs, onSent });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof UploadError)) throw error;
      await errand.body.slice(0, 1).arrayBuffer().catch((cause) => {
        throw unreadable(cause);
      });
      throw new Again(error);
    }
  }
};

// src/parts.ts
var Parts = class {
  constructor(job, issued, urls, sender) {
    this.job = job;
    this.urls = urls;
    this.sender = sender;
    this.#issued = issued;
  }
  job;
  urls;
  sender;
  #issued;
  #renewal;
  /** Sends the parts that S3 has not, and makes them an object. */
  async send() {
    const { job } = this;
    this.#begin();
    try {
      const { concurrency } = this.sender.settings;
      const failed = new AbortController();
      const signal = either(job.signal, failed.signal);
      await each(
        job.missingParts,
        concurrency,
        (part) => this.#sendPart(part, signal).catch((error) => {
          failed.abort(error);
          throw error;
        })
      );
      await this.#complete();
    } catch (error) {
      const isOver = job.signal.aborted || !job.keeper.isKept;
      if (isOver && !(error instanceof Lost)) await this.sender.forget(this.#multipart.abort);
      throw error;
    }
  }
  get #multipart() {
    const { answer } = this.#issued;
    if ("multipart" in answer) return answer.multipart;
    throw new UploadError("refused", "the server first began a multipart upload, and then gave another answer");
  }
  /** Goes on with the parts of an earlier call, if the upload is the same. */
  #begin() {
    const { uploadId, partBytes } = this.#multipart;
    const kept = this.job.state.multipart;
    if (kept?.uploadId !== uploadId) {
      this.job.multipart = { uploadId, partBytes, etags: {} };
    } else if (kept.partBytes !== partBytes) {
      throw new Lost("rejected", "the size of the parts has changed");
    }
    for (const part of Object.keys(this.#state.etags)) this.job.sent(Number(part), this.#slice(Number(part)).size);
  }
  get #state() {
    return this.job.state.multipart ?? { uploadId: "", partBytes: this.#multipart.partBytes, etags: {} };
  }
  #slice(part) {
    const { partBytes } = this.#state;
    return this.job.file.slice((part - 1) * partBytes, part * partBytes);
  }
  async #sendPart(part, signal) {
    const { etag } = await this.sender.send({
      job: this.job,
      to: (refused) => this.#url(refused, ({ parts }) => parts.find(({ partNumber }) => partNumber === part)),
      body: this.#slice(part),
      signal,
      onSent: (bytes) => this.job.sent(part, bytes)
    });
    if (etag === null) {
      throw new UploadError("rejected", "the ETag of a part cannot be read: the bucket's CORS rules must expose it");
    }
    this.job.multipart = { ...this.#state, etags: { ...this.#state.etags, [part]: etag } };
  }
  async #complete() {
    const { etags } = this.#state;
    const numbers = Object.keys(etags).map(Number).sort((a, b) => a - b);
    const parts = numbers.map((n) => `<Part><PartNumber>${n}</PartNumber><ETag>${etags[n]}</ETag></Part>`);
    const xmlns = "http://s3.amazonaws.com/doc/2006-03-01/";
    const xml = `<CompleteMultipartUpload xmlns="${xmlns}">${parts.join("")}</CompleteMultipartUpload>`;
    await this.sender.send({
      job: this.job,
      to: (refused) => this.#url(refused, ({ complete }) => complete),
      body: new Blob([xml], { type: "application/xml" }),
      signal: this.job.signal,
      isComplete: true
    });
    this.job.multipart = void 0;
  }
  /** A URL that does not expire soon, and is not the one that S3 has refused. */
  async #url(refused, of) {
    const url = of(this.#multipart);
    if (url && url !== refused && !this.urls.isOld(this.#issued)) return url;
    await this.#renew();
    const renewed = of(this.#multipart);
    if (!renewed) throw new UploadError("refused", "the server gave no URL for a part");
    return renewed;
  }
  /** Asks for the URLs of all missing parts. Parts that need them at the same time ask once. */
  #renew() {
    this.#renewal ??= this.urls.anew(this.job).then((issued) => void (this.#issued = issued)).finally(() => this.#renewal = void 0);
    return this.#renewal;
  }
};

// src/transport.ts
var send = (sending) => typeof XMLHttpRequest === "undefined" ? sendByFetch(sending) : sendByXhr(sending);
function sendByXhr({ request, body, signal, stallMs, onSent }) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    let stall;
    const end = () => {
      clearTimeout(stall);
      signal.removeEventListener("abort", cancel);
    };
    const fail = (error) => {
      end();
      reject(error);
      xhr.abort();
    };
    const cancel = () => fail(signal.reason);
    const watch = () => {
      clearTimeout(stall);
      stall = setTimeout(() => fail(stalled(stallMs)), stallMs);
    };
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener("abort", cancel);
    xhr.open(request.method, request.url);
    for (const [name, value] of headersOf(request)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = ({ loaded }) => {
      watch();
      onSent(loaded);
    };
    xhr.onprogress = watch;
    xhr.onerror = () => fail(unanswered());
    xhr.onload = () => {
      end();
      resolve({ status: xhr.status, text: xhr.responseText, etag: xhr.getResponseHeader("etag") });
    };
    watch();
    xhr.send(body ?? null);
  });
}
var SLOWEST_BYTES_PER_MS = 16;
async function sendByFetch({ request, body, signal, stallMs, onSent }) {
  signal.throwIfAborted();
  const size = body instanceof ArrayBuffer ? body.byteLength : body?.size ?? 0;
  const limitMs = stallMs + size / SLOWEST_BYTES_PER_MS;
  try {
    const answer = await within(limitMs, signal, async (stop) => {
      const options = { method: request.method, headers: headersOf(request), signal: stop };
      const response = await fetch(request.url, body === void 0 ? options : { ...options, body });
      return { status: response.status, text: await response.text(), etag: response.headers.get("etag") };
    });
    onSent(size);
    return answer;
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof UploadError ? error : unanswered(error);
  }
}
async function within(ms, signal, run) {
  const stop = new AbortController();
  const cancel = () => stop.abort(signal.reason);
  const timer = ms === void 0 ? void 0 : setTimeout(() => stop.abort(stalled(ms)), ms);
  signal.addEventListener("abort", cancel);
  if (signal.aborted) cancel();
  try {
    return await Promise.race([run(stop.signal), aborted(stop.signal)]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", cancel);
  }
}
function aborted(signal) {
  return new Promise((_, reject) => {
    const end = () => reject(signal.reason);
    if (signal.aborted) end();
    else signal.addEventListener("abort", end);
  });
}
function headersOf(request) {
  return Object.entries(request.headers).filter(([name]) => name.toLowerCase() !== "content-length");
}
function stalled(ms) {
  return new UploadError("unreachable", `no progress for ${Math.round(ms / 1e3)} s`);
}
function unanswered(cause) {
  const message = "no answer: the network failed, or the bucket's CORS rules do not allow the request";
  return new UploadError("unreachable", message, { cause });
}

// src/urls.ts
var MAX_FILES = 100;
var MAX_HASHED_BYTES = 64 * 1024 * 1024;
var MAX_BYTES_IN_PARTS = 1024 * 1024 * 1024;
var MARGIN_MS = 3e4;
function urlsFrom(url, init = {}) {
  return async (request, signal) => {
    const headers = new Headers(init.headers);
    headers.set("content-type", "application/json");
    const response = await fetch(url, { ...init, method: "POST", headers, body: JSON.stringify(request), signal });
    const body = await response.json().catch(() => void 0);
    if (response.ok && isUrlAnswer(body)) return body;
    const told = typeof body === "object" && body !== null ? body : {};
    return { title: response.statusText, ...told, status: response.ok ? 502 : response.status };
  };
}
function isUrlAnswer(body) {
  return typeof body === "object" && body !== null && "uploads" in body && Array.isArray(body.uploads);
}
var Urls = class {
  constructor(jobs, settings, world, signal) {
    this.jobs = jobs;
    this.settings = settings;
    this.world = world;
    this.signal = signal;
  }
  jobs;
  settings;
  world;
  signal;
  #issued = /* @__PURE__ */ new Map();
  /** The first answer for a photo. */
  first(job) {
    const issued = this.#issued.get(job) ?? this.#issue(job);
    return within(void 0, job.signal, () => issued);
  }
  /** Another answer for a photo: its URLs have expired, or its multipart upload was lost. */
  async anew(job) {
    const outcomes = await this.#ask([job], false, job.signal);
    return valueOf(outcomes.get(job));
  }
  /** Whether another answer is to be asked for before this one is used. */
  isOld({ until: until2 }) {
    return this.world.now() > until2;
  }
  /** Asks for the next photos, from this one on. */
  #issue(first) {
    const batch = this.#batch(first);
    const outcomes = this.#prepare(batch).then(async ({ ready, outcomes: outcomes2 }) => {
      const asked = ready.length > 0 ? await this.#ask(ready, true, this.signal) : /* @__PURE__ */ new Map();
      return new Map([...outcomes2, ...asked]);
    });
    for (const job of batch) {
      const issued = outcomes.then((outcomes2) => valueOf(outcomes2.get(job)));
      issued.catch(() => {
      });
      this.#issued.set(job, issued);
    }
    return this.#issued.get(first);
  }
  #batch(first) {
    const batch = [];
    let hashed = 0;
    let inParts = 0;
    for (const job of this.jobs.slice(this.jobs.indexOf(first))) {
      if (this.#issued.has(job) || job.signal.aborted && job !== first) continue;
      hashed += this.#isHashed(job) ? job.file.size : 0;
      inParts += job.isInParts(this.settings) ? job.file.size : 0;
      const isFull = batch.length === MAX_FILES || hashed > MAX_HASHED_BYTES || inParts > MAX_BYTES_IN_PARTS;
      if (isFull && batch.length > 0) break;
      batch.push(job);
    }
    return batch;
  }
  #isHashed(job) {
    const { checksum, ifNew, maxHashedBytes } = this.settings;
    return Boolean(checksum || ifNew) && job.file.size <= maxHashedBytes;
  }
  /** Reads states and hashes, one file after the other: several in memory at once help nobody. */
  async #prepare(batch) {
    const ready = [];
    const outcomes = /* @__PURE__ */ new Map();
    for (const job of batch) {
      try {
        const state = await job.keeper.load();
        if (state) job.resume(state);
        else job.keeper.save(job.state);
        if (this.#isHashed(job)) job.checksum = await sha256(job.file);
        ready.push(job);
      } catch (cause) {
        outcomes.set(job, unreadable(cause));
      }
    }
    return { ready, outcomes };
  }
  /** Asks until each photo has an answer or a refusal: the function issues no URL if it refuses one photo. */
  async #ask(jobs, isFirst, signal) {
    const outcomes = /* @__PURE__ */ new Map();
    for (let left = jobs; left.length > 0; ) {
      const { answer, askedAt } = await retried(
        this.world,
        this.settings,
        signal,
        () => this.#request(left, isFirst, signal)
      );
      if ("uploads" in answer) {
        left.forEach((job, index) => outcomes.set(job, issuedBy(answer, index, askedAt)));
        break;
      }
      const refused = refusedFiles(answer, left.length);
      for (const [index, details] of refused) {
        const job = left[index];
        if (job) outcomes.set(job, refusal(answer, details));
      }
      left = left.filter((job) => !outcomes.has(job));
    }
    return outcomes;
  }
  async #request(jobs, isFirst, signal) {
    const files = jobs.map((job) => job.request(this.settings, isFirst));
    const askedAt = this.world.now();
    const answer = await this.#answer(files, signal);
    if (!isUrlAnswer(answer)) {
      const { status } = answer;
      if (status === 408 || status === 429 || status >= 500) {
        throw new Again(new UploadError("unreachable", `the server answered ${said(answer)}`, { status }));
      }
    } else if (answer.uploads.length !== files.length) {
      const message = `the server answered for ${answer.uploads.length} of ${files.length} files`;
      throw new Again(new UploadError("unreachable", message));
    }
    return { answer, askedAt };
  }
  async #answer(files, signal) {
    const { requestUrls, stallMs } = this.settings;
    try {
      return await within(stallMs, signal, (stop) => requestUrls({ files }, stop));
    } catch (cause) {
      signal.throwIfAborted();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Again(new UploadError("unreachable", `the server gave no URLs: ${why}`, { cause }));
    }
  }
};
function valueOf(outcome) {
  if (outcome === void 0 || outcome instanceof UploadError) {
    throw outcome ?? new UploadError("refused", "the server gave no URL for this file");
  }
  return outcome;
}
function issuedBy(answer, index, askedAt) {
  const upload = answer.uploads[index];
  if (!upload) return new UploadError("refused", "the server gave no URL for this file");
  const lifetime = lifetimeMs(upload);
  return { answer: upload, until: askedAt + lifetime - Math.min(MARGIN_MS, lifetime / 10) };
}
function lifetimeMs(answer) {
  if ("exists" in answer) return Infinity;
  const { url } = "multipart" in answer ? answer.multipart.complete : answer;
  const seconds = /[?&]X-Amz-Expires=(\d+)/.exec(url)?.[1];
  return seconds === void 0 ? Infinity : Number(seconds) * 1e3;
}
function refusedFiles(problem, count) {
  const errors = problem.errors ?? [];
  const named = /* @__PURE__ */ new Map();
  for (const error of errors) {
    const index = Number(/^#?\/files\/(\d+)(?:\/|$)/.exec(error.pointer ?? "")?.[1] ?? NaN);
    if (index < count) named.set(index, [...named.get(index) ?? [], error]);
  }
  return named.size > 0 ? named : new Map(Array.from({ length: count }, (_, index) => [index, errors]));
}
function refusal(problem, details) {
  const why = details.map(({ detail }) => detail).join("; ") || said(problem);
  return new UploadError("refused", why, { status: problem.status, details });
}
function said({ status, title, detail }) {
  return [status, detail ?? title].filter(Boolean).join(" ");
}

// src/upload.ts
var DEFAULTS = {
  concurrency: 4,
  maxHashedBytes: 32 * 1024 * 1024,
  attempts: 8,
  backoffMs: 500,
  maxBackoffMs: 2e4,
  stallMs: 3e4
};
function uploadPhotos(files, options) {
  return uploadWith(files, options, REAL, send);
}
async function uploadWith(files, options, world, transport) {
  const settings = { ...DEFAULTS, ...withoutUndefined(options) };
  for (const name of ["concurrency", "attempts"]) {
    if (!(settings[name] >= 1)) throw new RangeError(`${name} must be at least 1, not ${settings[name]}`);
  }
  const tell = () => settings.onProgress?.(progressOf(jobs));
  const jobs = distinct(
    [...files].map((file) => new Job(file instanceof Blob ? { file } : file, settings, () => tell()))
  );
  return new Call(jobs, settings, new Sender(settings, world, transport)).run();
}
function withoutUndefined(options) {
  const given = Object.entries(options).filter(([, value]) => value !== void 0);
  return Object.fromEntries(given);
}
function distinct(jobs) {
  const keys = /* @__PURE__ */ new Set();
  for (const job of jobs) {
    const { key } = job.keeper;
    if (key === void 0) continue;
    if (keys.has(key)) job.keeper.forgo();
    keys.add(key);
  }
  return jobs;
}
function progressOf(jobs) {
  const files = jobs.map((job) => job.progress);
  const sum = (of) => files.reduce((total, file) => total + of(file), 0);
  const isUnderWay = ["waiting", "sending", "retrying"];
  return {
    sentBytes: sum((file) => file.sentBytes),
    totalBytes: sum((file) => file.totalBytes),
    doneFiles: sum((file) => isUnderWay.includes(file.status) ? 0 : 1),
    files
  };
}
var Call = class {
  constructor(jobs, settings, sender) {
    this.jobs = jobs;
    this.settings = settings;
    this.sender = sender;
    this.#urls = new Urls(jobs, settings, sender.world, either(settings.signal));
  }
  jobs;
  settings;
  sender;
  #urls;
  async run() {
    const results = /* @__PURE__ */ new Map();
    await each([...this.jobs.entries()], this.settings.concurrency, async ([index, job]) => {
      const result = await this.#result(job);
      results.set(job, result);
      job.show(result.status);
      this.settings.onResult?.(result, index);
    });
    const inOrder = this.jobs.map((job) => results.get(job));
    const isComplete = inOrder.every(({ status }) => status === "uploaded" || status === "exists");
    for (const { keeper } of this.jobs) if (isComplete) keeper.remove();
    await Promise.all(this.jobs.map(({ keeper }) => keeper.settled()));
    return inOrder;
  }
  async #result(job) {
    const { file } = job;
    try {
      job.signal.throwIfAborted();
      const issued = await this.#urls.first(job);
      const { answer } = issued;
      const exists = "exists" in answer;
      if (!exists) await ("multipart" in answer ? this.#inParts(job, issued) : this.#atOnce(job, issued));
      job.sent(0, file.size);
      return { status: exists ? "exists" : "uploaded", file, photoKey: answer.photoKey };
    } catch (error) {
      if (job.signal.aborted) {
        job.keeper.remove();
        return { status: "cancelled", file };
      }
      return { status: "failed", file, error: error instanceof UploadError ? error : unforeseen(error) };
    }
  }
  async #atOnce(job, first) {
    let issued = first;
    await this.sender.send({
      job,
      to: async (refused) => {
        if (refused === issued.answer || this.#urls.isOld(issued)) issued = await this.#urls.anew(job);
        if ("url" in issued.answer) return issued.answer;
        throw new UploadError("refused", "the server first gave the URL of a PUT, and then another answer");
      },
      body: job.file,
      signal: job.signal,
      onSent: (bytes) => job.sent(0, bytes)
    });
  }
  async #inParts(job, first) {
    try {
      await new Parts(job, first, this.#urls, this.sender).send();
    } catch (error) {
      if (!(error instanceof Lost) || job.signal.aborted) throw error;
      job.forget();
      await new Parts(job, await this.#urls.anew(job), this.#urls, this.sender).send();
    }
  }
};
function unforeseen(cause) {
  return new UploadError("rejected", cause instanceof Error ? cause.message : String(cause), { cause });
}
export {
  UploadError,
  localStorageStore,
  uploadPhotos,
  urlsFrom
};
