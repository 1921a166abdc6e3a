//! Upload URLs: a request over HTTP → keys of new photos → presigned PUTs, or what is wrong with it.
//!
//! Signing a URL takes no call to AWS. The URL lends its holder this function's right to put one object,
//! for a while, with exactly the headers that were signed.

mod problem;
mod request;

use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_lambda_events::lambda_function_urls::{
    LambdaFunctionUrlRequest, LambdaFunctionUrlResponse,
};
use aws_sdk_s3::config::http::HttpRequest;
use aws_sdk_s3::presigning::PresigningConfig;
use chrono::{DateTime, SecondsFormat, Utc};
use futures_util::future::try_join_all;
use http::HeaderValue;
use lambda_runtime::{Error, LambdaEvent};
use serde_json::{Map, Value, json};
use uuid::{Builder, Uuid};

use crate::aws::s3_config;
use crate::config::UploadConfig;
use problem::Problem;
use request::{Allowed, Upload, UploadRequest};

/// The upload-url function: it answers requests over HTTP with URLs.
#[derive(Clone, Debug)]
pub struct UploadUrls {
    config: UploadConfig,
    s3: aws_sdk_s3::Client,
}

impl UploadUrls {
    /// A function that signs for the region, credentials and endpoint of `aws`.
    pub fn new(config: UploadConfig, aws: &SdkConfig) -> UploadUrls {
        UploadUrls { config, s3: aws_sdk_s3::Client::from_conf(s3_config(aws).build()) }
    }

    /// Answers one request to the function's URL, and logs the answer without URLs, which are secrets, and
    /// without names of files.
    ///
    /// # Errors
    /// No credentials to sign with, or no random numbers. Lambda then answers the caller with 502.
    pub async fn answer(
        &self,
        event: LambdaEvent<LambdaFunctionUrlRequest>,
    ) -> Result<LambdaFunctionUrlResponse, Error> {
        let UploadConfig { max_photo_bytes: max_bytes, heic, .. } = self.config;
        match request::parse(&event.payload, Allowed { max_bytes, heic }) {
            Ok(request) => {
                let answer = self.issue(&request).await?;
                let uploads = request.uploads();
                let bytes: u64 = uploads.iter().map(|upload| upload.content_length).sum();
                tracing::info!(outcome = "issued", uploads = uploads.len(), bytes, "upload-url");
                Ok(response(201, "application/json", &answer))
            }
            Err(problem) => {
                let status = problem.status;
                tracing::warn!(outcome = "refused", status, at = problem.pointers(), "upload-url");
                Ok(refusal(&problem))
            }
        }
    }

    async fn issue(&self, request: &UploadRequest) -> Result<Value, Error> {
        let now = Utc::now();
        Ok(match request {
            UploadRequest::One(upload) => self.sign(upload, now).await?,
            UploadRequest::Many(uploads) => {
                let urls = uploads.iter().map(|upload| self.sign(upload, now));
                json!({"uploads": try_join_all(urls).await?})
            }
        })
    }

    async fn sign(&self, upload: &Upload, now: DateTime<Utc>) -> Result<Value, Error> {
        let UploadConfig { originals_bucket, originals_prefix, url_lifetime, .. } = &self.config;
        let key = upload.key(originals_prefix, new_id(now)?);
        let put = self.s3.put_object().bucket(originals_bucket).key(&key);
        let put = put
            .content_length(i64::try_from(upload.content_length)?)
            .content_type(upload.content_type)
            .set_checksum_sha256(upload.checksum_sha256.clone())
            .if_none_match("*");
        let lifetime = PresigningConfig::builder()
            .start_time(SystemTime::from(now))
            .expires_in(*url_lifetime)
            .build()?;
        let signed = put.customize().mutate_request(without_trace).presigned(lifetime).await?;
        let headers: Map<String, Value> =
            signed.headers().map(|(name, value)| (name.to_owned(), value.into())).collect();
        Ok(json!({
            "url": signed.uri(),
            "method": signed.method(),
            "headers": headers,
            "photoKey": key,
            "expiresAt": (now + *url_lifetime).to_rfc3339_opts(SecondsFormat::Secs, true),
        }))
    }
}

/// Inside Lambda the SDK adds the function's trace ID to each request. If it were signed, every upload
/// would have to send it.
fn without_trace(request: &mut HttpRequest) {
    request.headers_mut().remove("x-amzn-trace-id");
}

/// A UUID of version 7 (RFC 9562 section 5.7): the time, then 74 bits from the system's random number
/// generator. Those that `uuid` makes by itself share most of their bits within a millisecond.
fn new_id(now: DateTime<Utc>) -> Result<Uuid, Error> {
    let mut random = [0; 10];
    getrandom::fill(&mut random)?;
    let milliseconds = u64::try_from(now.timestamp_millis())?;
    Ok(Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid())
}

