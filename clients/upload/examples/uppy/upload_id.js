/** 128 random bits in hexadecimal: a part of the photo's key that nobody guesses. */
export function newUploadId() {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
