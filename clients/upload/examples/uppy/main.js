// A page that uploads what is chosen: by photo_upload.js, or with `?aws-s3` by Uppy's own plugin.

import Uppy from "@uppy/core";
import { localStorageStore, urlsFrom } from "s3-photo-upload";

import { useAwsS3 } from "./aws_s3.js";
import PhotoUpload from "./photo_upload.js";

const parameters = new URLSearchParams(location.search);
const album = parameters.get("album") ?? "uppy";
const requestUrls = urlsFrom("/uploads");

const uppy = new Uppy({ autoProceed: true });
if (parameters.has("aws-s3")) useAwsS3(uppy, { requestUrls, album });
else uppy.use(PhotoUpload, { requestUrls, album, store: localStorageStore() });

document.querySelector("input").addEventListener("change", ({ target }) => {
  uppy.addFiles([...target.files].map((data) => ({ name: data.name, type: data.type, data })));
});
uppy.on("progress", (percent) => (document.querySelector("progress").value = percent));
uppy.on("upload-success", (file, { body }) => show(`${file.name}: ${body.key}`));
uppy.on("upload-error", (file, error) => show(`${file.name} failed: ${error.message}`));

function show(text) {
  const line = document.createElement("li");
  line.textContent = text;
  document.querySelector("ol").append(line);
}
