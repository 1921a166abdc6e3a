/**
 * Uploads photos to S3 from a browser or from Node, by the URLs of the upload-url function.
 *
 * @packageDocumentation
 */
export type {
  ExistsAnswer,
  FileAnswer,
  FileRequest,
  MultipartAnswer,
  Problem,
  ProblemDetail,
  PutAnswer,
  RequestUrls,
  RunningMultipart,
  SignedRequest,
  UrlAnswer,
  UrlRequest,
} from "./protocol.js";
export { localStorageStore, type UploadState, type UploadStore } from "./store.js";
export {
  UploadError,
  type FailureReason,
  type FileProgress,
  type UploadItem,
  type UploadOptions,
  type UploadProgress,
  type UploadResult,
} from "./types.js";
export { uploadPhotos } from "./upload.js";
export { urlsFrom } from "./urls.js";
