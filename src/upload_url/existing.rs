//! Photos that are there already, found by their content.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use tokio::time::timeout;

use crate::aws::explain;
use crate::item::{CONTENT_INDEX, CONTENT_KEY, PHOTO_KEY, Status, Stored};

/// How long a look-up may take, all calls and attempts together. It saves an upload, but must not keep one waiting.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(1);

/// The table of the photos' items.
#[derive(Clone, Debug)]
pub(super) struct Existing {
    dynamodb: Client,
    table: String,
}

impl Existing {
    pub(super) fn new(table: String, aws: &SdkConfig) -> Existing {
        Existing { dynamodb: Client::new(aws), table }
    }

    /// The key of a READY photo of this content; none too where the look-up fails, which is logged: the upload
    /// then costs what it would have cost without a look.
    pub(super) async fn photo(&self, content_key: &str) -> Option<String> {
        let looked_up = timeout(LOOK_UP_TIMEOUT, self.look_up(content_key)).await;
        let found = looked_up.unwrap_or_else(|_| Err(format!("no answer in {LOOK_UP_TIMEOUT:?}")));
        found.unwrap_or_else(|error| {
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
        let found = query.send().await.map_err(|error| explain(&error))?;
        let Some(key) = found.items().first().and_then(|item| item.get(PHOTO_KEY)) else {
            return Ok(None);
        };
        // The index is behind the table: the photo may have been removed or overwritten since.
        let get = self.dynamodb.get_item().table_name(&self.table).key(PHOTO_KEY, key.clone());
        let get = get
            .consistent_read(true)
            .projection_expression(format!("{CONTENT_KEY}, #status"))
            .expression_attribute_names("#status", "status");
        let item = get.send().await.map_err(|error| explain(&error))?.item.unwrap_or_default();
        let content = item.get(CONTENT_KEY).and_then(|value| value.as_s().ok());
        let has_content = content.is_some_and(|content| content == content_key);
        let is_there = has_content && Stored::parse(&item).status == Some(Status::Ready);
        Ok(key.as_s().ok().filter(|_| is_there).cloned())
    }
}
