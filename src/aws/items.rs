//! The table of what is known of the photos.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};

use super::errors::{dynamodb_failure, explain};
use crate::config::Config;
use crate::failure::Failure;
use crate::item::{PHOTO_KEY, Stored, Update};

/// The table of what is known of the photos.
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
    /// Transient.
    pub async fn get(&self, photo_key: &str) -> Result<Option<Stored>, Failure> {
        let request = self
            .dynamodb
            .get_item()
            .table_name(&self.table)
            .key(PHOTO_KEY, AttributeValue::S(photo_key.to_owned()))
            .consistent_read(true);
        let output = request.send().await.map_err(|error| {
            dynamodb_failure("GetItem", &self.table, photo_key, explain(&error))
        })?;
        Ok(output.item.as_ref().map(Stored::parse))
    }

    /// Commits a photo's item.
    ///
    /// # Errors
    /// Superseded if the item is newer, permanent if DynamoDB does not take such an item, transient
    /// otherwise.
    pub async fn commit(&self, photo_key: &str, update: Update) -> Result<(), Failure> {
        let request = self
            .dynamodb
            .update_item()
            .table_name(&self.table)
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
            _ => Err(dynamodb_failure("UpdateItem", &self.table, photo_key, explain(&error))),
        }
    }
}
