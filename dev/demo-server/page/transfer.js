// Sends files to S3 by the client of clients/upload: it asks this page's server for upload URLs, sends several files at
// once and large ones in parts, and tries again what fails.

import { uploadPhotos, urlsFrom } from "/upload.js";

const ATTEMPTS = 5; // of each request, some 8 s in all; then the user can try again
const WORDS = {
  rejected: "S3 did not take the file. Try again.",
  unreachable: "The upload was interrupted. Check your connection and try again.",
  unreadable: "The file cannot be read any more. Choose it once more.",
};

/** Sends the files, and reports of each by its number: `onProgress(number, share)`, `onSent(number, photoKey)`,
 * `onFailed(number, why)`. */
export function send(files, album, { onProgress, onSent, onFailed }) {
  return uploadPhotos(files, {
    album,
    attempts: ATTEMPTS,
    requestUrls: urlsFrom("/uploads"),
    onProgress: ({ files }) => files.forEach(({ status, sentBytes, totalBytes }, number) => {
      if (status === "sending" || status === "retrying") onProgress(number, sentBytes / totalBytes);
    }),
    onResult: (result, number) =>
      (result.photoKey ? onSent(number, result.photoKey) : onFailed(number, wordsFor(result.error))),
  });
}

/** What the server says about a file that it refuses is written for users. */
function wordsFor({ reason, details }) {
  const told = details.map(({ pointer, detail }) => `${pointer.split("/").at(-1)} ${detail}`);
  return told.join("; ") || WORDS[reason] || "The upload failed. Try again.";
}
