//! The bucket of the renditions.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use super::errors::{code, explain, is_missing, s3_error};
use crate::call_error::CallError;
use crate::config::{Config, rendition_version};
use crate::item::{Place, RenditionHead};

/// User metadata of a rendition: ETag of the original that it was made from.
pub const ORIGINAL_ETAG: &str = "original-etag";
/// User metadata of a rendition: fingerprint of the settings that it was made with.
pub const SETTINGS: &str = "settings";

/// The bucket of the renditions.
#[derive(Clone, Debug)]
pub struct Renditions {
    s3: Client,
    bucket: String,
    cache_control: Option<String>,
}

/// A file to be stored as a rendition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenditionFile {
    /// Content of the file.
    pub bytes: Bytes,
    /// Media type of the file.
    pub content_type: &'static str,
    /// ETag of its original, without quotes.
    pub original_etag: String,
    /// Fingerprint of its settings.
    pub settings: String,
}

impl Renditions {
    pub(super) fn new(s3: Client, config: &Config) -> Renditions {
        let Config { thumbnails_bucket, cache_control, .. } = config;
        let (bucket, cache_control) = (thumbnails_bucket.clone(), cache_control.clone());
        Renditions { s3, bucket, cache_control }
    }

    pub(super) async fn connect(&self) {
        let _ = self.s3.head_bucket().bucket(&self.bucket).send().await;
    }

    /// What there is of a rendition; `None` if it is not there.
    ///
    /// # Errors
    /// A call that failed.
    pub async fn head(&self, place: &Place) -> Result<Option<RenditionHead>, CallError> {
        let Place { bucket, key } = place;
        let head = match self.s3.head_object().bucket(bucket).key(key).send().await {
            Ok(head) => head,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(s3_error("HeadObject", bucket, key, explain(&error))),
        };
        let metadata = |name: &str| head.metadata().and_then(|metadata| metadata.get(name));
        let version = metadata(ORIGINAL_ETAG).zip(metadata(SETTINGS));
        let version = version.map(|(etag, settings)| rendition_version(etag, settings));
        Ok(Some(RenditionHead { version, etag: head.e_tag.unwrap_or_default() }))
    }

    /// Writes a rendition, marked with what it was made from.
    ///
    /// # Errors
    /// A call that failed.
    pub async fn put(&self, place: &Place, file: RenditionFile) -> Result<(), CallError> {
        let Place { bucket, key } = place;
        let request = self
            .s3
            .put_object()
            .bucket(bucket)
            .key(key)
            .content_type(file.content_type)
            .set_cache_control(self.cache_control.clone())
            .metadata(ORIGINAL_ETAG, file.original_etag)
            .metadata(SETTINGS, file.settings)
            .body(ByteStream::from(file.bytes));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(s3_error("PutObject", bucket, key, explain(&error))),
        }
    }

    /// Removes a rendition if it is still the one of this ETag; it is no error if it is not.
    ///
    /// # Errors
    /// A call that failed.
    pub async fn delete(&self, place: &Place, etag: &str) -> Result<(), CallError> {
        let Place { bucket, key } = place;
        match self.s3.delete_object().bucket(bucket).key(key).if_match(etag).send().await {
            Ok(_) => Ok(()),
            Err(error) if matches!(code(&error), Some("PreconditionFailed" | "NoSuchKey")) => {
                Ok(())
            }
            Err(error) => Err(s3_error("DeleteObject", bucket, key, explain(&error))),
        }
    }
}
