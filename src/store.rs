//! The calls to S3, DynamoDB and SQS, each error classified here, where the wire detail still is.

use std::error::Error;
use std::fmt::Debug;
use std::iter::successors;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sqs::types::MessageAttributeValue;
use chrono::{DateTime, Utc};
use photo::{PhotoError, Thumbnail};
use tokio::join;
use tokio::time::timeout;

use crate::config::Config;
use crate::dead_letter::Letter;
use crate::event::ObjectEvent;
use crate::failure::Failure;
use crate::item::{PHOTO_KEY, Rendition, Stored, Update};

/// The user metadata of a thumbnail that names the ETag of the original it was made from.
pub const ORIGINAL_ETAG: &str = "original-etag";

/// A photo as S3 keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    /// Its bytes.
    pub photo: Vec<u8>,
    /// Without quotes.
    pub etag: Option<String>,
    /// In a versioned bucket.
    pub version_id: Option<String>,
    /// When it was uploaded.
    pub last_modified: Option<DateTime<Utc>>,
    /// As its uploader said.
    pub content_type: Option<String>,
}

/// An object as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    /// Without quotes.
    pub etag: String,
    /// Its size.
    pub bytes: Option<u64>,
    /// As its uploader said.
    pub content_type: Option<String>,
}

/// A thumbnail, and what it was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Of the thumbnail, with quotes.
    pub etag: String,
    /// Of its original, without quotes.
    pub original_etag: Option<String>,
}

/// The buckets, the table and the queue.
#[derive(Clone, Debug)]
pub struct Store {
    s3: aws_sdk_s3::Client,
    dynamodb: aws_sdk_dynamodb::Client,
    sqs: aws_sdk_sqs::Client,
}

/// How long a service may take to accept a connection, to begin an answer to one try, and for all
/// tries of a call. The tries of two calls fit into the template's 60 s.
const CONNECT: Duration = Duration::from_secs(2);
const TRY: Duration = Duration::from_secs(5);
const CALL: Duration = Duration::from_secs(12);
/// How long a start waits for connections to be opened, which take some ten ms within a region.
const OPENING: Duration = Duration::from_secs(1);
/// Tries of a call, and the longest pause before the second; Lambda's own retries come a minute later.
const TRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// The name of the failure of a body that ends too soon or is not what its checksum says.
const BROKEN_BODY: &str = "S3BrokenBody";
/// How long the body of an object may take: some seconds, and what the slowest connection needs that
/// is worth waiting for. Lambda's have 75 MB/s.
const BODY: Duration = Duration::from_secs(5);
const SLOWEST_BYTES_PER_SECOND: u64 = 4 << 20;

impl Store {
    /// Clients for the region, credentials and endpoint of `aws`.
    pub fn new(aws: &SdkConfig) -> Store {
        let aws = &with_limits(aws);
        Store {
            s3: aws_sdk_s3::Client::from_conf(s3_config(aws).build()),
            dynamodb: aws_sdk_dynamodb::Client::new(aws),
            sqs: aws_sdk_sqs::Client::new(aws),
        }
    }

    /// Opens the connections that photos take, each by a call that changes nothing, whatever its answer:
    /// a function that starts has a whole CPU for the TLS handshakes and the trusted roots, whatever its
    /// memory size; a photo has the CPU that goes with it (AWS Lambda Developer Guide, "Configure memory").
    pub async fn connect(&self, config: &Config) {
        let calls = async {
            join!(
                self.s3.head_bucket().bucket(&config.originals_bucket).send(),
                self.s3.head_bucket().bucket(&config.thumbnails_bucket).send(),
                self.item(&config.photos_table, "/"),
                self.sqs.get_queue_attributes().queue_url(&config.dead_letter_queue_url).send(),
            )
        };
        if timeout(OPENING, calls).await.is_err() {
            tracing::warn!("S3, DynamoDB or SQS did not answer within {OPENING:?}");
        }
    }

    /// Downloads a photo, if it is still the one that the event speaks of.
    ///
    /// # Errors
    /// Ignored if the object is gone, superseded if it was overwritten since, permanent if it is
    /// archived or larger than `limit` bytes, transient otherwise.
    pub async fn fetch(&self, object: &ObjectEvent, limit: u64) -> Result<Original, Failure> {
        for _ in 1..TRIES {
            match self.fetch_once(object, limit).await {
                // The SDK tries a call again, but not the body of its answer.
                Err(failure) if failure.error_type == BROKEN_BODY => {}
                outcome => return outcome,
            }
        }
        self.fetch_once(object, limit).await
    }

