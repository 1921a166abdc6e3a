//! The thumbnail function: one invocation, with every record of its event and the answer that the
//! event's sender expects.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use chrono::Utc;
use futures_util::future::join_all;
use lambda_runtime::{Context, LambdaEvent};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::config::Config;
use crate::dead_letter::{DeadLetter, Invocation, OnFailure};
use crate::disposition::{Disposition, Ignored, Rejection, Retry};
use crate::event::{self, Delivery, Event, Notice, Record};
use crate::pipeline::{BlockingWork, Pipeline, Work};
use crate::telemetry::{self, LogRecord, Trace};

/// Time before Lambda's deadline at which the handler gives up by itself, so that the error is a clear
/// one and the letter names the photo.
const DEADLINE_MARGIN: Duration = Duration::from_secs(1);

/// Longest time for which a photo keeps others waiting in each of its turns, if a quarter of the timeout is not shorter: some
/// hundred times the usual one. Where something holds a photo up, the others of its event go on.
const TURN: Duration = Duration::from_secs(5);

/// Part of the margin in which a letter about an event that has no other try can still be sent.
const LETTER_MARGIN: Duration = Duration::from_millis(400);

/// Part of the margin for which the handler waits for pixel work that was given up, which looks at its
/// cancel flag only now and then.
const CANCEL_GRACE: Duration = Duration::from_millis(500);

/// The thumbnail function: what lives from one event to the next, and is shared by those at a time.
#[derive(Debug)]
pub struct Handler {
    pipeline: Pipeline,
    /// Until the first photo has its log line.
    is_cold: AtomicBool,
    /// The pixel work of all invocations.
    blocking_work: BlockingWork,
}

/// One invocation.
struct Call {
    began: Instant,
    /// Time from the beginning until Lambda ends the process.
    timeout: Duration,
    deadline: Instant,
    function_name: String,
    invocation: Invocation,
    blocking_work: BlockingWork,
}

impl Handler {
    /// A handler with the settings of `config` on the account that `aws` leads to.
    pub fn new(config: Config, aws: &SdkConfig) -> Handler {
        let (is_cold, blocking_work) = (AtomicBool::new(true), BlockingWork::default());
        Handler { pipeline: Pipeline::new(config, aws), is_cold, blocking_work }
    }

    /// Opens the connections that photos need, so that the first photo need not.
    pub async fn connect(&self) {
        self.pipeline.aws().connect().await;
    }

