/**
 * The SHA-256 of a file in base64, or nothing if the page is not a secure context, where browsers have no
 * `crypto.subtle`. The file is read into memory whole: `crypto.subtle` takes no stream.
 */
export async function sha256(file: Blob): Promise<string | undefined> {
  if (!globalThis.crypto?.subtle) return undefined;
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return btoa(String.fromCharCode(...new Uint8Array(digest)));
}

/** An ID with 128 random bits, which nobody guesses: it stands in the key of the photo. */
export function newUploadId(): string {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...random))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=/g, "");
}
