//! What S3's events come wrapped in, and what is inside: records.
//!
//! The shapes: Amazon SNS Developer Guide, "Amazon SNS message and JSON formats"; AWS Lambda
//! Developer Guide, "Invoking Lambda functions with Amazon SNS notifications" and "Retaining records
//! of asynchronous invocations".

use serde_json::Value;

use super::{Record, UNKNOWN, batch, eventbridge, s3, text};

/// Envelopes within each other; AWS makes no more than three: Lambda sends a letter to an SNS topic
/// that a queue subscribes to, about an event that came by SNS.
const MAX_ENVELOPES: usize = 3;

/// The records of an event, out of all envelopes.
///
/// # Errors
/// What was expected instead, for people.
pub(super) fn open(payload: &Value) -> Result<Vec<Record>, String> {
    open_within(payload, 0)
}

fn open_within(payload: &Value, depth: usize) -> Result<Vec<Record>, String> {
    if let Some(Value::Array(records)) = payload.get("Records") {
        return Ok(records.iter().flat_map(|record| open_record(record, depth)).collect());
    }
    // What S3 sends when a notification is set up (S3 User Guide, "Event notification types").
    if text(payload, "Event") == Some("s3:TestEvent") {
        return Ok(vec![Record::Other("s3:TestEvent".to_owned())]);
    }
    if let Some(record) = eventbridge::read(payload) {
        return Ok(vec![record]);
    }
    if let Some(job) = batch::read(payload) {
        return Ok(job?.tasks.into_iter().map(|task| task.record).collect());
    }
    if text(payload, "Type") == Some("Notification") {
        return open_sns(payload, depth);
    }
    match (payload.get("requestContext"), payload.get("requestPayload")) {
        (Some(_), Some(event)) => open_letter(event, depth),
        _ => Err(UNKNOWN.to_owned()),
    }
}

/// One of a `Records` array: S3's own, or SNS's with a whole event inside.
fn open_record(record: &Value, depth: usize) -> Vec<Record> {
    if text(record, "EventSource") != Some("aws:sns") {
        return vec![s3::read(record)];
    }
    open_sns(&record["Sns"], depth)
        .unwrap_or_else(|reason| vec![Record::Unreadable { reason, payload: s3::alone(record) }])
}

fn open_sns(notification: &Value, depth: usize) -> Result<Vec<Record>, String> {
    let message = text(notification, "Message").ok_or("the SNS notification has no Message")?;
    let event = serde_json::from_str(message)
        .map_err(|error| format!("the SNS notification's Message is no JSON: {error}"))?;
    open_inner(&event, depth).map_err(|reason| format!("in an SNS notification, {reason}"))
}

/// The event that a dead letter is about. Ours has the beginning of its text where the whole is too
/// large for a message (`crate::dead_letter`).
fn open_letter(event: &Value, depth: usize) -> Result<Vec<Record>, String> {
    if event.is_string() {
        let reason = "the dead letter has only the beginning of its event (its requestPayload is a \
                      text), so the event cannot be tried again from it";
        return Err(reason.to_owned());
    }
    open_inner(event, depth).map_err(|reason| format!("in a dead letter, {reason}"))
}

