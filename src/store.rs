//! The calls to S3, DynamoDB and SQS, each error classified here, where the wire detail still is.

use std::collections::HashMap;
use std::error::Error;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::error::{BuildError, DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sqs::types::MessageAttributeValue;

use crate::config::Config;
use crate::dead_letter::Letter;
use crate::event::Created;
use crate::failure::Failure;
use crate::item::{PHOTO_KEY, Rendition, StoredItem, Update};
use crate::photo::PhotoError;
use crate::thumbnail::Thumbnail;

/// The user metadata of a thumbnail that names the ETag of the original it was made from.
pub const ORIGINAL_ETAG: &str = "original-etag";

/// The buckets, the table and the queue.
#[derive(Clone, Debug)]
pub struct Store {
    s3: aws_sdk_s3::Client,
    dynamodb: aws_sdk_dynamodb::Client,
    sqs: aws_sdk_sqs::Client,
}

impl Store {
    /// Clients for the region, credentials and endpoint of `aws`.
    pub fn new(aws: &SdkConfig) -> Store {
        Store {
            // Path style on any custom endpoint: a local AWS has no bucket host names.
            s3: aws_sdk_s3::Client::from_conf(
                aws_sdk_s3::config::Builder::from(aws)
                    .force_path_style(aws.endpoint_url().is_some())
                    .build(),
            ),
            dynamodb: aws_sdk_dynamodb::Client::new(aws),
            sqs: aws_sdk_sqs::Client::new(aws),
        }
    }

    /// Downloads a photo, if it is still the one that the event speaks of.
    ///
    /// # Errors
    /// Ignored if the object is gone, superseded if it was overwritten since, permanent if it is
    /// archived or larger than `limit` bytes, transient otherwise.
    pub async fn fetch(&self, created: &Created, limit: u64) -> Result<Vec<u8>, Failure> {
        let Created { bucket, key, .. } = created;
        let quoted_etag = created.etag.as_ref().map(|etag| format!("\"{etag}\""));
        let request = self
            .s3
            .get_object()
            .bucket(bucket)
            .key(key)
            .set_if_match(quoted_etag);
        let object = request.send().await.map_err(|error| match code(&error) {
            Some("NoSuchKey") => Failure::ignored("ObjectGone", "the object was deleted since"),
            Some("PreconditionFailed") => Failure::superseded("the object was overwritten since"),
            Some("InvalidObjectState") => Failure::permanent(
                "ArchivedPhoto",
                "the photo is in an archive storage class; restore it, then send the event again",
            ),
            _ => s3_failure("GetObject", bucket, key, &error),
        })?;
        let declared = object
            .content_length()
            .and_then(|length| u64::try_from(length).ok());
        refuse_too_many_bytes(declared.unwrap_or(0), limit)?;
        let mut photo = Vec::with_capacity(declared.unwrap_or(0) as usize);
        let mut body = object.body;
        while let Some(chunk) = body
            .try_next()
            .await
            .map_err(|error| s3_failure("GetObject", bucket, key, &error))?
        {
            refuse_too_many_bytes((photo.len() + chunk.len()) as u64, limit)?;
            photo.extend_from_slice(&chunk);
        }
        Ok(photo)
    }

    /// Writes a thumbnail, marked with the ETag of its original.
    ///
    /// # Errors
    /// Transient.
    pub async fn put_thumbnail(
        &self,
        config: &Config,
        created: &Created,
        thumbnail: Thumbnail,
    ) -> Result<Rendition, Failure> {
        let rendition = Rendition {
            bucket: config.thumbnails_bucket.clone(),
            key: config.thumbnail_key(&created.key),
            size: thumbnail.size,
            bytes: thumbnail.jpeg.len() as u64,
        };
        let Rendition { bucket, key, .. } = &rendition;
        self.s3
            .put_object()
            .bucket(bucket)
            .key(key)
            .content_type("image/jpeg")
            .set_cache_control(config.cache_control.clone())
            .metadata(ORIGINAL_ETAG, created.etag.as_deref().unwrap_or_default())
            .body(ByteStream::from(thumbnail.jpeg))
            .send()
            .await
            .map_err(|error| s3_failure("PutObject", bucket, key, &error))?;
        Ok(rendition)
    }

    /// Removes a photo's thumbnail; one that is not there is no error.
    ///
    /// # Errors
    /// Transient.
    pub async fn remove_thumbnail(&self, config: &Config, photo_key: &str) -> Result<(), Failure> {
        let (bucket, key) = (&config.thumbnails_bucket, config.thumbnail_key(photo_key));
        let request = self.s3.delete_object().bucket(bucket).key(&key);
        request
            .send()
            .await
            .map_err(|error| s3_failure("DeleteObject", bucket, &key, &error))?;
        Ok(())
    }

    /// Reads a photo's item as it stands after every finished write.
    ///
    /// # Errors
    /// Transient.
    pub async fn item(&self, table: &str, photo_key: &str) -> Result<Option<StoredItem>, Failure> {
        let request = self
            .dynamodb
            .get_item()
            .table_name(table)
            .key(PHOTO_KEY, AttributeValue::S(photo_key.to_owned()))
            .consistent_read(true);
        let output = request
            .send()
            .await
            .map_err(|error| dynamodb_failure("GetItem", table, photo_key, &error))?;
        Ok(output.item)
    }

    /// Commits a photo's item.
    ///
    /// # Errors
    /// Superseded if the item is newer, transient otherwise.
    pub async fn commit(
        &self,
        table: &str,
        photo_key: &str,
        update: Update,
    ) -> Result<(), Failure> {
        let request = self
            .dynamodb
            .update_item()
            .table_name(table)
            .key(PHOTO_KEY, AttributeValue::S(photo_key.to_owned()))
            .update_expression(update.expression)
            .condition_expression(update.condition)
            .set_expression_attribute_names(Some(update.names))
            .set_expression_attribute_values(Some(update.values));
        request.send().await.map_err(|error| match code(&error) {
            Some("ConditionalCheckFailedException") => {
                Failure::superseded("the item is of a newer event, or of this one and done")
            }
            _ => dynamodb_failure("UpdateItem", table, photo_key, &error),
        })?;
        Ok(())
    }

    /// Sends a dead letter and gives its message id.
    ///
    /// # Errors
    /// Transient: as long as the queue refuses the letter, the event must stay alive.
    pub async fn send_letter(&self, queue_url: &str, letter: Letter) -> Result<String, Failure> {
        let photo_key = letter.photo_key.map(|key| ("PhotoKey".to_owned(), key));
        let attributes: Option<HashMap<String, MessageAttributeValue>> =
            [("ErrorType".to_owned(), letter.error_type.to_owned())]
                .into_iter()
                .chain(photo_key)
                .map(|(name, value)| Some((name, text_attribute(value).ok()?)))
                .collect();
        let request = self
            .sqs
            .send_message()
            .queue_url(queue_url)
            .message_body(letter.body)
            .set_message_attributes(attributes);
        let output = request.send().await.map_err(|error| {
            call_failure(
                "SqsCallFailed",
                format!("SendMessage to {queue_url}"),
                &error,
            )
        })?;
        Ok(output.message_id.unwrap_or_default())
    }
}

/// The photo's size against `MAX_PHOTO_BYTES`.
///
/// # Errors
/// Permanent if it is larger.
pub fn refuse_too_many_bytes(bytes: u64, limit: u64) -> Result<(), Failure> {
    if bytes > limit {
        Err(PhotoError::TooManyBytes { bytes, limit }.into())
    } else {
        Ok(())
    }
}

/// The service's own name for an error, such as `NoSuchKey`; `None` if it did not answer at all.
fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code)
}

fn s3_failure(call: &str, bucket: &str, key: &str, error: &dyn Error) -> Failure {
    call_failure("S3CallFailed", format!("{call} s3://{bucket}/{key}"), error)
}

fn dynamodb_failure(call: &str, table: &str, photo_key: &str, error: &dyn Error) -> Failure {
    call_failure(
        "DynamoDbCallFailed",
        format!("{call} {table}[{photo_key}]"),
        error,
    )
}

/// Whatever a call failed with that no other class claims: worth another try.
fn call_failure(error_type: &'static str, call: String, error: &dyn Error) -> Failure {
    Failure::transient(
        error_type,
        format!("{call} failed: {}", DisplayErrorContext(error)),
    )
}

fn text_attribute(value: String) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value)
        .build()
}