fn refusal(problem: &Problem) -> LambdaFunctionUrlResponse {
    let mut response = response(problem.status, "application/problem+json", &json!(problem));
    if problem.status == 405 {
        response.headers.insert("allow", HeaderValue::from_static("POST"));
    }
    response
}

fn response(status: u16, content_type: &'static str, body: &Value) -> LambdaFunctionUrlResponse {
    let mut response = LambdaFunctionUrlResponse::default();
    response.status_code = status.into();
    response.headers.insert("content-type", HeaderValue::from_static(content_type));
    response.headers.insert("cache-control", HeaderValue::from_static("no-store"));
    response.body = Some(body.to_string());
    response
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use aws_config::{BehaviorVersion, Region};
    use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
    use lambda_runtime::Context;
    use photo::HeicPolicy;

    use super::*;

    /// Signs as in AWS: with credentials of a role, for the endpoint of the region.
    fn urls() -> UploadUrls {
        let token = Some("token".to_owned());
        let credentials = Credentials::new("ASIA", "secret", token, None, "test");
        let aws = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        let config = UploadConfig {
            originals_bucket: "journal-originals".into(),
            originals_prefix: "uploads/".into(),
            max_photo_bytes: 1000,
            heic: HeicPolicy::Decode,
            url_lifetime: Duration::from_secs(60),
        };
        UploadUrls::new(config, &aws)
    }

    async fn answer(method: &str, body: Value) -> LambdaFunctionUrlResponse {
        let mut request = LambdaFunctionUrlRequest::default();
        request.request_context.http.method = Some(method.to_owned());
        request.body = Some(body.to_string());
        urls().answer(LambdaEvent::new(request, Context::default())).await.unwrap()
    }

    #[tokio::test]
    async fn a_url_names_the_buckets_host_in_its_region_and_signs_every_header() {
        let file = json!({
            "fileName": "a.jpg",
            "contentType": "image/jpeg",
            "contentLength": 1000,
            "album": "trip 1",
            "checksumSha256": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        });
        let response = answer("POST", file).await;
        assert_eq!(response.status_code, 201);
        let issued: Value = serde_json::from_str(&response.body.unwrap()).unwrap();
        let id = issued["photoKey"].as_str().unwrap().strip_prefix("uploads/trip 1/").unwrap();
        let host = "https://journal-originals.s3.eu-central-1.amazonaws.com";
        let (at, query) = issued["url"].as_str().unwrap().split_once('?').unwrap();
        assert_eq!(at, format!("{host}/uploads/trip%201/{id}"));

        let mut names: Vec<&str> =
            query.split('&').map(|pair| pair.split_once('=').unwrap().0).collect();
        names.sort();
        assert_eq!(
            names,
            [
                "X-Amz-Algorithm",
                "X-Amz-Credential",
                "X-Amz-Date",
                "X-Amz-Expires",
                "X-Amz-Security-Token",
                "X-Amz-Signature",
                "X-Amz-SignedHeaders",
                "x-id",
            ],
            "and no checksum: S3 takes none from there"
        );
        let signed = "content-length%3Bcontent-type%3Bhost%3Bif-none-match%3Bx-amz-checksum-sha256";
        assert!(query.contains(&format!("X-Amz-SignedHeaders={signed}&")), "{query}");
        assert!(query.contains("X-Amz-Expires=60&"), "{query}");
        let (_, date) = query.split_once("X-Amz-Date=").unwrap();
        let date = DateTime::parse_from_str(&format!("{}+0000", &date[..15]), "%Y%m%dT%H%M%S%z");
        let expires = DateTime::parse_from_rfc3339(issued["expiresAt"].as_str().unwrap());
        assert_eq!((expires.unwrap() - date.unwrap()).num_seconds(), 60);
    }

    #[tokio::test]
    async fn a_method_other_than_post_is_refused_with_the_one_that_is_allowed() {
        let response = answer("GET", Value::Null).await;
        assert_eq!(
            (response.status_code, &response.headers["allow"]),
            (405, &"POST".parse().unwrap())
        );
        assert_eq!(response.headers["content-type"], "application/problem+json");
    }

    #[test]
    fn ids_of_one_millisecond_have_nothing_else_in_common() {
        let now = DateTime::from_timestamp_millis(1_800_000_000_123).unwrap();
        let ids: HashSet<u128> = (0..10_000).map(|_| new_id(now).unwrap().as_u128()).collect();
        assert_eq!(ids.len(), 10_000);
        let constant = ids.iter().fold(u128::MAX, |all, id| all & id)
            | ids.iter().fold(u128::MAX, |all, id| all & !id);
        // 48 bits of time, 4 of the version, 2 of the variant (RFC 9562 figure 11).
        assert_eq!(constant, 0xFFFF_FFFF_FFFF_F000_C000_0000_0000_0000);
        assert!(ids.iter().all(|id| id >> 80 == 1_800_000_000_123));
    }
}
