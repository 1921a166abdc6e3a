//! The queue of what failed for good.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::MessageAttributeValue;

use super::errors::{call_failure, causes, explain};
use crate::config::Config;
use crate::dead_letter::Letter;
use crate::failure::Failure;

/// The queue of what failed for good.
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

    /// Sends a dead letter and gives its message id.
    ///
    /// # Errors
    /// Transient: as long as the queue refuses the letter, the event must stay alive.
    pub async fn send(&self, letter: Letter) -> Result<String, Failure> {
        let failure = |cause| {
            let call = format!("SendMessage to {}", self.queue_url);
            call_failure("SqsCallFailed", &call, cause)
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
