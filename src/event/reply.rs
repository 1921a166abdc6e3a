//! The answer to each sender of an event.
//!
//! Notifications: Lambda sends an event again whose invocation ends in an error. Queues: AWS Lambda
//! Developer Guide, "Handling errors for an SQS event source in Lambda". Jobs: Amazon S3 User Guide,
//! "Invoke AWS Lambda function".

use serde_json::{Value, json};

use super::{Event, Job, Message, Record};
use crate::dead_letter::OnFailure;
use crate::disposition::{Disposition, Retry};

/// A record of an event, and where it is kept if it is rejected.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// The record.
    pub record: Record,
    /// Where it is kept.
    pub on_failure: OnFailure,
    /// The message that brought it, if it came by a queue.
    pub message: Option<Receipt>,
}

/// A message, as one of its records sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its ID.
    pub id: String,
    /// Whether its queue gives it no other try.
    pub is_last: bool,
}

/// What the settings say of queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queues<'a> {
    /// Name of the queue of the dead letters, which stay in it until they are done.
    pub dead_letters: &'a str,
    /// How often another queue gives a message, if it is known.
    pub max_receives: Option<u32>,
}

/// The protocol in which an event's sender expects its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Nothing, or an error that makes Lambda send all of the event again.
    Notification,
    /// The messages that failed, so that no others are sent again.
    Queue,
    /// A result for each task of the job.
    Job {
        /// Version of the request's schema.
        schema_version: String,
        /// Invocation ID of the request.
        invocation_id: String,
        /// Task ID of each record.
        task_ids: Vec<String>,
    },
}

/// The result of a task of S3 Batch Operations, in its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskResult {
    /// The task is done.
    Succeeded,
    /// The job tries the task again.
    TemporaryFailure,
    /// The job's report counts the task as failed.
    PermanentFailure,
}

impl Event {
    /// The records of the event, each with where it is kept, and how the event is answered.
    pub fn open(self, queues: Queues<'_>) -> (Vec<Delivery>, Protocol) {
        match self {
            Event::Notification(records) => {
                let deliveries = deliver(records, &OnFailure::DeadLetterQueue, None);
                (deliveries, Protocol::Notification)
            }
            Event::Queue(messages) => {
                let deliveries = messages.into_iter().flat_map(|message| queues.open(message));
                (deliveries.collect(), Protocol::Queue)
            }
            Event::Job(Job { schema_version, invocation_id, tasks }) => {
                let task_ids = tasks.iter().map(|task| task.id.clone()).collect();
                let records = tasks.into_iter().map(|task| task.record).collect();
                let deliveries = deliver(records, &OnFailure::JobReport, None);
                (deliveries, Protocol::Job { schema_version, invocation_id, task_ids })
            }
        }
    }
}

impl Queues<'_> {
    /// The records of a message. A dead letter is kept by its own queue. What a delivery queue brings is kept as a
    /// dead letter: the queue would keep the message without the reason.
    fn open(self, message: Message) -> Vec<Delivery> {
        let Message { id, records, body, queue, receives } = message;
        let is_delivery = queue.is_some_and(|queue| queue != self.dead_letters);
        let is_spent = receives.zip(self.max_receives).is_some_and(|(n, most)| n >= most);
        let on_failure = match is_delivery {
            true => OnFailure::DeadLetterQueue,
            false => OnFailure::SourceQueue(id.clone()),
        };
        let unknown = |reason| vec![Record::Unknown { reason, payload: body }];
        let receipt = Receipt { id, is_last: is_delivery && is_spent };
        deliver(records.unwrap_or_else(unknown), &on_failure, Some(receipt))
    }
}

fn deliver(
    records: Vec<Record>,
    on_failure: &OnFailure,
    message: Option<Receipt>,
) -> Vec<Delivery> {
    let deliver =
        |record| Delivery { record, on_failure: on_failure.clone(), message: message.clone() };
    records.into_iter().map(deliver).collect()
}

impl Protocol {
    /// The answer that says how each record ended, in the order of the records.
    ///
    /// # Errors
    /// The error of a notification with records that must be tried again.
    pub fn reply(
        &self,
        deliveries: &[Delivery],
        dispositions: Vec<Disposition>,
    ) -> Result<Value, Retry> {
        match self {
            Protocol::Notification => {
                let photos = dispositions.len();
                let reasons = dispositions.into_iter().filter_map(Disposition::into_retry);
                Retry::several(reasons.collect(), photos).map_or(Ok(Value::Null), Err)
            }
            Protocol::Queue => Ok(queue_reply(deliveries, &dispositions)),
            Protocol::Job { schema_version, invocation_id, task_ids } => Ok(json!({
                "invocationSchemaVersion": schema_version,
                "treatMissingKeysAs": TaskResult::PermanentFailure.code(),
                "invocationId": invocation_id,
                "results": task_results(task_ids, &dispositions),
            })),
        }
    }
}

