// The client of this package as a plugin of Uppy: photos in parts, retries, and uploads that go on after a reload.

import { BasePlugin } from "@uppy/core";
import { uploadPhotos } from "s3-photo-upload";

/** `uppy.use(PhotoUpload, options)` with the options of `uploadPhotos`. */
export default class PhotoUpload extends BasePlugin {
  constructor(uppy, options) {
    super(uppy, options);
    this.id = "PhotoUpload";
    this.type = "uploader";
  }

  install() {
    this.uppy.addUploader(this.upload);
  }

  uninstall() {
    this.uppy.removeUploader(this.upload);
  }

  upload = async (ids) => {
    const files = this.uppy.getFilesByIds(ids);
    this.uppy.emit("upload-start", files);
    const cancels = new Map(ids.map((id) => [id, new AbortController()]));
    const cancelOne = ({ id }) => cancels.get(id)?.abort();
    const cancelAll = () => cancels.forEach((cancel) => cancel.abort());
    this.uppy.on("file-removed", cancelOne);
    this.uppy.on("cancel-all", cancelAll);
    try {
      const items = files.map(({ id, name, data }) => ({ file: data, name, signal: cancels.get(id).signal }));
      await uploadPhotos(items, {
        ...this.opts,
        onProgress: (progress) => progress.files.forEach((file, index) => this.#progress(ids[index], file)),
        onResult: (result, index) => this.#result(ids[index], result),
      });
    } finally {
      this.uppy.off("file-removed", cancelOne);
      this.uppy.off("cancel-all", cancelAll);
    }
  };

  #progress(id, { sentBytes, totalBytes }) {
    const file = this.uppy.getFile(id);
    if (!file || file.progress.bytesUploaded === sentBytes || file.progress.uploadComplete) return;
    const uploadStarted = file.progress.uploadStarted ?? Date.now();
    this.uppy.emit("upload-progress", file, { uploadStarted, bytesUploaded: sentBytes, bytesTotal: totalBytes });
  }

  #result(id, { status, photoKey, error }) {
    const file = this.uppy.getFile(id);
    if (!file || status === "cancelled") return;
    if (status === "failed") this.uppy.emit("upload-error", file, error);
    else this.uppy.emit("upload-success", file, { status: 200, body: { key: photoKey } });
  }
}
