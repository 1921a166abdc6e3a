//! The bucket of what is made of the photos.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use photo::Thumbnail;

use super::errors::{code, explain, is_missing, s3_failure};
use crate::config::Config;
use crate::event::ObjectEvent;
use crate::failure::Failure;
use crate::item::Rendition;

/// The user metadata of a rendition that names the ETag of the original it was made from.
pub const ORIGINAL_ETAG: &str = "original-etag";

/// The bucket of what is made of the photos.
#[derive(Clone, Debug)]
pub struct Renditions {
    s3: Client,
    config: Config,
}

/// What S3 tells of a rendition without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenditionHead {
    /// ETag of the rendition, with quotes.
    pub etag: String,
    /// ETag of its original, without quotes.
    pub original_etag: Option<String>,
}

impl Renditions {
    pub(super) fn new(s3: Client, config: &Config) -> Renditions {
        Renditions { s3, config: config.clone() }
    }

    pub(super) async fn connect(&self) {
        let _ = self.s3.head_bucket().bucket(&self.config.thumbnails_bucket).send().await;
    }

    /// What a photo's rendition was made from; none if there is no rendition.
    ///
    /// # Errors
    /// Transient.
    pub async fn head(&self, photo_key: &str) -> Result<Option<RenditionHead>, Failure> {
        let bucket = &self.config.thumbnails_bucket;
        let key = self.config.thumbnail_key(photo_key);
        let head = match self.s3.head_object().bucket(bucket).key(&key).send().await {
            Ok(head) => head,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(s3_failure("HeadObject", bucket, &key, explain(&error))),
        };
        let original_etag = head.metadata().and_then(|metadata| metadata.get(ORIGINAL_ETAG));
        let original_etag = original_etag.cloned();
        Ok(Some(RenditionHead { etag: head.e_tag.unwrap_or_default(), original_etag }))
    }

    /// Writes a rendition, marked with the ETag of its original.
    ///
    /// # Errors
    /// Transient.
    pub async fn put(
        &self,
        object: &ObjectEvent,
        thumbnail: Thumbnail,
    ) -> Result<Rendition, Failure> {
        let rendition = Rendition {
            bucket: self.config.thumbnails_bucket.clone(),
            key: self.config.thumbnail_key(&object.key),
            size: thumbnail.size,
            bytes: thumbnail.jpeg.len() as u64,
        };
        let Rendition { bucket, key, .. } = &rendition;
        self.s3
            .put_object()
            .bucket(bucket)
            .key(key)
            .content_type("image/jpeg")
            .set_cache_control(self.config.cache_control.clone())
            .metadata(ORIGINAL_ETAG, object.etag.as_deref().unwrap_or_default())
            .body(ByteStream::from(thumbnail.jpeg))
            .send()
            .await
            .map_err(|error| s3_failure("PutObject", bucket, key, explain(&error)))?;
        Ok(rendition)
    }

    /// Removes a photo's rendition if it is still the one of this ETag; one that is not is no error.
    ///
    /// # Errors
    /// Transient.
    pub async fn delete(&self, photo_key: &str, etag: &str) -> Result<(), Failure> {
        let bucket = &self.config.thumbnails_bucket;
        let key = self.config.thumbnail_key(photo_key);
        let request = self.s3.delete_object().bucket(bucket).key(&key).if_match(etag);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if matches!(code(&error), Some("PreconditionFailed" | "NoSuchKey")) => {
                Ok(())
            }
            Err(error) => Err(s3_failure("DeleteObject", bucket, &key, explain(&error))),
        }
    }
}