fn queue_reply(deliveries: &[Delivery], dispositions: &[Disposition]) -> Value {
    let mut failed: Vec<&str> = Vec::new();
    for (delivery, disposition) in deliveries.iter().zip(dispositions) {
        let Some(Receipt { id, .. }) = &delivery.message else { continue };
        let stays = match (TaskResult::of(disposition), &delivery.on_failure) {
            (TaskResult::Succeeded, _) => false,
            // A dead letter keeps it.
            (TaskResult::PermanentFailure, OnFailure::DeadLetterQueue) => false,
            (TaskResult::PermanentFailure | TaskResult::TemporaryFailure, _) => true,
        };
        if stays && !failed.contains(&id.as_str()) {
            failed.push(id);
        }
    }
    let failures: Vec<Value> = failed.iter().map(|id| json!({"itemIdentifier": id})).collect();
    json!({"batchItemFailures": failures})
}

fn task_results(task_ids: &[String], dispositions: &[Disposition]) -> Vec<Value> {
    let result = |(id, disposition): (&String, &Disposition)| {
        let reason = disposition.summary().reason;
        let text = reason.map(|(name, text)| format!("{name}: {text}")).unwrap_or_default();
        let code = TaskResult::of(disposition).code();
        json!({"taskId": id, "resultCode": code, "resultString": text})
    };
    task_ids.iter().zip(dispositions).map(result).collect()
}

impl TaskResult {
    /// What a disposition means to a sender.
    fn of(disposition: &Disposition) -> TaskResult {
        match disposition {
            Disposition::Ready
            | Disposition::Removed
            | Disposition::Ignored(_)
            | Disposition::Superseded(_) => TaskResult::Succeeded,
            Disposition::Rejected(_) | Disposition::GivenUp(_) => TaskResult::PermanentFailure,
            Disposition::Retry(_) => TaskResult::TemporaryFailure,
        }
    }

    fn code(self) -> &'static str {
        match self {
            TaskResult::Succeeded => "Succeeded",
            TaskResult::TemporaryFailure => "TemporaryFailure",
            TaskResult::PermanentFailure => "PermanentFailure",
        }
    }
}

#[cfg(test)]
mod tests {
    use photo::PhotoError;

    use super::super::read;
    use super::super::tests::{queue_of, sample};
    use super::*;
    use crate::disposition::{Ignored, Rejection, Superseded};

    /// An event of three photos from each sender.
    fn three(name: &str) -> Value {
        let mut payload = sample(name);
        let (list, id) = match payload.get("tasks") {
            Some(_) => ("tasks", "taskId"),
            None => ("Records", "messageId"),
        };
        let first = payload[list][0].clone();
        let others = ["second", "third"].map(|text| {
            let mut other = first.clone();
            other[id] = text.into();
            other
        });
        payload[list] = [vec![first], others.to_vec()].concat().into();
        payload
    }

    const QUEUES: Queues<'_> =
        Queues { dead_letters: "photos-dead-letters", max_receives: Some(5) };

    fn reply(payload: &Value, dispositions: &[Disposition]) -> Result<Value, Retry> {
        let (deliveries, protocol) = read(payload).unwrap().open(QUEUES);
        assert_eq!(deliveries.len(), dispositions.len(), "{deliveries:?}");
        protocol.reply(&deliveries, dispositions.to_vec())
    }

    fn closing() -> Disposition {
        Disposition::Retry(Retry::Closing)
    }

    fn empty_photo() -> Disposition {
        Disposition::Rejected(Rejection::Photo(PhotoError::Empty))
    }

    fn finished() -> [Disposition; 4] {
        [
            Disposition::Ready,
            Disposition::Removed,
            Disposition::Ignored(Ignored::Folder),
            Disposition::Superseded(Superseded::NewerItem),
        ]
    }

    #[test]
    fn a_notification_fails_only_for_what_another_try_may_help() {
        let put = three("put");
        for done in finished() {
            let reply = reply(&put, &[done.clone(), empty_photo(), done]);
            assert_eq!(reply, Ok(Value::Null));
        }
        let error = reply(&put, &[Disposition::Ready, closing(), empty_photo()]).unwrap_err();
        assert!(error.to_string().starts_with("1 of the event's 3 photos"), "{error}");
    }

