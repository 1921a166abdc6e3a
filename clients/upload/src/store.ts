/** What is kept of a photo so that its upload can go on later. It is plain JSON. */
export interface UploadState {
  /** Part of the photo's key. With the same one no photo is stored twice. */
  readonly uploadId: string;
  /** The multipart upload that runs, if one does. */
  readonly multipart?: {
    /** S3's ID of the upload. */
    readonly uploadId: string;
    /** Size of each part but the last. */
    readonly partBytes: number;
    /** ETags of the parts that S3 has, by part number. */
    readonly etags: Readonly<Record<string, string>>;
  };
}

/** Where states are kept, by keys that tell files apart. If it throws, uploads go on without it. */
export interface UploadStore {
  /** The state under a key, whatever its form: what is not an {@link UploadState} counts as none. */
  load(key: string): unknown;
  /** Keeps a state. */
  save(key: string, state: UploadState): void | Promise<void>;
  /** Forgets a state. */
  remove(key: string): void | Promise<void>;
}

/** After this time S3 has deleted the parts of an unfinished upload: the bucket's lifecycle rule says so. */
const THREE_DAYS_MS = 3 * 24 * 60 * 60 * 1000;

/**
 * Keeps states in the browser's `localStorage`, so that an upload goes on after a reload of the page. They
 * contain names of files, and are forgotten when all photos of a call were uploaded, or after three days.
 *
 * @param prefix - what the names in `localStorage` begin with
 */
export function localStorageStore(prefix = "photo-upload:"): UploadStore {
  const read = (name: string): { savedAt?: number; state?: unknown } => {
    try {
      const value: unknown = JSON.parse(localStorage.getItem(name) ?? "{}");
      return typeof value === "object" && value !== null ? value : {};
    } catch {
      return {};
    }
  };
  const isFresh = ({ savedAt = 0 }) => Date.now() - savedAt < THREE_DAYS_MS;
  return {
    load(key) {
      const saved = read(prefix + key);
      return isFresh(saved) ? saved.state : undefined;
    },
    save(key, state) {
      for (const name of Object.keys(localStorage)) {
        if (name.startsWith(prefix) && !isFresh(read(name))) localStorage.removeItem(name);
      }
      localStorage.setItem(prefix + key, JSON.stringify({ savedAt: Date.now(), state }));
    },
    remove: (key) => localStorage.removeItem(prefix + key),
  };
}

/** Whether a stored value has the form of a state. */
export function isState(value: unknown): value is UploadState {
  if (!isObject(value) || typeof value["uploadId"] !== "string") return false;
  const multipart = value["multipart"];
  return (
    multipart === undefined ||
    (isObject(multipart) &&
      typeof multipart["uploadId"] === "string" &&
      Number(multipart["partBytes"]) > 0 &&
      isObject(multipart["etags"]) &&
      Object.values(multipart["etags"]).every((etag) => typeof etag === "string"))
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** The state of one file, kept in the app's store if there is one. */
export class Keeper {
  #last: Promise<void> = Promise.resolve();

  /** @param key - none if the file cannot be told from others, so that nothing may be kept */
  constructor(
    readonly store: UploadStore | undefined,
    public key: string | undefined,
  ) {}

  /** Whether a later call can go on with what is kept. */
  get isKept(): boolean {
    return this.store !== undefined && this.key !== undefined;
  }

  /** Keeps nothing from now on. */
  forgo(): void {
    this.key = undefined;
  }

  async load(): Promise<UploadState | undefined> {
    if (!this.store || this.key === undefined) return undefined;
    try {
      const state: unknown = await this.store.load(this.key);
      return isState(state) ? state : undefined;
    } catch {
      return undefined;
    }
  }

  save(state: UploadState): void {
    this.#next((store, key) => store.save(key, state));
  }

  remove(): void {
    this.#next((store, key) => store.remove(key));
  }

  /** Resolves when everything was kept. */
  settled(): Promise<void> {
    return this.#last;
  }

  /** One after the other, so that the last state stays. A full or forbidden store must stop no upload. */
  #next(change: (store: UploadStore, key: string) => void | Promise<void>): void {
    const { store, key } = this;
    if (!store || key === undefined) return;
    this.#last = this.#last.then(() => change(store, key)).catch(() => {});
  }
}
