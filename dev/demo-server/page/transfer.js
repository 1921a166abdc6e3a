// Sends files to S3: the server gives out upload URLs, and the files go to S3 directly.

import { uploadsFor } from "./server.js";

const MOST_FILES = 100; // that the function takes in one call

/** Sends the files, and reports of each by its number: `onProgress(number, share)`, `onSent(number, photoKey)`,
 * `onFailed(number, why)`. */
export async function send(files, album, reports) {
  const numbered = [...files].map((file, number) => ({ file, number }));
  for (let from = 0; from < numbered.length; from += MOST_FILES) {
    const some = numbered.slice(from, from + MOST_FILES);
    try {
      await sendTogether(some, album, reports);
    } catch (error) {
      some.forEach(({ number }) => reports.onFailed(number, error.message));
    }
  }
}

/** One call for all files. If the function refuses one of them it gives no URL: then it is called again for the
 * others. */
async function sendTogether(photos, album, reports) {
  const files = photos.map(({ file }) => ({
    fileName: file.name,
    contentType: file.type || "application/octet-stream",
    contentLength: file.size,
    album,
  }));
  try {
    const uploads = await uploadsFor(files);
    photos.forEach((photo, place) => put(photo, uploads[place], reports));
  } catch (error) {
    const flaws = Map.groupBy(error.errors ?? [], ({ pointer }) => Number(pointer.split("/")[2]));
    if (flaws.size === 0) throw error;
    for (const [place, found] of flaws) {
      const why = found.map(({ pointer, detail }) => `${pointer.split("/")[3]} ${detail}`);
      reports.onFailed(photos[place].number, why.join("; "));
    }
    const allowed = photos.filter((_, place) => !flaws.has(place));
    if (allowed.length > 0) await sendTogether(allowed, album, reports);
  }
}

function put({ file, number }, { url, method, headers, photoKey }, { onProgress, onSent, onFailed }) {
  const request = new XMLHttpRequest(); // fetch does not report the progress of an upload
  request.open(method, url);
  for (const [name, value] of Object.entries(headers)) {
    if (name !== "content-length") request.setRequestHeader(name, value); // the browser's own
  }
  request.upload.onprogress = ({ loaded, total }) => onProgress(number, loaded / total);
  request.onerror = () => onFailed(number, "The upload was interrupted. Check your connection and try again.");
  request.onload = () => {
    if (request.status === 200) return onSent(number, photoKey);
    const message = request.responseXML?.querySelector("Message")?.textContent;
    onFailed(number, `The upload was refused: ${message ?? request.status}`);
  };
  onProgress(number, 0);
  request.send(file);
}
