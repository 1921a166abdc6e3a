//! The calls to S3, DynamoDB and SQS, one file for each bucket or service. Each decides what an answer
//! means where the detail of the wire still is.

mod dead_letters;
mod errors;
mod items;
mod originals;
mod renditions;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use tokio::join;
use tokio::time::timeout;

pub use dead_letters::DeadLetters;
pub use errors::explain;
pub use items::{CommitError, Items};
pub use originals::{FetchError, Head, Original, Originals};
pub use renditions::{ORIGINAL_ETAG, RenditionFile, Renditions, SETTINGS};

use crate::config::Config;

/// How long a connection may take to be accepted.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long an answer may take to begin, of one attempt and of all attempts of a call. The attempts of
/// two calls fit into the template's 60 s.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(12);
/// Attempts of a call; Lambda's own retries come a minute later.
const MAX_ATTEMPTS: u32 = 3;
/// The longest pauses before the second attempt, and before any.
const INITIAL_BACKOFF: Duration = Duration::from_millis(200);
const MAX_BACKOFF: Duration = Duration::from_secs(2);
/// How long a start waits for connections to be opened, which take some ten ms within a region.
const WARM_UP_TIMEOUT: Duration = Duration::from_secs(1);

/// The buckets, the table and the queue.
#[derive(Clone, Debug)]
pub struct Aws {
    /// The bucket of the photos.
    pub originals: Originals,
    /// The bucket of their renditions.
    pub renditions: Renditions,
    /// The table of their items.
    pub items: Items,
    /// The queue of the dead letters.
    pub dead_letters: DeadLetters,
}

impl Aws {
    /// Clients of what `config` names, for the region, credentials and endpoint of `aws`.
    pub fn new(config: &Config, aws: &SdkConfig) -> Aws {
        let aws = &with_limits(aws);
        let s3 = aws_sdk_s3::Client::from_conf(s3_config(aws).build());
        Aws {
            originals: Originals::new(s3.clone(), config),
            renditions: Renditions::new(s3, config),
            items: Items::new(aws_sdk_dynamodb::Client::new(aws), config),
            dead_letters: DeadLetters::new(aws_sdk_sqs::Client::new(aws), config),
        }
    }

    /// Opens the connections that photos take, each by a call that changes nothing, whatever its answer:
    /// a function that starts has a whole CPU for the TLS handshakes and the trusted roots, whatever its
    /// memory size; a photo has the CPU that goes with it (AWS Lambda Developer Guide, "Configure memory").
    pub async fn connect(&self) {
        let calls = async {
            join!(
                self.originals.connect(),
                self.renditions.connect(),
                self.items.connect(),
                self.dead_letters.connect(),
            )
        };
        if timeout(WARM_UP_TIMEOUT, calls).await.is_err() {
            tracing::warn!("S3, DynamoDB or SQS did not answer within {WARM_UP_TIMEOUT:?}");
        }
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
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT);
    let retries = RetryConfig::standard()
        .with_max_attempts(MAX_ATTEMPTS)
        .with_initial_backoff(INITIAL_BACKOFF)
        .with_max_backoff(MAX_BACKOFF);
    aws.to_builder().timeout_config(limits.build()).retry_config(retries).build()
}
