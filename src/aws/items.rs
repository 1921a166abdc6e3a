//! The table of the photos' items.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use thiserror::Error;

use super::errors::{dynamodb_error, explain};
use crate::call_error::CallError;
use crate::config::Config;
use crate::item::{PHOTO_KEY, Stored, Update};

/// The table of the photos' items.
#[derive(Clone, Debug)]
pub struct Items {
    dynamodb: Client,
    table: String,
}

impl Items {
    pub(super) fn new(dynamodb: Client, config: &Config) -> Items {
        Items { dynamodb, table: config.photos_table.clone() }
    }

    pub(super) async fn connect(&self) {
        let _ = self.get("/").await;
    }

    /// Reads a photo's item as it stands after every finished write.
    ///
    /// # Errors
    /// A call that failed.
    pub async fn get(&self, photo_key: &str) -> Result<Option<Stored>, CallError> {
        let request = self
            .dynamodb
            .get_item()
            .table_name(&self.table)
            .key(PHOTO_KEY, AttributeValue::S(photo_key.to_owned()))
            .consistent_read(true);
        let output = request
            .send()
            .await
            .map_err(|error| dynamodb_error("GetItem", &self.table, photo_key, explain(&error)))?;
        Ok(output.item.as_ref().map(Stored::parse))
    }

    /// Commits a photo's item and gives the one that was there before.
    ///
    /// # Errors
    /// Why the item was not written: see [`CommitError`].
    pub async fn commit(
        &self,
        photo_key: &str,
        update: &Update,
    ) -> Result<Option<Stored>, CommitError> {
        let request = self
            .dynamodb
            .update_item()
            .table_name(&self.table)
            .key(PHOTO_KEY, AttributeValue::S(photo_key.to_owned()))
            .update_expression(&update.expression)
            .condition_expression(&update.condition)
            .set_expression_attribute_names(Some(update.names.clone()))
            .set_expression_attribute_values(Some(update.values.clone()))
            .return_values(ReturnValue::AllOld)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let error = match request.send().await {
            Ok(output) => return Ok(output.attributes.as_ref().map(Stored::parse)),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refusal)) => {
                // The SDK repeats a call whose answer was lost: then this very write stands in its way.
                // The item that was there before is not known any more, but this one names its renditions.
                let stored = refusal.item().map(Stored::parse);
                match stored.filter(|stored| stored.is_same_write(&update.written)) {
                    Some(own) => Ok(Some(own)),
                    None => Err(CommitError::Superseded),
                }
            }
            // DynamoDB's answer to an item that is too large, or to a value that no item can have
            // (DynamoDB API Reference, "Common Errors").
            Some(refusal) if refusal.code() == Some("ValidationException") => {
                let reason = refusal.message().unwrap_or("it gave no reason");
                Err(CommitError::Refused(reason.to_owned()))
            }
            Some(_) | None => {
                let cause = explain(&error);
                Err(dynamodb_error("UpdateItem", &self.table, photo_key, cause).into())
            }
        }
    }
}

/// Why an item was not written.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CommitError {
    /// The stored item does not allow it.
    #[error("the item is of a newer event, or of this one and done")]
    Superseded,
    /// DynamoDB does not take such an item, whoever writes it and however often.
    #[error("{0}")]
    Refused(String),
    /// The call failed in another way.
    #[error(transparent)]
    Call(#[from] CallError),
}
