//! A failed call to AWS, as every outcome can carry it.

use thiserror::Error;

/// A call to AWS that failed in a way that nobody expects and that may be over in a moment.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{call} failed: {cause}")]
pub struct CallError {
    /// The service that was called.
    pub service: Service,
    /// The call and its object, such as `GetObject s3://bucket/key`.
    pub call: String,
    /// What the service answered, or why it could not be asked.
    pub cause: String,
}

/// A service of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Amazon S3.
    S3,
    /// Amazon DynamoDB.
    DynamoDb,
    /// Amazon SQS.
    Sqs,
}

impl CallError {
    /// Stable name of the failure.
    pub fn name(&self) -> &'static str {
        match self.service {
            Service::S3 => "S3CallFailed",
            Service::DynamoDb => "DynamoDbCallFailed",
            Service::Sqs => "SqsCallFailed",
        }
    }
}
