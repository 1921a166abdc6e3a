//! Upload URLs: a request over HTTP → keys of new photos → presigned PUTs, or what is wrong with it.
//!
//! Signing a URL takes no call to AWS; only starting a multipart upload, and looking for a photo of the same
//! content, take one.
//!
//! | file | what is in it |
//! |---|---|
//! | `request` | the request, checked as a whole |
//! | `problem` | what is wrong with it |
//! | `existing` | photos that are there already |
//! | `signer` | presigned requests |

mod existing;
mod problem;
mod request;
mod signer;

use aws_config::SdkConfig;
use aws_lambda_events::lambda_function_urls::{
    LambdaFunctionUrlRequest, LambdaFunctionUrlResponse,
};
use chrono::{DateTime, SecondsFormat, Utc};
use futures_util::future::try_join_all;
use http::HeaderValue;
use lambda_runtime::{Error, LambdaEvent};
use serde_json::{Value, json};
use uuid::{Builder, Uuid};

use crate::config::UploadConfig;
use crate::item::content_key;
use existing::Existing;
use problem::Problem;
use request::{Allowed, Upload, UploadRequest};
use signer::Signer;

/// The upload-url function: it answers requests over HTTP with URLs.
#[derive(Clone, Debug)]
pub struct UploadUrls {
    config: UploadConfig,
    signer: Signer,
    /// Where photos are looked for, if they are.
    existing: Option<Existing>,
}

/// Why a request that is allowed gets no URL.
#[derive(Debug)]
enum Stop {
    /// The caller is told so.
    Problem(Problem),
    /// No credentials to sign with, or no random numbers.
    Error(Error),
}

impl UploadUrls {
    /// A function that signs for the region, credentials and endpoint of `aws`.
    pub fn new(config: UploadConfig, aws: &SdkConfig) -> UploadUrls {
        let existing = config.duplicates_table.clone().map(|table| Existing::new(table, aws));
        UploadUrls { signer: Signer::new(&config, aws), existing, config }
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
        let answered = match request::parse(&event.payload, self.allowed()) {
            Ok(request) => self.issue(&request).await,
            Err(problem) => Err(Stop::Problem(problem)),
        };
        match answered {
            Ok(response) => Ok(response),
            Err(Stop::Problem(problem)) => {
                let status = problem.status;
                tracing::warn!(outcome = "refused", status, at = problem.pointers(), "upload-url");
                Ok(refusal(&problem))
            }
            Err(Stop::Error(error)) => Err(error),
        }
    }

    fn allowed(&self) -> Allowed {
        let UploadConfig { max_photo_bytes: max_bytes, heic, .. } = self.config;
        Allowed { max_bytes, heic, finds_duplicates: self.existing.is_some() }
    }

    async fn issue(&self, request: &UploadRequest) -> Result<LambdaFunctionUrlResponse, Stop> {
        let now = Utc::now();
        let uploads = request.uploads();
        let answers =
            try_join_all(uploads.iter().map(|upload| self.issue_one(upload, now))).await?;
        let existing = answers.iter().filter(|answer| answer["exists"] == true).count();
        let bytes: u64 = uploads.iter().map(|upload| upload.content_length).sum();
        tracing::info!(outcome = "issued", uploads = uploads.len(), existing, bytes, "upload-url");
        Ok(match (request, answers) {
            (UploadRequest::One(_), answers) => {
                let status = if existing == 0 { 201 } else { 200 };
                let answer = answers.into_iter().next().unwrap_or_default();
                response(status, "application/json", &answer)
            }
            (UploadRequest::Many(_), answers) => {
                response(201, "application/json", &json!({ "uploads": answers }))
            }
        })
    }

    async fn issue_one(&self, upload: &Upload, now: DateTime<Utc>) -> Result<Value, Stop> {
        let key = upload.key(&self.config.originals_prefix, new_id(now)?);
        if let Some(photo_key) = self.existing_photo(upload, &key).await {
            return Ok(json!({ "photoKey": photo_key, "exists": true }));
        }
        let mut answer = self.signer.sign(upload, &key, now).await?;
        let expires_at = now + self.config.url_lifetime;
        answer.insert("photoKey".into(), key.into());
        answer.insert(
            "expiresAt".into(),
            expires_at.to_rfc3339_opts(SecondsFormat::Secs, true).into(),
        );
        Ok(answer.into())
    }

