//! What a failed call says.

use std::error::Error as StdError;
use std::iter::successors;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::operation::head_object::HeadObjectError;

use crate::call_error::{CallError, Service};

/// Whether S3 says that an object is not there. An answer to HEAD has no body that names the error.
pub fn is_missing(error: &SdkError<HeadObjectError, HttpResponse>) -> bool {
    error.raw_response().is_some_and(|response| response.status().as_u16() == 404)
}

/// The service's own name for an error, such as `NoSuchKey`; `None` if it did not answer at all.
pub fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

/// The failure of a call about an object.
pub fn s3_error(call: &str, bucket: &str, key: &str, cause: String) -> CallError {
    CallError { service: Service::S3, call: format!("{call} s3://{bucket}/{key}"), cause }
}

/// The failure of a call about an item.
pub fn dynamodb_error(call: &str, table: &str, photo_key: &str, cause: String) -> CallError {
    CallError { service: Service::DynamoDb, call: format!("{call} {table}[{photo_key}]"), cause }
}

/// What the service answered, or why it could not be asked.
pub fn explain<E: ProvideErrorMetadata + StdError + 'static>(
    error: &SdkError<E, HttpResponse>,
) -> String {
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
pub fn causes(error: &dyn StdError) -> String {
    let chain = successors(Some(error), |&error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
