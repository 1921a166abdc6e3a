//! Presigned requests to S3: each URL lends its holder this function's right to make one request.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::config::http::HttpRequest;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::types::StorageClass;
use chrono::{DateTime, Utc};
use lambda_runtime::Error;
use serde_json::{Map, Value, json};

use super::Stop;
use super::problem::Problem;
use super::request::{PART_BYTES, Transfer, Upload};
use crate::aws::{explain, s3_config};
use crate::config::{OriginalsStorageClass, UploadConfig};

/// How long S3 may take to start a multipart upload, all attempts together. The function itself has 10 s.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// Signs requests to the bucket of the originals.
#[derive(Clone, Debug)]
pub(super) struct Signer {
    s3: aws_sdk_s3::Client,
    bucket: String,
    storage_class: Option<StorageClass>,
    lifetime: Duration,
}

impl Signer {
    pub(super) fn new(config: &UploadConfig, aws: &SdkConfig) -> Signer {
        let limits = TimeoutConfig::builder().operation_timeout(CALL_TIMEOUT).build();
        Signer {
            s3: aws_sdk_s3::Client::from_conf(s3_config(aws).timeout_config(limits).build()),
            bucket: config.originals_bucket.clone(),
            // S3 takes STANDARD for granted, so that the client has one header less to send.
            storage_class: match config.storage_class {
                OriginalsStorageClass::Standard => None,
                OriginalsStorageClass::IntelligentTiering => Some(StorageClass::IntelligentTiering),
            },
            lifetime: config.url_lifetime,
        }
    }

    /// The requests that upload a photo under this key: one PUT, or those of a multipart upload, which is started
    /// if it is not yet.
    pub(super) async fn sign(
        &self,
        upload: &Upload,
        key: &str,
        now: DateTime<Utc>,
    ) -> Result<Map<String, Value>, Stop> {
        let presigning = PresigningConfig::builder().start_time(SystemTime::from(now));
        let presigning = presigning.expires_in(self.lifetime).build()?;
        let multipart_id = match &upload.transfer {
            Transfer::Whole => return self.whole(upload, key, presigning).await,
            Transfer::Parts => &self.start(upload, key).await?,
            Transfer::PartsOf { multipart_id, .. } => multipart_id,
        };
        self.parts(upload, key, multipart_id, presigning).await
    }

    async fn whole(
        &self,
        upload: &Upload,
        key: &str,
        presigning: PresigningConfig,
    ) -> Result<Map<String, Value>, Stop> {
        let put = self.s3.put_object().bucket(&self.bucket).key(key);
        let put = put
            .content_length(length(upload.content_length)?)
            .content_type(upload.content_type)
            .set_storage_class(self.storage_class.clone())
            .set_checksum_sha256(upload.checksum_sha256.clone())
            .if_none_match("*");
        Ok(described(&put.customize().mutate_request(without_trace).presigned(presigning).await?))
    }

    async fn start(&self, upload: &Upload, key: &str) -> Result<String, Stop> {
        let start = self.s3.create_multipart_upload().bucket(&self.bucket).key(key);
        let start =
            start.content_type(upload.content_type).set_storage_class(self.storage_class.clone());
        let started = start.send().await.map_err(|error| {
            tracing::error!(outcome = "not started", error = explain(&error), "upload-url");
            Problem::unavailable("S3 has not started the multipart upload; ask again".into())
        })?;
        Ok(started.upload_id.ok_or("S3 gave a multipart upload no ID")?)
    }

    async fn parts(
        &self,
        upload: &Upload,
        key: &str,
        multipart_id: &str,
        presigning: PresigningConfig,
    ) -> Result<Map<String, Value>, Stop> {
        let sign = async |number, length, change: fn(&mut HttpRequest)| {
            let part = self.s3.upload_part().bucket(&self.bucket).key(key);
            let part = part.upload_id(multipart_id).part_number(number);
            let part = part.set_content_length(length).customize();
            let part = part.mutate_request(without_trace).mutate_request(change);
            Ok::<_, Stop>(described(&part.presigned(presigning.clone()).await?))
        };
        let mut parts = Vec::new();
        for (number, bytes) in upload.parts() {
            let mut part = sign(i32::try_from(number)?, Some(length(bytes)?), |_| {}).await?;
            part.insert("partNumber".into(), number.into());
            parts.push(part);
        }
        let multipart = json!({
            "uploadId": multipart_id,
            "partBytes": PART_BYTES,
            "parts": parts,
            "complete": sign(1, None, complete).await?,
            "abort": sign(1, None, abort).await?,
        });
        Ok(Map::from_iter([("multipart".to_owned(), multipart)]))
    }
}

fn length(bytes: u64) -> Result<i64, Error> {
    Ok(i64::try_from(bytes)?)
}

/// A signed request as the answer tells it.
fn described(signed: &PresignedRequest) -> Map<String, Value> {
    let headers: Map<String, Value> =
        signed.headers().map(|(name, value)| (name.to_owned(), value.into())).collect();
    Map::from_iter([
        ("url".to_owned(), signed.uri().into()),
        ("method".to_owned(), signed.method().into()),
        ("headers".to_owned(), headers.into()),
    ])
}

/// Inside Lambda the SDK adds the function's trace ID to each request. If it were signed, every upload
/// would have to send it.
fn without_trace(request: &mut HttpRequest) {
    request.headers_mut().remove("x-amzn-trace-id");
}

/// Makes a CompleteMultipartUpload of an UploadPart, which overwrites nothing.
fn complete(request: &mut HttpRequest) {
    address_the_upload(request, "POST");
    request.headers_mut().insert("if-none-match", "*");
}

/// Makes an AbortMultipartUpload of an UploadPart.
fn abort(request: &mut HttpRequest) {
    address_the_upload(request, "DELETE");
}

/// The SDK signs no URLs for the requests that complete and abort a multipart upload. They differ from that of a part
/// by their method, and by a query of `uploadId` alone (Amazon S3 API Reference, "CompleteMultipartUpload",
/// "AbortMultipartUpload").
fn address_the_upload(request: &mut HttpRequest, method: &str) {
    let (path, query) = request.uri().split_once('?').unwrap_or((request.uri(), ""));
    let upload_id = query.split('&').find(|pair| pair.starts_with("uploadId=")).unwrap_or_default();
    let uri = format!("{path}?{upload_id}");
    // The SDK parsed the whole of this URI before.
    let _ = request.set_uri(uri);
    let _ = request.set_method(method);
}