    async fn fetch_once(&self, object: &ObjectEvent, limit: u64) -> Result<Original, Failure> {
        let ObjectEvent { bucket, key, .. } = object;
        let quoted_etag = object.etag.as_ref().map(|etag| format!("\"{etag}\""));
        let request = self.s3.get_object().bucket(bucket).key(key).set_if_match(quoted_etag);
        let object = request.send().await.map_err(|error| match code(&error) {
            Some("NoSuchKey") => Failure::gone(),
            Some("PreconditionFailed") => Failure::overwritten(),
            Some("InvalidObjectState") => Failure::permanent(
                "ArchivedPhoto",
                "the photo is in an archive storage class; restore it, then send the event again",
            ),
            _ => s3_failure("GetObject", bucket, key, explain(&error)),
        })?;
        let last_modified = object.last_modified().and_then(time);
        let declared = object.content_length().and_then(|length| u64::try_from(length).ok());
        let bytes = declared.unwrap_or(0);
        refuse_too_many_bytes(bytes, limit)?;
        let mut photo = Vec::with_capacity(bytes as usize);
        let mut body = object.body;
        let patience = BODY + Duration::from_secs(bytes / SLOWEST_BYTES_PER_SECOND);
        let whole = timeout(patience, async {
            while let Some(chunk) = body.try_next().await.map_err(|error| {
                let failure = s3_failure("GetObject", bucket, key, causes(&error));
                Failure { error_type: BROKEN_BODY, ..failure }
            })? {
                refuse_too_many_bytes((photo.len() + chunk.len()) as u64, limit)?;
                photo.extend_from_slice(&chunk);
            }
            Ok(())
        });
        whole.await.unwrap_or_else(|_| {
            let cause = format!("the body had not come within {} s", patience.as_secs());
            Err(s3_failure("GetObject", bucket, key, cause))
        })?;
        let etag = object.e_tag.map(|etag| etag.trim_matches('"').to_owned());
        let (version_id, content_type) = (object.version_id, object.content_type);
        Ok(Original { photo, etag, version_id, last_modified, content_type })
    }

    /// What there is of an object now: none if it is not there, or deleted in a versioned bucket.
    ///
    /// # Errors
    /// Transient.
    pub async fn current(&self, bucket: &str, key: &str) -> Result<Option<Current>, Failure> {
        let head = match self.s3.head_object().bucket(bucket).key(key).send().await {
            Ok(head) => head,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(s3_failure("HeadObject", bucket, key, explain(&error))),
        };
        let bytes = head.content_length().and_then(|length| u64::try_from(length).ok());
        let etag = head.e_tag.unwrap_or_default().trim_matches('"').to_owned();
        Ok(Some(Current { etag, bytes, content_type: head.content_type }))
    }

    /// Which original the photo's thumbnail was made from; none if there is no thumbnail.
    ///
    /// # Errors
    /// Transient.
    pub async fn thumbnail_mark(
        &self,
        config: &Config,
        photo_key: &str,
    ) -> Result<Option<Mark>, Failure> {
        let (bucket, key) = (&config.thumbnails_bucket, config.thumbnail_key(photo_key));
        let head = match self.s3.head_object().bucket(bucket).key(&key).send().await {
            Ok(head) => head,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(s3_failure("HeadObject", bucket, &key, explain(&error))),
        };
        let original_etag = head.metadata().and_then(|metadata| metadata.get(ORIGINAL_ETAG));
        let original_etag = original_etag.cloned();
        Ok(Some(Mark { etag: head.e_tag.unwrap_or_default(), original_etag }))
    }

    /// Writes a thumbnail, marked with the ETag of its original.
    ///
    /// # Errors
    /// Transient.
    pub async fn put_thumbnail(
        &self,
        config: &Config,
        object: &ObjectEvent,
        thumbnail: Thumbnail,
    ) -> Result<Rendition, Failure> {
        let rendition = Rendition {
            bucket: config.thumbnails_bucket.clone(),
            key: config.thumbnail_key(&object.key),
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
            .metadata(ORIGINAL_ETAG, object.etag.as_deref().unwrap_or_default())
            .body(ByteStream::from(thumbnail.jpeg))
            .send()
            .await
            .map_err(|error| s3_failure("PutObject", bucket, key, explain(&error)))?;
        Ok(rendition)
    }

    /// Removes a photo's thumbnail if it is still the one of this ETag; one that is not is no error.
    ///
    /// # Errors
    /// Transient.
    pub async fn remove_thumbnail(
        &self,
        config: &Config,
        photo_key: &str,
        etag: &str,
    ) -> Result<(), Failure> {
        let (bucket, key) = (&config.thumbnails_bucket, config.thumbnail_key(photo_key));
        let request = self.s3.delete_object().bucket(bucket).key(&key).if_match(etag);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if matches!(code(&error), Some("PreconditionFailed" | "NoSuchKey")) => {
                Ok(())
            }
            Err(error) => Err(s3_failure("DeleteObject", bucket, &key, explain(&error))),
        }
    }

    /// Reads a photo's item as it stands after every finished write.
    ///
    /// # Errors
    /// Transient.
    pub async fn item(&self, table: &str, photo_key: &str) -> Result<Option<Stored>, Failure> {
        let request = self
            .dynamodb
            .get_item()
            .table_name(table)
            .key(PHOTO_KEY, AttributeValue::S(photo_key.to_owned()))
            .consistent_read(true);
        let output = request
            .send()
            .await
            .map_err(|error| dynamodb_failure("GetItem", table, photo_key, explain(&error)))?;
        Ok(output.item.as_ref().map(Stored::parse))
    }

