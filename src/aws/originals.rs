//! The bucket of the photos.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use chrono::{DateTime, Utc};
use photo::PhotoError;
use thiserror::Error;
use tokio::time::timeout;

use super::MAX_ATTEMPTS;
use super::errors::{causes, code, explain, is_missing, s3_failure};
use crate::config::Config;
use crate::event::ObjectEvent;
use crate::failure::Failure;

/// How long the body of an object may take: some seconds, and what the slowest connection needs that
/// is worth waiting for. Lambda's have 75 MB/s.
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
    /// The photo itself.
    pub photo: Vec<u8>,
    /// ETag, without quotes.
    pub etag: Option<String>,
    /// Version ID, in a versioned bucket.
    pub version_id: Option<String>,
    /// Time of the upload.
    pub last_modified: Option<DateTime<Utc>>,
    /// Content-Type, as its uploader said.
    pub content_type: Option<String>,
}

/// An object as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    /// ETag, without quotes.
    pub etag: String,
    /// Size of the object.
    pub bytes: Option<u64>,
    /// Content-Type, as its uploader said.
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
    #[error("GetObject s3://{bucket}/{key} failed: {cause}")]
    Body {
        /// Name of the bucket.
        bucket: String,
        /// Key of the object.
        key: String,
        /// What went wrong.
        cause: String,
    },
    /// The call failed in another way.
    #[error("{}", .0.message)]
    Call(Failure),
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Failure {
        match error {
            FetchError::Gone => Failure::gone(),
            FetchError::Changed => Failure::overwritten(),
            FetchError::Archived => Failure::permanent("ArchivedPhoto", error.to_string()),
            FetchError::TooLarge(error) => error.into(),
            FetchError::Body { .. } => Failure::transient("S3BrokenBody", error.to_string()),
            FetchError::Call(failure) => failure,
        }
    }
}

impl Originals {
    pub(super) fn new(s3: Client, config: &Config) -> Originals {
        Originals { s3, bucket: config.originals_bucket.clone(), max_bytes: config.max_photo_bytes }
    }

    pub(super) async fn connect(&self) {
        let _ = self.s3.head_bucket().bucket(&self.bucket).send().await;
    }

    /// Downloads a photo, if it is still the one that the event speaks of.
    ///
    /// # Errors
    /// Why it was not: see [`FetchError`].
    pub async fn fetch(&self, object: &ObjectEvent) -> Result<Original, FetchError> {
        for _ in 1..MAX_ATTEMPTS {
            match self.fetch_once(object).await {
                // The SDK tries a call again, but not the body of its answer.
                Err(FetchError::Body { .. }) => {}
                outcome => return outcome,
            }
        }
        self.fetch_once(object).await
    }

    async fn fetch_once(&self, object: &ObjectEvent) -> Result<Original, FetchError> {
        let ObjectEvent { bucket, key, .. } = object;
        let etag = object.etag.as_ref().map(|etag| format!("\"{etag}\""));
        let request = self.s3.get_object().bucket(bucket).key(key).set_if_match(etag);
        let answer = request.send().await.map_err(|error| match code(&error) {
            Some("NoSuchKey") => FetchError::Gone,
            Some("PreconditionFailed") => FetchError::Changed,
            Some("InvalidObjectState") => FetchError::Archived,
            _ => FetchError::Call(s3_failure("GetObject", bucket, key, explain(&error))),
        })?;
        let last_modified = answer.last_modified().and_then(time);
        let declared = answer.content_length().and_then(|length| u64::try_from(length).ok());
        let photo = read_body(answer.body, declared.unwrap_or(0), self.max_bytes).await;
        let photo = photo.map_err(|error| match error {
            BodyError::TooLarge(error) => FetchError::TooLarge(error),
            BodyError::Broken(cause) => {
                FetchError::Body { bucket: bucket.clone(), key: key.clone(), cause }
            }
            BodyError::Slow(cause) => FetchError::Call(s3_failure("GetObject", bucket, key, cause)),
        })?;
        Ok(Original {
            photo,
            etag: answer.e_tag.map(|etag| etag.trim_matches('"').to_owned()),
            version_id: answer.version_id,
            last_modified,
            content_type: answer.content_type,
        })
    }

    /// What there is of an object now: none if it is not there, or deleted in a versioned bucket.
    ///
    /// # Errors
    /// Transient.
    pub async fn current(&self, key: &str) -> Result<Option<Current>, Failure> {
        let bucket = &self.bucket;
        let head = match self.s3.head_object().bucket(bucket).key(key).send().await {
            Ok(head) => head,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(s3_failure("HeadObject", bucket, key, explain(&error))),
        };
        let bytes = head.content_length().and_then(|length| u64::try_from(length).ok());
        let etag = head.e_tag.unwrap_or_default().trim_matches('"').to_owned();
        Ok(Some(Current { etag, bytes, content_type: head.content_type }))
    }
}

enum BodyError {
    TooLarge(PhotoError),
    Broken(String),
    Slow(String),
}

/// All of a body that says it has so many bytes, and may have `limit`.
async fn read_body(body: ByteStream, declared: u64, limit: u64) -> Result<Vec<u8>, BodyError> {
    let too_large = |bytes| PhotoError::too_many_bytes(bytes, limit).map_err(BodyError::TooLarge);
    too_large(declared)?;
    let mut bytes = Vec::with_capacity(declared as usize);
    let mut body = body;
    let patience = BODY_TIMEOUT + Duration::from_secs(declared / SLOWEST_BYTES_PER_SECOND);
    let whole = timeout(patience, async {
        let broken = |error| BodyError::Broken(causes(&error));
        while let Some(chunk) = body.try_next().await.map_err(broken)? {
            too_large((bytes.len() + chunk.len()) as u64)?;
            bytes.extend_from_slice(&chunk);
        }
        Ok(())
    });
    whole.await.unwrap_or_else(|_| {
        let seconds = patience.as_secs();
        Err(BodyError::Slow(format!("the body had not come within {seconds} s")))
    })?;
    Ok(bytes)
}

fn time(time: &aws_sdk_s3::primitives::DateTime) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(time.secs(), time.subsec_nanos())
}
