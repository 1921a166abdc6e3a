//! The dead letter about a photo that can never have renditions, or that a queue gives no other try.
//!
//! It has the shape of the record that Lambda itself sends to an OnFailure destination (Lambda
//! Developer Guide, "Retaining records of asynchronous invocations"), so that the queue holds messages of
//! one shape only.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::disposition::{Rejection, Retry};

/// Largest body of a letter in bytes. Every SQS queue takes a message of 256 KiB (new queues allow
/// 1 MiB), of which the attributes need up to 4 KiB.
pub const MAX_BYTES: usize = 252 * 1024;
/// Largest part of an event that is kept where the whole is too large, in bytes. The rest of the letter
/// needs far less than the other half.
const MAX_CUT_PAYLOAD: usize = MAX_BYTES / 2;

/// Where a rejected photo is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// A dead letter that the function sends.
    DeadLetterQueue,
    /// The message that brought it, of this ID, which stays in its queue.
    SourceQueue(String),
    /// The report of the job that it was a task of.
    JobReport,
}

/// The invocation that writes a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// Request ID of the invocation.
    pub request_id: String,
    /// ARN of the function.
    pub function_arn: String,
    /// Version of the function: `$LATEST` or a number.
    pub function_version: String,
}

/// Why an event is kept in a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Stable name, such as `UnsupportedFormat`.
    error_type: &'static str,
    /// The text for people.
    message: String,
    /// Lambda's word for the kind of reason.
    condition: &'static str,
}

impl From<&Rejection> for Reason {
    fn from(why: &Rejection) -> Reason {
        Reason { error_type: why.name(), message: why.message(), condition: "NotRetryable" }
    }
}

impl From<&Retry> for Reason {
    fn from(why: &Retry) -> Reason {
        Reason { error_type: why.name(), message: why.message(), condition: "RetriesExhausted" }
    }
}

/// A message for the dead-letter queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The JSON text.
    pub body: String,
    /// The message attribute `ErrorType`.
    pub error_type: &'static str,
    /// The message attribute `PhotoKey`, if the photo is known.
    pub photo_key: Option<String>,
}

impl DeadLetter {
    /// A letter about an event, or about the part of it that speaks of one photo. The event is cut where it
    /// is too large for a message.
    pub fn about(
        payload: &Value,
        photo_key: Option<&str>,
        reason: impl Into<Reason>,
        invocation: &Invocation,
        now: DateTime<Utc>,
    ) -> DeadLetter {
        let reason = &reason.into();
        let body = body(payload, reason, invocation, now);
        let body = if body.len() <= MAX_BYTES {
            body
        } else {
            body_of_cut(payload, reason, invocation, now)
        };
        let photo_key = photo_key.map(attribute_text);
        DeadLetter { body, error_type: reason.error_type, photo_key }
    }
}

fn body(payload: &Value, reason: &Reason, invocation: &Invocation, now: DateTime<Utc>) -> String {
    json!({
        "version": "1.0",
        "timestamp": now.to_rfc3339_opts(SecondsFormat::Millis, true),
        "requestContext": {
            "requestId": invocation.request_id,
            "functionArn": invocation.function_arn,
            "condition": reason.condition,
            "approximateInvokeCount": 1,
        },
        "requestPayload": payload,
        "responseContext": {
            "statusCode": 200,
            "executedVersion": invocation.function_version,
            "functionError": "Handled",
        },
        "responsePayload": {
            "errorType": reason.error_type,
            "errorMessage": reason.message,
        },
    })
    .to_string()
    // Only texts can hold these two, so the JSON means the same. JSON itself escapes the other characters
    // that SQS does not take.
    .replace('\u{FFFE}', "\\ufffe")
    .replace('\u{FFFF}', "\\uffff")
}

/// A letter whose payload is the beginning of the event's text. The quotes in it are escaped once
/// more, so it is shortened until the whole fits.
fn body_of_cut(
    payload: &Value,
    reason: &Reason,
    invocation: &Invocation,
    now: DateTime<Utc>,
) -> String {
    let text = payload.to_string();
    let mut length = MAX_CUT_PAYLOAD;
    loop {
        let cut = Value::from(&text[..text.floor_char_boundary(length)]);
        let body = body(&cut, reason, invocation, now);
        if body.len() <= MAX_BYTES || length == 0 {
            return body;
        }
        length /= 2;
    }
}

