//! What S3 says, in every way in which AWS delivers it: any payload in, notices about objects out, and
//! the answer that the payload's sender understands.
//!
//! [`read`] is the way in; [`Protocol::reply`] is the way out.
//!
//! | file | what it reads or writes |
//! |---|---|
//! | `queue` | a batch of SQS messages |
//! | `batch` | an invocation by S3 Batch Operations |
//! | `envelope` | all other payloads: it opens SNS notifications and dead letters and hands their content on |
//! | `s3` | a record of S3's own notification |
//! | `eventbridge` | S3's event by way of EventBridge |
//! | `notice` | what all of these say of an object |
//! | `key` | the object's key, decoded there and nowhere else |
//! | `sequencer` | the order of the events of one key |
//! | `reply` | the answer to each sender |

mod batch;
mod envelope;
mod eventbridge;
mod key;
mod notice;
mod queue;
mod reply;
mod s3;
mod sequencer;

use serde_json::Value;

pub use batch::{Job, Task};
pub use notice::{Change, Notice};
pub use queue::Message;
pub use reply::{Delivery, Protocol, Queues, Receipt, TaskResult};
pub use sequencer::Sequencer;

/// What is said of a payload that is no event of S3.
const UNKNOWN: &str = "the event is none that this function knows: it expects an S3 notification \
    {\"Records\": [...]}, alone or inside an SNS notification, an EventBridge event of S3, an SQS \
    batch of these or of dead letters, or an invocation by S3 Batch Operations, as the samples in \
    events/ show";

/// An event, by its sender.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// S3's notification, also wrapped by SNS, an event by way of EventBridge, or `s3:TestEvent`.
    Notification(Vec<Record>),
    /// A batch of SQS messages.
    Queue(Vec<Message>),
    /// An invocation by S3 Batch Operations.
    Job(Job),
}

/// One part of an event that may have several.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// An object was created or removed.
    Notice(Box<Notice>),
    /// An event of another kind, with the name of that kind.
    Other(String),
    /// An event of no known shape, inside another one.
    Unknown {
        /// What was expected instead.
        reason: String,
        /// The event, as [`Notice::payload`].
        payload: Value,
    },
    /// A record without what an event about an object must have.
    Unreadable {
        /// What is wrong with it.
        reason: String,
        /// The event of this record alone, as [`Notice::payload`].
        payload: Value,
    },
}

/// What a payload says, or what was expected instead of it.
///
/// # Errors
/// A message for people if the payload is no event of S3.
pub fn read(payload: &Value) -> Result<Event, String> {
    if let Some(messages) = queue::read(payload) {
        return Ok(Event::Queue(messages));
    }
    if let Some(job) = batch::read(payload) {
        return job.map(Event::Job);
    }
    envelope::open(payload).map(Event::Notification)
}