fn open_inner(event: &Value, depth: usize) -> Result<Vec<Record>, String> {
    if depth == MAX_ENVELOPES {
        return Err(format!("there are more than {MAX_ENVELOPES} envelopes within each other"));
    }
    open_within(event, depth + 1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{created, in_sns, queue_of, sample};
    use super::super::{Change, Event, read};
    use super::*;

    fn notification(payload: &Value) -> Vec<Record> {
        match read(payload) {
            Ok(Event::Notification(records)) => records,
            other => panic!("{other:?}"),
        }
    }

    /// What the one message with this event as its body brings.
    fn in_queue(event: &Value) -> Result<Vec<Record>, String> {
        match read(&queue_of(&[&event.to_string()])) {
            Ok(Event::Queue(mut messages)) => messages.remove(0).records,
            other => panic!("{other:?}"),
        }
    }

    fn letter(event: &Value) -> Value {
        json!({"requestContext": {"condition": "RetriesExhausted"}, "requestPayload": event})
    }

    /// As SNS writes into a queue.
    fn sns_message(event: &Value) -> Value {
        json!({"Type": "Notification", "Message": event.to_string()})
    }

    fn put() -> Vec<Record> {
        vec![Record::Notice(Box::new(created("put")))]
    }

    #[test]
    fn what_sns_wraps_is_read_as_if_it_came_alone() {
        assert_eq!(notification(&sample("sns")), put());
        for name in ["put", "eventbridge-created", "eventbridge-deleted", "test-event", "batch-24"]
        {
            let alone = notification(&sample(name));
            assert_eq!(notification(&in_sns(&sample(name).to_string())), alone, "{name}");
            assert_eq!(in_queue(&sns_message(&sample(name))), Ok(alone), "{name}");
        }
    }

    #[test]
    fn records_of_several_senders_in_one_event_are_each_read_as_their_own() {
        let mut event = sample("sns");
        let unreadable = in_sns("no JSON")["Records"][0].clone();
        let records = event["Records"].as_array_mut().unwrap();
        records.insert(0, unreadable.clone());
        records.push(sample("delete")["Records"][0].clone());
        records.push(json!({"eventSource": "aws:kinesis", "eventName": "aws:kinesis:record"}));
        let records = notification(&event);
        let [Record::Unreadable { reason, payload }, created, Record::Notice(removed), other] =
            records.as_slice()
        else {
            panic!("{records:?}");
        };
        assert!(reason.contains("SNS"), "{reason}");
        assert_eq!(payload, &s3::alone(&unreadable));
        assert_eq!(created, &put()[0]);
        assert_eq!(removed.change, Change::Removed);
        assert_eq!(other, &Record::Other("aws:kinesis:record from aws:kinesis".to_owned()));
    }

    #[test]
    fn the_event_of_a_dead_letter_is_tried_again() {
        assert_eq!(in_queue(&letter(&sample("put"))), Ok(put()));
        assert_eq!(in_queue(&letter(&sample("sns"))), Ok(put()));
        let bridged = Record::Notice(Box::new(created("eventbridge-created")));
        assert_eq!(in_queue(&letter(&sample("eventbridge-created"))), Ok(vec![bridged]));
        let task = in_queue(&letter(&sample("batch-1.0"))).unwrap();
        assert!(matches!(task.as_slice(), [Record::Notice(_)]), "{task:?}");
    }

    #[test]
    fn a_letter_whose_event_was_cut_says_so() {
        let reason = in_queue(&letter(&json!("{\"Records\":[{\"eventVer"))).unwrap_err();
        assert!(reason.contains("only the beginning of its event"), "{reason}");
    }

    #[test]
    fn a_letter_about_an_unknown_event_says_what_was_expected() {
        for event in [sample("broken"), Value::Null, json!({})] {
            let reason = in_queue(&letter(&event)).unwrap_err();
            assert!(reason.contains("in a dead letter, the event is none"), "{reason}");
        }
    }

    #[test]
    fn as_many_envelopes_are_opened_as_aws_makes_and_no_more() {
        let most = sns_message(&letter(&sample("sns")));
        assert_eq!(in_queue(&most), Ok(put()));
        let mut letters = sample("put");
        for _ in 0..4 {
            letters = letter(&letters);
        }
        let reason = in_queue(&letters).unwrap_err();
        assert!(reason.contains("more than 3 envelopes"), "{reason}");
        let records = in_queue(&letter(&most)).unwrap();
        assert!(matches!(records.as_slice(), [Record::Unreadable { .. }]), "{records:?}");
    }

    #[test]
    fn a_batch_of_sqs_is_not_looked_for_in_a_dead_letter() {
        let records = in_queue(&letter(&sample("sqs"))).unwrap();
        let is_unreadable = |record: &Record| matches!(record, Record::Unreadable { .. });
        assert!(records.iter().all(is_unreadable), "{records:?}");
    }
}
