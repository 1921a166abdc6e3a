//! The queue of the dead letters.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::MessageAttributeValue;

use super::errors::{causes, explain};
use crate::call_error::{CallError, Service};
use crate::config::Config;
use crate::dead_letter::DeadLetter;

/// The queue of the dead letters.
#[derive(Clone, Debug)]
pub struct DeadLetters {
    sqs: Client,
    queue_url: String,
}

impl DeadLetters {
    pub(super) fn new(sqs: Client, config: &Config) -> DeadLetters {
        DeadLetters { sqs, queue_url: config.dead_letter_queue_url.clone() }
    }

    pub(super) async fn connect(&self) {
        let _ = self.sqs.get_queue_attributes().queue_url(&self.queue_url).send().await;
    }

    /// Sends a dead letter and gives its message ID.
    ///
    /// # Errors
    /// Every refusal: the event must stay alive as long as the queue does not take the letter.
    pub async fn send(&self, letter: DeadLetter) -> Result<String, CallError> {
        let failure = |cause| {
            let call = format!("SendMessage to {}", self.queue_url);
            CallError { service: Service::Sqs, call, cause }
        };
        let mut request =
            self.sqs.send_message().queue_url(&self.queue_url).message_body(letter.body);
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
