// Uppy's own plugin for S3 puts each photo by one PUT, to the URL that the upload-url function signs.
//
// It sends no photo in parts: Uppy 6 starts multipart uploads itself, and the function starts them itself too.
// A photo above 16 MiB, a retry that finds its photo (412) and a page that is reloaded are what photo_upload.js is for.

import AwsS3 from "@uppy/aws-s3";

import { newUploadId } from "./upload_id.js";

/** Makes an Uppy upload photos. `requestUrls` asks the app's server, as that of the client does. */
export function useAwsS3(uppy, { requestUrls, album }) {
  // Uppy keeps what a file's meta has over its retries: each asks for the same key.
  uppy.on("file-added", (file) => uppy.setFileMeta(file.id, { uploadId: newUploadId() }));
  uppy.use(AwsS3, {
    shouldUseMultipart: false,
    limit: 4,
    // The key that Uppy asks for is the ID of its file: the function decides about the key in S3.
    generateObjectKey: (file) => file.id,
    async signRequest({ key: id }) {
      const { name, type, size, meta } = uppy.getFile(id);
      const file = { fileName: name, contentType: type ?? "", contentLength: size, album, uploadId: meta.uploadId };
      const answer = await requestUrls({ files: [file] }, new AbortController().signal);
      if (!answer.uploads) throw new Error(answer.errors?.[0]?.detail ?? answer.detail ?? answer.title);
      const [{ url, headers, photoKey }] = answer.uploads;
      // Browsers set the length themselves.
      const { "content-length": _, ...others } = headers;
      return { url, headers: others, key: photoKey };
    },
  });
  return uppy;
}
