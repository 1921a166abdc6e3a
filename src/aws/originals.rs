//! The bucket of the photos.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use photo::PhotoError;
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::time::timeout;

use super::MAX_ATTEMPTS;
use super::errors::{causes, code, explain, is_missing, s3_error};
use crate::call_error::CallError;
use crate::config::Config;
use crate::item::Version;

/// How long the body of an object may take: some seconds, and the time that the slowest connection needs
/// that is worth waiting for. Lambda's connections have 75 MB/s.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
const SLOWEST_BYTES_PER_SECOND: u64 = 4 << 20;

/// The bucket of the photos.
#[derive(Clone, Debug)]
pub struct Originals {
    s3: Client,
    bucket: String,
    max_bytes: u64,
}

/// A photo as S3 keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    /// Content of the object.
    pub bytes: Vec<u8>,
    /// The rest of what S3 says.
    pub head: Head,
}

/// What S3 says of an object beside its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Version of the object.
    pub version: Version,
    /// Content-Type, as its uploader gave it.
    pub content_type: Option<String>,
}

/// Why a photo was not fetched.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FetchError {
    /// The object is not there.
    #[error("the object was deleted since")]
    Gone,
    /// Another object has taken its place.
    #[error("the object was overwritten since")]
    Changed,
    /// It cannot be read before it is restored.
    #[error("the photo is in an archive storage class; restore it, then send the event again")]
    Archived,
    /// It has more bytes than a photo may.
    #[error(transparent)]
    TooLarge(PhotoError),
    /// Its body ended too soon, or is not what its checksum says.
    #[error(transparent)]
    BrokenBody(CallError),
    /// The call failed in another way.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Originals {
    pub(super) fn new(s3: Client, config: &Config) -> Originals {
        Originals { s3, bucket: config.originals_bucket.clone(), max_bytes: config.max_photo_bytes }
    }

    pub(super) async fn connect(&self) {
        let _ = self.s3.head_bucket().bucket(&self.bucket).send().await;
    }

    /// Downloads a photo, if it is still the one of this ETag.
    ///
    /// # Errors
    /// Why it was not: see [`FetchError`].
    pub async fn fetch(&self, key: &str, etag: &str) -> Result<Original, FetchError> {
        for _ in 1..MAX_ATTEMPTS {
            match self.fetch_once(key, etag).await {
                // The SDK repeats a call, but not the reading of an answer's body.
                Err(FetchError::BrokenBody(_)) => {}
                outcome => return outcome,
            }
        }
        self.fetch_once(key, etag).await
    }

    async fn fetch_once(&self, key: &str, etag: &str) -> Result<Original, FetchError> {
        let bucket = &self.bucket;
        let failed = |cause| s3_error("GetObject", bucket, key, cause);
        let request = self.s3.get_object().bucket(bucket).key(key).if_match(format!("\"{etag}\""));
        let answer = request.send().await.map_err(|error| match code(&error) {
            Some("NoSuchKey") => FetchError::Gone,
            Some("PreconditionFailed") => FetchError::Changed,
            Some("InvalidObjectState") => FetchError::Archived,
            Some(_) | None => FetchError::Call(failed(explain(&error))),
        })?;
        let declared = answer.content_length().and_then(|length| u64::try_from(length).ok());
        let uploaded_at = answer.last_modified().and_then(time);
        let body = read_body(answer.body, declared.unwrap_or(0), self.max_bytes).await;
        let body = body.map_err(|error| match error {
            BodyError::TooLarge(error) => FetchError::TooLarge(error),
            BodyError::Broken(cause) => FetchError::BrokenBody(failed(cause)),
            BodyError::Slow(cause) => FetchError::Call(failed(cause)),
        })?;
        let Body { bytes, sha256 } = body;
        let version = Version {
            etag: etag.to_owned(),
            bytes: Some(bytes.len() as u64),
            version_id: answer.version_id,
            uploaded_at,
            content_sha256: Some(sha256),
        };
        Ok(Original { bytes, head: Head { version, content_type: answer.content_type } })
    }

    /// What S3 says of an object now; `None` if it is not there, or is deleted in a versioned bucket.
    ///
    /// # Errors
    /// A call that failed.
    pub async fn head(&self, key: &str) -> Result<Option<Head>, CallError> {
        let bucket = &self.bucket;
        let head = match self.s3.head_object().bucket(bucket).key(key).send().await {
            Ok(head) => head,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(s3_error("HeadObject", bucket, key, explain(&error))),
        };
        let version = Version {
            bytes: head.content_length().and_then(|length| u64::try_from(length).ok()),
            uploaded_at: head.last_modified().and_then(time),
            etag: head.e_tag.unwrap_or_default().trim_matches('"').to_owned(),
            version_id: head.version_id,
            content_sha256: None,
        };
        Ok(Some(Head { version, content_type: head.content_type }))
    }
}

struct Body {
    bytes: Vec<u8>,
    /// In base64.
    sha256: String,
}

enum BodyError {
    TooLarge(PhotoError),
    Broken(String),
    Slow(String),
}

/// All bytes of a body that declares so many of them, and may have `limit`.
async fn read_body(body: ByteStream, declared: u64, limit: u64) -> Result<Body, BodyError> {
    let too_large = |bytes| PhotoError::too_many_bytes(bytes, limit).map_err(BodyError::TooLarge);
    too_large(declared)?;
    let mut bytes = Vec::with_capacity(declared as usize);
    // Each chunk is hashed while the next one is on its way.
    let mut sha256 = Sha256::new();
    let mut body = body;
    let patience = BODY_TIMEOUT + Duration::from_secs(declared / SLOWEST_BYTES_PER_SECOND);
    let whole = timeout(patience, async {
        let broken = |error| BodyError::Broken(causes(&error));
        while let Some(chunk) = body.try_next().await.map_err(broken)? {
            too_large((bytes.len() + chunk.len()) as u64)?;
            sha256.update(&chunk);
            bytes.extend_from_slice(&chunk);
        }
        Ok(())
    });
    whole.await.unwrap_or_else(|_| {
        let seconds = patience.as_secs();
        Err(BodyError::Slow(format!("the body had not come within {seconds} s")))
    })?;
    Ok(Body { bytes, sha256: BASE64_STANDARD.encode(sha256.finalize()) })
}

fn time(time: &aws_sdk_s3::primitives::DateTime) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(time.secs(), time.subsec_nanos())
}
