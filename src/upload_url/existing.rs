//! Photos that are there already, found by their content.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::item::{CONTENT_INDEX, CONTENT_KEY, PHOTO_KEY, Status};

/// How long a look-up may take, all attempts together. It saves an upload, but must not keep one waiting.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(1);

/// The table of the photos' items.
#[derive(Clone, Debug)]
pub(super) struct Existing {
    dynamodb: Client,
    table: String,
}

impl Existing {
    pub(super) fn new(table: String, aws: &SdkConfig) -> Existing {
        let limits = TimeoutConfig::builder().operation_timeout(LOOK_UP_TIMEOUT).build();
        let config = aws_sdk_dynamodb::config::Builder::from(aws);
        let config = config.timeout_config(limits).retry_config(RetryConfig::standard()).build();
        Existing { dynamodb: Client::from_conf(config), table }
    }

    /// The key of a READY photo of this content; none too where the look-up fails, which is logged: the upload
    /// then costs what it would have cost without a look.
    pub(super) async fn photo(&self, content_key: &str) -> Option<String> {
        self.look_up(content_key).await.unwrap_or_else(|error| {
            tracing::warn!(outcome = "not looked up", error, "upload-url");
            None
        })
    }

    async fn look_up(&self, content_key: &str) -> Result<Option<String>, String> {
        let query = self.dynamodb.query().table_name(&self.table).index_name(CONTENT_INDEX);
        let query = query
            .key_condition_expression(format!("{CONTENT_KEY} = :content"))
            .expression_attribute_values(":content", AttributeValue::S(content_key.to_owned()))
            .limit(1);
        let found = query.send().await.map_err(|error| DisplayErrorContext(error).to_string())?;
        let Some(key) = found.items().first().and_then(|item| item.get(PHOTO_KEY)) else {
            return Ok(None);
        };
        // The index is behind the table: the photo may have been removed or overwritten since.
        let get = self.dynamodb.get_item().table_name(&self.table).key(PHOTO_KEY, key.clone());
        let get = get
            .consistent_read(true)
            .projection_expression(format!("{CONTENT_KEY}, #status"))
            .expression_attribute_names("#status", "status");
        let item = get.send().await.map_err(|error| DisplayErrorContext(error).to_string())?.item;
        let text = |name: &str| item.as_ref()?.get(name)?.as_s().ok();
        let is_there = text("status").is_some_and(|status| status == Status::Ready.as_str())
            && text(CONTENT_KEY).is_some_and(|content| content == content_key);
        Ok(key.as_s().ok().filter(|_| is_there).cloned())
    }
}
