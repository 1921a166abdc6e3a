import { UploadError } from "./types.js";

/** Time and chance, which tests replace. */
export interface World {
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Resolves as soon as the device is not known to be offline. */
  readonly online: (signal: AbortSignal) => Promise<void>;
}

/** How often is tried, and how long is waited in between. */
export interface Patience {
  readonly attempts: number;
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
}

/** Thrown by an attempt that another one may help. */
export class Again extends Error {
  constructor(readonly error: UploadError) {
    super(error.message);
  }
}

/**
 * Exponential backoff with full jitter: any time up to a bound that doubles, so that clients which failed
 * together do not come back together ("Exponential Backoff And Jitter", AWS Architecture Blog).
 */
export function backoff(failures: number, { backoffMs, maxBackoffMs }: Patience, random: number): number {
  return random * Math.min(maxBackoffMs, backoffMs * 2 ** (failures - 1));
}

/** Tries until an attempt throws no {@link Again}. */
export async function retried<T>(
  world: World,
  patience: Patience,
  signal: AbortSignal,
  attempt: () => Promise<T>,
  onWait: () => void = () => {},
): Promise<T> {
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

/** The device's own. */
export const REAL: World = {
  // It also counts while the device sleeps, unlike performance.now() in some browsers.
  now: () => Date.now(),
  random: () => Math.random(),
  sleep: (ms, signal) =>
    until(signal, (wake) => {
      const timer = setTimeout(wake, ms);
      return () => clearTimeout(timer);
    }),
  online: async (signal) => {
    if (globalThis.navigator?.onLine !== false) return;
    await until(signal, (wake) => {
      addEventListener("online", wake);
      return () => removeEventListener("online", wake);
    });
  },
};

/** Resolves when woken; throws the signal's reason when that says so. */
function until(signal: AbortSignal, start: (wake: () => void) => () => void): Promise<void> {
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

/** Lets only so many run at once. */
export class Slots {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The slot goes to the next one, if there is one.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}

/** Works through a list, so many at once. If some fail, it throws the first failure when no work is left. */
export async function each<T>(items: readonly T[], workers: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const failures: unknown[] = [];
  const run = async () => {
    for (const item of left) await work(item).catch((error: unknown) => void failures.push(error));
  };
  await Promise.all(Array.from({ length: Math.min(workers, items.length) }, run));
  if (failures.length > 0) throw failures[0];
}