/// A field's text, if it is one.
fn text<'a>(object: &'a Value, field: &str) -> Option<&'a str> {
    object.get(field)?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SAMPLES: [&str; 20] = [
        "batch-1.0",
        "batch-2.0",
        "batch-24",
        "broken",
        "copy",
        "delete",
        "delete-marker",
        "eventbridge-created",
        "eventbridge-deleted",
        "lifecycle-expiration",
        "multipart",
        "overwrite",
        "post",
        "put",
        "put-special-key",
        "sns",
        "sqs",
        "sqs-dead-letter",
        "sqs-sns",
        "test-event",
    ];

    /// A sample in events/.
    pub(super) fn sample(name: &str) -> Value {
        let path = format!("{}/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        serde_json::from_str(&text).unwrap()
    }

    /// The one record of a sample.
    fn record(name: &str) -> Record {
        match read(&sample(name)) {
            Ok(Event::Notification(mut records)) if records.len() == 1 => records.remove(0),
            other => panic!("{name}: {other:?}"),
        }
    }

    /// The one object that a sample says was created.
    pub(super) fn created(name: &str) -> Notice {
        notice(name, Change::Created)
    }

    /// The one object that a sample says was removed.
    pub(super) fn removed(name: &str) -> Notice {
        notice(name, Change::Removed)
    }

    fn notice(name: &str, change: Change) -> Notice {
        let Record::Notice(notice) = record(name) else { panic!("{name}: {:?}", record(name)) };
        assert_eq!(notice.change, change, "{name}");
        *notice
    }

    /// An SQS batch with these bodies.
    pub(super) fn queue_of(bodies: &[&str]) -> Value {
        let messages = bodies.iter().enumerate().map(|(n, body)| {
            let id = format!("message-{n}");
            json!({"eventSource": "aws:sqs", "messageId": id, "body": body})
        });
        json!({"Records": messages.collect::<Vec<Value>>()})
    }

    /// The event inside an SNS notification, as Lambda delivers it.
    pub(super) fn in_sns(message: &str) -> Value {
        json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message}}]})
    }

    #[test]
    fn a_test_event_is_other_news() {
        assert_eq!(record("test-event"), Record::Other("s3:TestEvent".to_owned()));
    }

    #[test]
    fn an_event_without_records_is_no_news() {
        assert_eq!(read(&json!({"Records": []})), Ok(Event::Notification(vec![])));
    }

    #[test]
    fn an_unknown_event_is_refused_with_what_was_expected() {
        let message = read(&sample("broken")).unwrap_err();
        for expected in ["expects an S3 notification", "EventBridge", "SQS", "S3 Batch Operations"]
        {
            assert!(message.contains(expected), "{message}");
        }
        for payload in ["null", "[]", "{}", "\"text\"", "{\"Records\": {}}", "7"] {
            assert!(read(&serde_json::from_str(payload).unwrap()).is_err(), "{payload}");
        }
    }

    #[test]
    fn every_sample_but_the_broken_one_is_understood() {
        for name in SAMPLES {
            let records = match read(&sample(name)) {
                Ok(Event::Notification(records)) => records,
                Ok(Event::Queue(messages)) => {
                    messages.into_iter().flat_map(|message| message.records.unwrap()).collect()
                }
                Ok(Event::Job(job)) => job.tasks.into_iter().map(|task| task.record).collect(),
                Err(_) if name == "broken" => continue,
                Err(reason) => panic!("{name}: {reason}"),
            };
            let is_unreadable = |record: &Record| matches!(record, Record::Unreadable { .. });
            assert!(
                !records.is_empty() && !records.iter().any(is_unreadable),
                "{name}: {records:?}"
            );
        }
    }

    #[test]
    fn no_sample_is_missing_here() {
        let folder = format!("{}/events", env!("CARGO_MANIFEST_DIR"));
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .map(|name| name.trim_end_matches(".json").to_owned())
            .collect();
        names.sort();
        assert_eq!(names, SAMPLES);
    }

    /// The event of one object is what a dead letter brings back.
    #[test]
    fn an_objects_own_payload_is_read_as_the_same_object() {
        for name in ["put", "eventbridge-created", "sns"] {
            let created = created(name);
            let Ok(Event::Notification(records)) = read(&created.payload) else {
                panic!("{name}");
            };
            assert_eq!(records, [Record::Notice(Box::new(created))]);
        }
    }

    /// Reads the payload alone, in a message and in a notification: nothing may panic, and no message
    /// or task may be lost.
    fn survive(payload: &Value) {
        let wrapped = payload.to_string();
        let ways = [payload, &queue_of(&[&wrapped, "{\"Records\": []}"]), &in_sns(&wrapped)];
        for payload in ways {
            match read(payload) {
                Ok(Event::Queue(messages)) => {
                    assert_eq!(messages.len(), payload["Records"].as_array().unwrap().len());
                }
                Ok(Event::Job(job)) => {
                    assert_eq!(job.tasks.len(), payload["tasks"].as_array().unwrap().len());
                }
                Ok(Event::Notification(_)) => {}
                Err(reason) => assert!(!reason.is_empty()),
            }
        }
    }

    /// The ways to every value within `value`, as JSON pointers.
    fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
        let mut go_on = |name: &str, inner: &Value| {
            let inner_at = format!("{at}/{name}");
            all.push(inner_at.clone());
            pointers(inner, &inner_at, all);
        };
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, inner)| go_on(name, inner)),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(n, inner)| go_on(&n.to_string(), inner));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn without(payload: &Value, pointer: &str) -> Value {
        let mut payload = payload.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = payload.pointer_mut(parent).unwrap();
        if let Some(items) = parent.as_array_mut() {
            items.remove(name.parse().unwrap());
        } else {
            parent.as_object_mut().unwrap().shift_remove(name);
        }
        payload
    }

    fn with(payload: &Value, pointer: &str, value: Value) -> Value {
        let mut payload = payload.clone();
        *payload.pointer_mut(pointer).unwrap() = value;
        payload
    }

    /// All samples but the one of 24 records, each of which is the put sample's.
    fn short_samples() -> impl Iterator<Item = Value> {
        SAMPLES.into_iter().filter(|name| *name != "batch-24").map(sample)
    }

    #[test]
    fn a_field_removed_or_of_another_type_never_panics() {
        for payload in short_samples() {
            let mut fields = Vec::new();
            pointers(&payload, "", &mut fields);
            for field in fields {
                survive(&without(&payload, &field));
                for value in [json!(null), json!(-1.5), json!(""), json!([]), json!({"Records": 7})]
                {
                    survive(&with(&payload, &field, value));
                }
            }
        }
    }

    #[test]
    fn the_beginning_of_an_event_in_a_message_is_unreadable_and_hides_no_other() {
        for payload in short_samples() {
            let text = payload.to_string();
            for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
                let Ok(Event::Queue(messages)) =
                    read(&queue_of(&[&text[..end], "{\"Records\": []}"]))
                else {
                    panic!("{}", &text[..end]);
                };
                let results: Vec<bool> = messages.iter().map(|m| m.records.is_ok()).collect();
                assert_eq!(results, [false, true], "{}", &text[..end]);
            }
        }
    }
}
