//! A batch of SQS messages (AWS Lambda Developer Guide, "Using Lambda with Amazon SQS").

use serde_json::{Value, json};

use super::{Record, envelope, text};

/// An SQS message: one event of S3, in whatever it is wrapped.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Message ID, by which Lambda is told that the message failed. It is empty where the message came
    /// without one: Lambda takes an empty identifier for a failure of the whole batch, so even then
    /// nothing is lost.
    pub id: String,
    /// The records in the message, or why there are none, for people.
    pub records: Result<Vec<Record>, String>,
    /// Its content.
    pub body: Value,
    /// Name of its queue, if it is said.
    pub queue: Option<String>,
    /// How often the message was received, this time included, if it is said.
    pub receives: Option<u32>,
}

/// `None` if the payload is no batch of SQS.
pub(super) fn read(payload: &Value) -> Option<Vec<Message>> {
    let records = payload.get("Records")?.as_array()?;
    records.iter().any(is_message).then(|| records.iter().map(read_message).collect())
}

fn is_message(record: &Value) -> bool {
    text(record, "eventSource") == Some("aws:sqs")
}

fn read_message(record: &Value) -> Message {
    let records = if is_message(record) {
        read_body(record)
    } else {
        envelope::open(&json!({"Records": [record]}))
    };
    let queue = text(record, "eventSourceARN").and_then(|arn| arn.rsplit(':').next());
    let receives = record.get("attributes").and_then(|all| text(all, "ApproximateReceiveCount"));
    Message {
        id: text(record, "messageId").unwrap_or_default().to_owned(),
        records,
        body: record.get("body").cloned().unwrap_or_default(),
        queue: queue.map(str::to_owned),
        receives: receives.and_then(|count| count.parse().ok()),
    }
}

fn read_body(message: &Value) -> Result<Vec<Record>, String> {
    let body = text(message, "body").ok_or("the SQS message has no body")?;
    let event = serde_json::from_str(body)
        .map_err(|error| format!("the SQS message's body is no JSON: {error}"))?;
    envelope::open(&event).map_err(|reason| format!("in an SQS message, {reason}"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{created, queue_of, sample};
    use super::super::{Event, read as read_event};
    use super::*;

    fn messages(payload: &Value) -> Vec<Message> {
        match read_event(payload) {
            Ok(Event::Queue(messages)) => messages,
            other => panic!("{other:?}"),
        }
    }

    fn put() -> Record {
        Record::Notice(Box::new(created("put")))
    }

    #[test]
    fn each_message_brings_its_own_event() {
        let messages = messages(&sample("sqs"));
        let [first, second] = messages.as_slice() else { panic!("{messages:?}") };
        assert_eq!(first.id, "059f36b4-87a3-44ab-83d2-661975830a7d");
        assert_eq!(first.queue.as_deref(), Some("photos"));
        assert_eq!(first.receives, Some(1));
        assert_eq!(first.records, Ok(vec![put()]));
        assert_eq!(second.id, "2e1424d4-f796-459a-8184-9c92662be6da");
        let Ok([Record::Notice(created)]) = second.records.as_deref() else {
            panic!("{second:?}");
        };
        assert_eq!(created.key, "tokyo/01.jpg");
        assert_eq!(created.payload["detail-type"], "Object Created");
    }

    #[test]
    fn an_sns_notification_and_a_dead_letter_are_opened() {
        for name in ["sqs-sns", "sqs-dead-letter"] {
            let messages = messages(&sample(name));
            let [message] = messages.as_slice() else { panic!("{messages:?}") };
            assert_eq!(message.records, Ok(vec![put()]), "{name}");
        }
    }

    #[test]
    fn an_unreadable_message_hides_no_other() {
        let good = sample("put").to_string();
        let mut payload = queue_of(&["", "no JSON", "{}", "[7]", "\"text\"", "null", &good]);
        payload["Records"][0]["body"] = Value::Null;
        let messages = messages(&payload);
        let (last, unreadable) = messages.split_last().unwrap();
        assert_eq!(last.records, Ok(vec![put()]));
        for (n, message) in unreadable.iter().enumerate() {
            assert_eq!(message.id, format!("message-{n}"));
            let reason = message.records.as_ref().unwrap_err();
            assert!(reason.contains("SQS message"), "{reason}");
        }
    }

    #[test]
    fn another_services_record_among_messages_is_read_as_its_own() {
        let mut payload = queue_of(&["no JSON"]);
        let record = sample("put")["Records"][0].clone();
        payload["Records"].as_array_mut().unwrap().push(record);
        let messages = messages(&payload);
        let [message, record] = messages.as_slice() else { panic!("{messages:?}") };
        assert!(message.records.is_err());
        assert_eq!((record.id.as_str(), &record.records), ("", &Ok(vec![put()])));
    }
}