    /// Handles every record of an event, and gives the answer that its sender expects. One photo never
    /// stops another.
    ///
    /// # Errors
    /// The reason why a notification must be sent again, once all its records were tried.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Retry> {
        let (payload, context) = event.into_parts();
        let call = Call::new(context, self.blocking_work.of_another_invocation());
        let event = event::read(&payload).unwrap_or_else(|reason| {
            Event::Notification(vec![Record::Unknown { reason, payload }])
        });
        let (deliveries, protocol) = event.open(self.pipeline.queues());
        let settle = deliveries.iter().map(|delivery| self.settle(delivery, &call));
        let mut dispositions = join_all(settle).await;
        self.keep_unreadable(&deliveries, &mut dispositions, &call).await;
        call.blocking_work.settle(CANCEL_GRACE).await;
        protocol.reply(&deliveries, dispositions)
    }

    /// The pixel work of all invocations.
    pub fn blocking_work(&self) -> &BlockingWork {
        &self.blocking_work
    }

    /// What becomes of one record.
    async fn settle(&self, delivery: &Delivery, call: &Call) -> Disposition {
        let disposition = match &delivery.record {
            Record::Notice(notice) => {
                return self.settle_in_time(notice, delivery, call).await;
            }
            Record::Other(kind) => Disposition::Ignored(Ignored::OtherEvent(kind.clone())),
            Record::Unknown { reason, .. } => {
                Disposition::Rejected(Rejection::UnknownEvent(reason.clone()))
            }
            Record::Unreadable { reason, .. } => {
                Disposition::Rejected(Rejection::UnreadableRecord(reason.clone()))
            }
        };
        telemetry::log_event(&disposition);
        disposition
    }

    /// The work on one object, which gives up by itself before Lambda ends the process; and its log line.
    async fn settle_in_time(
        &self,
        notice: &Notice,
        delivery: &Delivery,
        call: &Call,
    ) -> Disposition {
        let trace = Trace::default();
        let Call { invocation, blocking_work, .. } = call;
        let (patience, on_failure) = (call.patience(), &delivery.on_failure);
        let work = Work { notice, on_failure, invocation, blocking_work, patience, trace: &trace };
        let mut started = Instant::now();
        let in_turn = self.pipeline.in_turn(patience, async {
            started = Instant::now();
            self.pipeline.settle(&work).await
        });
        let disposition = timeout_at(call.deadline, in_turn).await.unwrap_or_else(|_| {
            let (key, margin_s) = (notice.key.clone(), DEADLINE_MARGIN.as_secs());
            Disposition::Retry(Retry::DeadlineNear { key, margin_s })
        });
        let disposition = match &delivery.message {
            Some(message) if message.is_last => self.give_up(notice, disposition, call).await,
            Some(_) | None => disposition,
        };
        let record = LogRecord {
            function_name: &call.function_name,
            request_id: &call.invocation.request_id,
            is_cold_start: self.is_cold.swap(false, Ordering::Relaxed),
            key: &notice.key,
            disposition: &disposition,
            trace: &trace,
            took: started.elapsed(),
            timeout_used: 100.0 * call.began.elapsed().div_duration_f64(call.timeout),
        };
        record.write();
        disposition
    }

    /// Keeps an event that its queue gives no other try as a dead letter, with the reason, unless it is done. If that
    /// fails, the queue's own redrive policy keeps the message, without the reason.
    async fn give_up(&self, notice: &Notice, disposition: Disposition, call: &Call) -> Disposition {
        let Disposition::Retry(why) = disposition else { return disposition };
        let (payload, key) = (&notice.payload, Some(notice.key.as_str()));
        let letter = DeadLetter::about(payload, key, &why, &call.invocation, Utc::now());
        let sent = self.pipeline.aws().dead_letters.send(letter);
        match timeout_at(call.deadline + LETTER_MARGIN, sent).await {
            Ok(Ok(_)) => Disposition::GivenUp(why),
            Ok(Err(_)) | Err(_) => Disposition::Retry(why),
        }
    }

    /// Sends a letter about each record that could not be read and that no sender keeps: the letter is all
    /// there is of it. It is not sent before the last try of what brought the record: no item tells that it was sent.
    async fn keep_unreadable(
        &self,
        deliveries: &[Delivery],
        dispositions: &mut [Disposition],
        call: &Call,
    ) {
        for (number, delivery) in deliveries.iter().enumerate() {
            let (payload, reason) = match (&delivery.record, &dispositions[number]) {
                (
                    Record::Unknown { payload, .. } | Record::Unreadable { payload, .. },
                    Disposition::Rejected(reason),
                ) => (payload, reason),
                _ => continue,
            };
            let comes_again = deliveries.iter().zip(&*dispositions).any(|(other, disposition)| {
                other.message == delivery.message && matches!(disposition, Disposition::Retry(_))
            });
            if comes_again || delivery.on_failure != OnFailure::DeadLetterQueue {
                continue;
            }
            let letter = DeadLetter::about(payload, None, reason, &call.invocation, Utc::now());
            if let Err(error) = self.pipeline.aws().dead_letters.send(letter).await {
                dispositions[number] = Disposition::Retry(error.into());
            }
        }
    }
}

impl Call {
    fn new(context: Context, blocking_work: BlockingWork) -> Call {
        let began = Instant::now();
        let time_left = context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        Call {
            began,
            timeout: time_left,
            deadline: began + time_left.saturating_sub(DEADLINE_MARGIN),
            function_name: context.env_config.function_name.clone(),
            invocation: Invocation {
                request_id: context.request_id,
                function_arn: context.invoked_function_arn,
                function_version: context.env_config.version.clone(),
            },
            blocking_work,
        }
    }

    /// Longest time for which a photo keeps others waiting in each of its turns.
    fn patience(&self) -> Duration {
        TURN.min(self.timeout / 4)
    }
}