/// A text without the characters that an attribute can neither hold nor escape.
fn attribute_text(text: &str) -> String {
    text.chars().map(|c| if is_taken_by_sqs(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

/// SQS takes the characters of XML 1.0, in a message as in its attributes (SQS API, SendMessage).
fn is_taken_by_sqs(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use photo::PhotoError;

    use super::*;

    fn invocation() -> Invocation {
        Invocation {
            request_id: "request-1".into(),
            function_arn: "arn:aws:lambda:us-east-1:000000000000:function:thumbnail".into(),
            function_version: "$LATEST".into(),
        }
    }

    fn empty_photo() -> Rejection {
        Rejection::Photo(PhotoError::Empty)
    }

    #[test]
    fn a_letter_has_the_shape_of_lambdas_own() {
        let record =
            json!({"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "a+b.jpg"}}});
        let payload = json!({"Records": [record]});
        let letter = DeadLetter::about(
            &payload,
            Some("a b.jpg"),
            &empty_photo(),
            &invocation(),
            DateTime::UNIX_EPOCH,
        );
        assert_eq!(
            (letter.error_type, letter.photo_key.as_deref()),
            ("EmptyPhoto", Some("a b.jpg"))
        );
        let body: Value = serde_json::from_str(&letter.body).unwrap();
        assert_eq!(
            body,
            json!({
                "version": "1.0",
                "timestamp": "1970-01-01T00:00:00.000Z",
                "requestContext": {
                    "requestId": "request-1",
                    "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:thumbnail",
                    "condition": "NotRetryable",
                    "approximateInvokeCount": 1
                },
                "requestPayload": payload,
                "responseContext": {
                    "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Handled"
                },
                "responsePayload": {"errorType": "EmptyPhoto", "errorMessage": PhotoError::Empty.to_string()}
            })
        );
    }

    #[test]
    fn a_letter_about_an_event_without_another_try_says_so() {
        let (closing, now) = (Retry::Closing, DateTime::UNIX_EPOCH);
        let letter = DeadLetter::about(&json!({}), None, &closing, &invocation(), now);
        let body: Value = serde_json::from_str(&letter.body).unwrap();
        assert_eq!(body["requestContext"]["condition"], "RetriesExhausted");
        assert_eq!(body["responsePayload"]["errorType"], "Closing");
        assert_eq!(letter.error_type, "Closing");
    }

    #[test]
    fn an_event_too_large_for_a_message_is_cut() {
        // The third is cut in the middle of a character.
        for filler in ["x", "\"", "봄"] {
            let payload = json!({"fillers": filler.repeat(MAX_BYTES)});
            let now = DateTime::UNIX_EPOCH;
            let letter = DeadLetter::about(&payload, None, &empty_photo(), &invocation(), now);
            assert!(letter.body.len() <= 258_048, "{} bytes", letter.body.len());
            let body: Value = serde_json::from_str(&letter.body).unwrap();
            assert!(body["requestPayload"].as_str().unwrap().starts_with("{\"fillers\":"));
        }
    }

    #[test]
    fn a_letter_holds_every_character_of_its_event_in_those_that_sqs_takes() {
        let every: String = ('\0'..=char::MAX).filter(|c| !c.is_ascii_alphanumeric()).collect();
        for text in every.chars().collect::<Vec<_>>().chunks(20_000) {
            let text: String = text.iter().collect();
            let payload = json!({"detail": {"object": {"key": text}}});
            let quote = &text[..text.floor_char_boundary(100)];
            let reason = Rejection::Photo(PhotoError::Corrupt(quote.to_owned()));
            let now = DateTime::UNIX_EPOCH;
            let letter = DeadLetter::about(&payload, Some(&text), &reason, &invocation(), now);
            assert_eq!(letter.body.chars().find(|c| !is_taken_by_sqs(*c)), None);
            assert_eq!(letter.photo_key.unwrap().chars().find(|c| !is_taken_by_sqs(*c)), None);
            let body: Value = serde_json::from_str(&letter.body).unwrap();
            assert_eq!(body["requestPayload"], payload);
            assert_eq!(body["responsePayload"]["errorMessage"], reason.message());
        }
    }

    #[test]
    fn characters_that_sqs_refuses_are_replaced_in_the_attribute() {
        let (key, now) = (Some("a\u{1}.jpg"), DateTime::UNIX_EPOCH);
        let letter = DeadLetter::about(&json!({}), key, &empty_photo(), &invocation(), now);
        assert_eq!(letter.photo_key.as_deref(), Some("a\u{FFFD}.jpg"));
        assert_eq!(attribute_text("봄 \u{0}\u{1B}\u{FFFE}\t🌸"), "봄 \u{FFFD}\u{FFFD}\u{FFFD}\t🌸");
    }
}