    #[test]
    fn a_job_has_a_result_for_each_task_under_its_own_names() {
        for done in finished() {
            let text = match done.summary().reason {
                Some((name, text)) => format!("{name}: {text}"),
                None => String::new(),
            };
            let reply = reply(&three("batch-2.0"), &[done, closing(), empty_photo()]);
            let result = |id, code, text: &str| json!({"taskId": id, "resultCode": code, "resultString": text});
            assert_eq!(
                reply.unwrap(),
                json!({
                    "invocationSchemaVersion": "2.0",
                    "treatMissingKeysAs": "PermanentFailure",
                    "invocationId": "YXNkbGZqYWRmaiBhc2RmdW9hZHNmZGpmaGFzbGtkaGZza2RmaAo",
                    "results": [
                        result("dGFza2lkZ29lc2hlcmUK", "Succeeded", text.as_str()),
                        result("second", "TemporaryFailure", "Closing: the function is ending"),
                        result("third", "PermanentFailure", &format!("EmptyPhoto: {}", PhotoError::Empty)),
                    ],
                })
            );
        }
    }

    #[test]
    fn only_the_messages_that_failed_stay_in_the_queue_and_each_is_named_once() {
        let put = sample("put").to_string();
        let both = three("put").to_string();
        let payload = queue_of(&[&put, &both, "no JSON", "{\"Records\": []}"]);
        for done in finished() {
            let all = [done.clone(), done.clone(), closing(), empty_photo(), empty_photo()];
            let expected = json!({"batchItemFailures": [
                {"itemIdentifier": "message-1"}, {"itemIdentifier": "message-2"}
            ]});
            assert_eq!(reply(&payload, &all), Ok(expected));
            let payload = queue_of(&[&put, &put]);
            let none = json!({"batchItemFailures": []});
            assert_eq!(reply(&payload, &[done.clone(), done]), Ok(none));
        }
    }

    /// A batch of messages with these bodies, each received so often, from this queue.
    fn of_queue(name: &str, receives: u32, bodies: &[&str]) -> Value {
        let mut payload = queue_of(bodies);
        for message in payload["Records"].as_array_mut().unwrap() {
            message["eventSourceARN"] = format!("arn:aws:sqs:us-east-1:000000000000:{name}").into();
            message["attributes"] = json!({"ApproximateReceiveCount": receives.to_string()});
        }
        payload
    }

    #[test]
    fn a_delivery_queue_keeps_only_what_has_another_try() {
        let put = sample("put").to_string();
        let payload = of_queue("photos", 1, &[&put, "no JSON", &put, &put]);
        let given_up = Disposition::GivenUp(Retry::Closing);
        let all = [empty_photo(), empty_photo(), closing(), given_up];
        let expected = json!({"batchItemFailures": [{"itemIdentifier": "message-2"}]});
        assert_eq!(reply(&payload, &all), Ok(expected));
    }

    #[test]
    fn only_a_delivery_queue_has_a_last_receive() {
        let put = sample("put").to_string();
        let is_last = |name, receives, max_receives| {
            let event = read(&of_queue(name, receives, &[&put])).unwrap();
            let (deliveries, _) = event.open(Queues { max_receives, ..QUEUES });
            deliveries[0].message.as_ref().unwrap().is_last
        };
        assert!(!is_last("photos", 4, Some(5)));
        assert!(is_last("photos", 5, Some(5)));
        assert!(is_last("photos", 6, Some(5)));
        assert!(!is_last("photos", 1000, None), "it is not known");
        assert!(!is_last("photos-dead-letters", 1000, Some(5)));
    }

    #[test]
    fn a_message_that_cannot_be_read_is_kept_as_it_came() {
        let event = read(&of_queue("photos", 1, &["no JSON"])).unwrap();
        let (deliveries, _) = event.open(QUEUES);
        let Record::Unknown { payload, .. } = &deliveries[0].record else { panic!() };
        assert_eq!(payload, "no JSON");
        assert_eq!(deliveries[0].on_failure, OnFailure::DeadLetterQueue);
    }

    #[test]
    fn what_a_sender_keeps_itself_needs_no_dead_letter() {
        for (name, expected) in [
            ("put", OnFailure::DeadLetterQueue),
            ("eventbridge-created", OnFailure::DeadLetterQueue),
            ("sqs", OnFailure::DeadLetterQueue),
            (
                "sqs-dead-letter",
                OnFailure::SourceQueue("059f36b4-87a3-44ab-83d2-661975830a7d".to_owned()),
            ),
            ("batch-1.0", OnFailure::JobReport),
        ] {
            let (deliveries, _) = read(&sample(name)).unwrap().open(QUEUES);
            assert_eq!(deliveries[0].on_failure, expected, "{name}");
        }
        // A message whose queue is not known stays there.
        let event = read(&queue_of(&[&sample("put").to_string()])).unwrap();
        let (deliveries, _) = event.open(QUEUES);
        assert_eq!(deliveries[0].on_failure, OnFailure::SourceQueue("message-0".to_owned()));
    }
}