    /// Commits a photo's item.
    ///
    /// # Errors
    /// Superseded if the item is newer, permanent if DynamoDB does not take such an item, transient
    /// otherwise.
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
            .update_expression(&update.expression)
            .condition_expression(update.condition)
            .set_expression_attribute_names(Some(update.names.clone()))
            .set_expression_attribute_values(Some(update.values.clone()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = request.send().await else { return Ok(()) };
        match error.as_service_error() {
            // The SDK tries a call again whose answer was lost: then this write itself is in its way.
            Some(UpdateItemError::ConditionalCheckFailedException(refusal))
                if refusal.item().is_some_and(|item| update.is_done_in(&Stored::parse(item))) =>
            {
                Ok(())
            }
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Err(Failure::done()),
            // Of an item that is too large, or a value that no item can have (DynamoDB API Reference,
            // "Common Errors").
            Some(refusal) if refusal.code() == Some("ValidationException") => {
                let reason = refusal.message().unwrap_or("it gave no reason");
                Err(Failure::item_refused(format!(
                    "DynamoDB does not take the photo's item: {reason}"
                )))
            }
            _ => Err(dynamodb_failure("UpdateItem", table, photo_key, explain(&error))),
        }
    }

    /// Sends a dead letter and gives its message id.
    ///
    /// # Errors
    /// Transient: as long as the queue refuses the letter, the event must stay alive.
    pub async fn send_letter(&self, queue_url: &str, letter: Letter) -> Result<String, Failure> {
        let failure = |cause| {
            let call = format!("SendMessage to {queue_url}");
            call_failure("SqsCallFailed", &call, cause)
        };
        let mut request = self.sqs.send_message().queue_url(queue_url).message_body(letter.body);
        let texts =
            [("ErrorType", Some(letter.error_type.to_owned())), ("PhotoKey", letter.photo_key)];
        for (name, text) in texts {
            let Some(text) = text else { continue };
            let attribute = MessageAttributeValue::builder().data_type("String").string_value(text);
            let attribute = attribute.build().map_err(|error| failure(causes(&error)))?;
            request = request.message_attributes(name, attribute);
        }
        let output = request.send().await.map_err(|error| failure(explain(&error)))?;
        output.message_id.ok_or_else(|| failure("the answer names no message".to_owned()))
    }
}

/// The settings of a client of S3: path style on any custom endpoint, as a local AWS has no bucket host
/// names.
pub fn s3_config(aws: &SdkConfig) -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::config::Builder::from(aws).force_path_style(aws.endpoint_url().is_some())
}

/// No service may take the whole of an invocation.
fn with_limits(aws: &SdkConfig) -> SdkConfig {
    let limits = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(TRY)
        .operation_timeout(CALL);
    let retries = RetryConfig::standard()
        .with_max_attempts(TRIES)
        .with_initial_backoff(FIRST_PAUSE)
        .with_max_backoff(LONGEST_PAUSE);
    aws.to_builder().timeout_config(limits.build()).retry_config(retries).build()
}

/// The photo's size against `MAX_PHOTO_BYTES`.
///
/// # Errors
/// Permanent if it is larger.
pub fn refuse_too_many_bytes(bytes: u64, limit: u64) -> Result<(), Failure> {
    if bytes > limit { Err(PhotoError::TooManyBytes { bytes, limit }.into()) } else { Ok(()) }
}

/// Whether S3 says that an object is not there. An answer to HEAD has no body that names the error.
fn is_missing(error: &SdkError<HeadObjectError, HttpResponse>) -> bool {
    error.raw_response().is_some_and(|response| response.status().as_u16() == 404)
}

fn time(time: &aws_sdk_s3::primitives::DateTime) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(time.secs(), time.subsec_nanos())
}

/// The service's own name for an error, such as `NoSuchKey`; `None` if it did not answer at all.
fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

fn s3_failure(call: &str, bucket: &str, key: &str, cause: String) -> Failure {
    call_failure("S3CallFailed", &format!("{call} s3://{bucket}/{key}"), cause)
}

fn dynamodb_failure(call: &str, table: &str, photo_key: &str, cause: String) -> Failure {
    call_failure("DynamoDbCallFailed", &format!("{call} {table}[{photo_key}]"), cause)
}

/// Whatever a call failed with that no other class claims: worth another try.
fn call_failure(error_type: &'static str, call: &str, cause: String) -> Failure {
    Failure::transient(error_type, format!("{call} failed: {cause}"))
}

/// What the service answered, or why it could not be asked.
fn explain<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E, HttpResponse>) -> String {
    if let Some(code) = code(error) {
        let reason = error.message().unwrap_or("the service gave no reason");
        return format!("{code}: {reason}");
    }
    match error.raw_response() {
        // An answer to HEAD, and what a proxy says instead of the service, names no error.
        Some(answer) => format!("HTTP {}: {}", answer.status().as_u16(), causes(error)),
        None => causes(error),
    }
}

/// An error and what caused it, outermost first.
fn causes(error: &dyn Error) -> String {
    let chain = successors(Some(error), |&error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
