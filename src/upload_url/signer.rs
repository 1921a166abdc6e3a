//! Presigned requests to S3: each URL lends its holder this function's right to make one request.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
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
use crate::aws::s3_config;
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
        let retries = RetryConfig::standard();
        let s3 = s3_config(aws).timeout_config(limits).retry_config(retries).build();
        Signer {
            s3: aws_sdk_s3::Client::from_conf(s3),
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
        match &upload.transfer {
            Transfer::Whole => self.whole(upload, key, now).await,
            Transfer::Parts => {
                let multipart_id = self.start(upload, key).await?;
                self.parts(upload, key, &multipart_id, now).await
            }
            Transfer::PartsOf { multipart_id, .. } => {
                self.parts(upload, key, multipart_id, now).await
            }
        }
    }

    async fn whole(
        &self,
        upload: &Upload,
        key: &str,
        now: DateTime<Utc>,
    ) -> Result<Map<String, Value>, Stop> {
        let put = self.s3.put_object().bucket(&self.bucket).key(key);
        let put = put
            .content_length(length(upload.content_length)?)
            .content_type(upload.content_type)
            .set_storage_class(self.storage_class.clone())
            .set_checksum_sha256(upload.checksum_sha256.clone())
            .if_none_match("*");
        let put = put.customize().mutate_request(without_trace);
        Ok(described(&put.presigned(self.presigning(now)?).await?))
    }

    async fn start(&self, upload: &Upload, key: &str) -> Result<String, Stop> {
        let start = self.s3.create_multipart_upload().bucket(&self.bucket).key(key);
        let start =
            start.content_type(upload.content_type).set_storage_class(self.storage_class.clone());
        let started = start.send().await.map_err(|error| {
            tracing::error!(
                error = aws_sdk_s3::error::DisplayErrorContext(&error).to_string(),
                "upload-url"
            );
            Problem::unavailable("S3 has not started the multipart upload; ask again".into())
        })?;
        let multipart_id = started.upload_id.ok_or("S3 gave a multipart upload no ID")?;
        Ok(multipart_id)
    }

    async fn parts(
        &self,
        upload: &Upload,
        key: &str,
        multipart_id: &str,
        now: DateTime<Utc>,
    ) -> Result<Map<String, Value>, Stop> {
        let part = |number: i32| {
            let part = self.s3.upload_part().bucket(&self.bucket).key(key);
            part.upload_id(multipart_id).part_number(number)
        };
        let mut parts = Vec::new();
        for (number, bytes) in upload.parts() {
            let put = part(i32::try_from(number)?).content_length(length(bytes)?);
            let put = put.customize().mutate_request(without_trace);
            let mut signed = described(&put.presigned(self.presigning(now)?).await?);
            signed.insert("partNumber".into(), number.into());
            parts.push(signed);
        }
        // The SDK signs no URLs for these two, which differ from a part's by method and query alone.
        let of_the_upload = async |method: &'static str, is_conditional: bool| {
            let request = part(1).customize().mutate_request(without_trace);
            let request = request.mutate_request(move |request| {
                make_of_the_upload(request, method, is_conditional);
            });
            Ok::<_, Stop>(described(&request.presigned(self.presigning(now)?).await?))
        };
        let multipart = json!({
            "uploadId": multipart_id,
            "partBytes": PART_BYTES,
            "parts": parts,
            "complete": of_the_upload("POST", true).await?,
            "abort": of_the_upload("DELETE", false).await?,
        });
        Ok(Map::from_iter([("multipart".to_owned(), multipart)]))
    }

    fn presigning(&self, now: DateTime<Utc>) -> Result<PresigningConfig, Error> {
        let presigning = PresigningConfig::builder().start_time(SystemTime::from(now));
        Ok(presigning.expires_in(self.lifetime).build()?)
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

/// Makes of an UploadPart the request that completes or aborts its multipart upload: `POST` or `DELETE` of the same
/// key, with `uploadId` alone (Amazon S3 API Reference, "CompleteMultipartUpload", "AbortMultipartUpload").
fn make_of_the_upload(request: &mut HttpRequest, method: &'static str, is_conditional: bool) {
    let (path, query) = request.uri().split_once('?').unwrap_or((request.uri(), ""));
    let upload_id = query.split('&').find(|pair| pair.starts_with("uploadId=")).unwrap_or_default();
    let uri = format!("{path}?{upload_id}");
    // The SDK parsed the whole of this URI before.
    let _ = request.set_uri(uri);
    let _ = request.set_method(method);
    if is_conditional {
        request.headers_mut().insert("if-none-match", "*");
    }
}