    /// The key of the photo that is there already, if that is asked for.
    async fn existing_photo(&self, upload: &Upload, key: &str) -> Option<String> {
        let existing = self.existing.as_ref().filter(|_| upload.if_new)?;
        let sha256 = upload.checksum_sha256.as_deref()?;
        existing.photo(&content_key(&self.config.originals_prefix, key, sha256)?).await
    }
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Stop {
        Stop::Problem(problem)
    }
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Stop {
        Stop::Error(error.into())
    }
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
    use crate::config::OriginalsStorageClass;

    fn urls() -> UploadUrls {
        urls_with(OriginalsStorageClass::Standard)
    }

    /// Signs as in AWS: with credentials of a role, for the endpoint of the region.
    fn urls_with(storage_class: OriginalsStorageClass) -> UploadUrls {
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
            max_photo_bytes: 20 << 20,
            heic: HeicPolicy::Decode,
            storage_class,
            duplicates_table: None,
            url_lifetime: Duration::from_secs(60),
        };
        UploadUrls::new(config, &aws)
    }

    async fn answer(method: &str, body: Value) -> LambdaFunctionUrlResponse {
        answer_of(urls(), method, body).await
    }

    async fn answer_of(urls: UploadUrls, method: &str, body: Value) -> LambdaFunctionUrlResponse {
        let mut request = LambdaFunctionUrlRequest::default();
        request.request_context.http.method = Some(method.to_owned());
        request.body = Some(body.to_string());
        urls.answer(LambdaEvent::new(request, Context::default())).await.unwrap()
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
    async fn the_storage_class_is_signed_unless_it_is_the_one_that_s3_takes_for_granted() {
        let file = json!({"fileName": "a.jpg", "contentType": "image/jpeg", "contentLength": 1000});
        for (storage_class, expected) in [
            (OriginalsStorageClass::Standard, Value::Null),
            (OriginalsStorageClass::IntelligentTiering, "INTELLIGENT_TIERING".into()),
        ] {
            let response = answer_of(urls_with(storage_class), "POST", file.clone()).await;
            let issued: Value = serde_json::from_str(&response.body.unwrap()).unwrap();
            assert_eq!(issued["headers"]["x-amz-storage-class"], expected);
            let is_signed = issued["url"].as_str().unwrap().contains("%3Bx-amz-storage-class");
            assert_eq!(is_signed, !expected.is_null());
        }
    }

    #[tokio::test]
    async fn the_urls_of_a_multipart_upload_are_for_its_parts_its_end_and_nothing_else() {
        let file = json!({
            "fileName": "a.jpg",
            "contentType": "image/jpeg",
            "contentLength": (16 << 20) + 1,
            "album": "trip 1",
            "uploadId": "a",
            "multipart": {"uploadId": "s3+ID", "partNumbers": [2, 3]},
        });
        let response = answer("POST", file).await;
        assert_eq!(response.status_code, 201, "{:?}", response.body);
        let issued: Value = serde_json::from_str(&response.body.unwrap()).unwrap();
        assert_eq!(issued["photoKey"], "uploads/trip 1/a.jpg");
        let multipart = &issued["multipart"];
        assert_eq!(
            (&multipart["uploadId"], &multipart["partBytes"]),
            (&json!("s3+ID"), &json!(8 << 20))
        );
        let numbers: Vec<&Value> =
            multipart["parts"].as_array().unwrap().iter().map(|part| &part["partNumber"]).collect();
        assert_eq!(numbers, [2, 3]);

        let place =
            "https://journal-originals.s3.eu-central-1.amazonaws.com/uploads/trip%201/a.jpg";
        let query = |request: &Value| {
            let (at, query) = request["url"].as_str().unwrap().split_once('?').unwrap();
            assert_eq!(at, place);
            let of_signatures = |pair: &&str| !pair.starts_with("X-Amz-");
            query.split('&').filter(of_signatures).collect::<Vec<_>>().join("&")
        };
        let last = &multipart["parts"][1];
        assert_eq!(
            (&last["method"], &last["headers"]),
            (&json!("PUT"), &json!({"content-length": "1"}))
        );
        assert_eq!(query(last), "x-id=UploadPart&partNumber=3&uploadId=s3%2BID");
        for (request, method, headers) in [
            (&multipart["complete"], "POST", json!({"if-none-match": "*"})),
            (&multipart["abort"], "DELETE", json!({})),
        ] {
            assert_eq!((&request["method"], &request["headers"]), (&json!(method), &headers));
            assert_eq!(query(request), "uploadId=s3%2BID");
        }
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
