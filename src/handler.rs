//! What the function does with an event: every record in it, and the answer that its sender expects.

mod publish;
mod reconcile;
mod remove;
mod render;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::available_parallelism;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use chrono::Utc;
use futures_util::future::join_all;
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

use crate::abandoned::BlockingWork;
use crate::aws::Aws;
use crate::config::Config;
use crate::dead_letter::{Invocation, Letter, OnFailure};
use crate::event::{self, Event, Job, Message, ObjectEvent, Record, TaskResult};
use crate::failure::{Class, Failure};
use crate::log::{self, Line, Steps};
use crate::memory::Memory;

/// What is left of Lambda's time when the handler gives up by itself, so that the error is a clear
/// one and the letter names the photo.
const DEADLINE_MARGIN: Duration = Duration::from_secs(1);

/// How long a photo keeps others from being worked on, if the timeout is not shorter: some hundred times
/// what one takes. Where something holds a photo up, the others of its event go on beside it.
const TURN: Duration = Duration::from_secs(5);

/// How much of that is waited for pixel work that was given up, which sees it only now and then.
const CANCEL_GRACE: Duration = Duration::from_millis(500);

/// The thumbnail function: what lives from one event to the next.
#[derive(Clone, Debug)]
pub struct Handler {
    config: Config,
    aws: Aws,
    /// One permit for each photo that is worked on at a time.
    turns: Arc<Semaphore>,
    memory: Memory,
    /// Until the first photo has its log line.
    is_cold: Arc<AtomicBool>,
    has_abandoned_work: Arc<AtomicBool>,
}

/// One invocation.
struct Call {
    began: Instant,
    /// From then until Lambda ends the process.
    timeout: Duration,
    deadline: Instant,
    function_name: String,
    invocation: Invocation,
    blocking_work: BlockingWork,
}

/// The work on one object.
struct Task<'a> {
    call: &'a Call,
    /// Where the photo is kept if it fails for good.
    on_failure: OnFailure,
    steps: Steps,
}

/// What became of a record: a failure says why its photo is not READY, or not removed.
type Outcome = Result<(), Failure>;

impl Handler {
    /// A handler with the settings of `config` on the account that `aws` leads to.
    pub fn new(config: Config, aws: &SdkConfig) -> Handler {
        // Decoding is bound by the CPU: more at once would only take more memory.
        let turns = Arc::new(Semaphore::new(available_parallelism().map_or(1, usize::from)));
        let memory = Memory::new(config.memory_mb);
        let [is_cold, has_abandoned_work] =
            [true, false].map(|initially| Arc::new(AtomicBool::new(initially)));
        Handler { aws: Aws::new(&config, aws), config, turns, memory, is_cold, has_abandoned_work }
    }

    /// Opens the connections that photos take, so that the first one need not.
    pub async fn connect(&self) {
        self.aws.connect().await;
    }

    /// Handles every record of an event, and gives the answer that its sender expects. One photo
    /// never stops another.
    ///
    /// # Errors
    /// Of a notification, the transient failures among its records, once all records were tried:
    /// that makes Lambda send it again.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Failure> {
        let (payload, context) = event.into_parts();
        let began = Instant::now();
        let time_left = context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        let call = Call {
            began,
            timeout: time_left,
            deadline: began + time_left.saturating_sub(DEADLINE_MARGIN),
            function_name: context.env_config.function_name.clone(),
            invocation: Invocation {
                request_id: context.request_id,
                function_arn: context.invoked_function_arn,
                function_version: context.env_config.version.clone(),
            },
            blocking_work: BlockingWork::default(),
        };
        let answer = match event::read(&payload) {
            Ok(Event::Notification(records)) => self.notification(records, &call).await,
            Ok(Event::Queue(messages)) => Ok(self.queue(messages, &call).await),
            Ok(Event::Job(job)) => Ok(self.job(job, &call).await),
            Err(reason) => {
                let failure = Failure::permanent("UnknownEvent", reason);
                log::event(&failure);
                let kept = self.keep_unknown(&payload, &failure, &call).await;
                kept.map(|()| Value::Null)
            }
        };
        if call.blocking_work.is_abandoned_after(CANCEL_GRACE).await {
            self.has_abandoned_work.store(true, Ordering::Relaxed);
        }
        answer
    }

    /// Whether an invocation has ended that left pixel work behind which goes on.
    pub fn has_abandoned_work(&self) -> bool {
        self.has_abandoned_work.load(Ordering::Relaxed)
    }

    /// What S3 says: Lambda tries it again if it ends in an error.
    async fn notification(&self, records: Vec<Record>, call: &Call) -> Result<Value, Failure> {
        let count = records.len();
        let unreadable: Vec<(String, Value)> = records.iter().filter_map(unreadable).collect();
        let records =
            records.into_iter().map(|record| (record, OnFailure::DeadLetterQueue)).collect();
        let outcomes = self.all(records, call).await;
        let failures = outcomes.into_iter().filter_map(|outcome| outcome.err());
        let transient = failures.filter(|failure| failure.class == Class::Transient).collect();
        if let Some(failure) = Failure::several(transient, count) {
            return Err(failure);
        }
        // Not before: no item would tell the next try that their letters are sent.
        for (reason, payload) in unreadable {
            let failure = Failure::permanent("UnreadableRecord", reason);
            self.keep_unknown(&payload, &failure, call).await?;
        }
        Ok(Value::Null)
    }

    /// Messages of a queue: those that are not done stay in it (Lambda Developer Guide, "Reporting
    /// batch item failures").
    async fn queue(&self, messages: Vec<Message>, call: &Call) -> Value {
        let mut failed = Vec::new();
        let (mut ids, mut records) = (Vec::new(), Vec::new());
        for Message { id, records: of_message } in messages {
            match of_message {
                Ok(of_message) => {
                    ids.extend(of_message.iter().map(|_| id.clone()));
                    let on_failure = |record| (record, OnFailure::SourceQueue(id.clone()));
                    records.extend(of_message.into_iter().map(on_failure));
                }
                Err(reason) => {
                    log::event(&Failure::permanent("UnknownEvent", reason));
                    failed.push(id);
                }
            }
        }
        let outcomes = self.all(records, call).await;
        for (id, outcome) in ids.into_iter().zip(outcomes) {
            let is_unfinished = match outcome.map_err(|failure| failure.class) {
                Ok(()) | Err(Class::Ignored | Class::Superseded) => false,
                Err(Class::Permanent | Class::Transient) => true,
            };
            if is_unfinished && !failed.contains(&id) {
                failed.push(id);
            }
        }
        event::queue_answer(failed)
    }

    /// Tasks of S3 Batch Operations: each has its result in the job's report.
    async fn job(&self, job: Job, call: &Call) -> Value {
        let records = job.tasks.iter().map(|task| (task.record.clone(), OnFailure::JobReport));
        let records = records.collect();
        let outcomes = self.all(records, call).await;
        job.answer(outcomes.into_iter().map(task_result).collect())
    }

    /// What became of each record, in their order.
    async fn all(&self, records: Vec<(Record, OnFailure)>, call: &Call) -> Vec<Outcome> {
        let records = records.into_iter();
        join_all(records.map(|(record, on_failure)| self.record(record, on_failure, call))).await
    }

    async fn record(&self, record: Record, on_failure: OnFailure, call: &Call) -> Outcome {
        match record {
            Record::Created(object) => {
                self.with_deadline(object.key.clone(), "ready", on_failure, call, async |task| {
                    self.created(*object, task).await
                })
                .await
            }
            Record::Removed(object) => {
                self.with_deadline(object.key.clone(), "removed", on_failure, call, async |task| {
                    self.removed(*object, task).await
                })
                .await
            }
            Record::Other(kind) => {
                let failure = Failure::ignored("OtherEvent", kind);
                log::event(&failure);
                Err(failure)
            }
            Record::Unreadable { reason, .. } => {
                let failure = Failure::permanent("UnreadableRecord", reason);
                log::event(&failure);
                Err(failure)
            }
        }
    }

    /// The work on one object, which waits for its turn and gives up by itself before Lambda ends the
    /// process; its log line tells whether it is `done`.
    async fn with_deadline(
        &self,
        key: String,
        done: &str,
        on_failure: OnFailure,
        call: &Call,
        work: impl AsyncFnOnce(&mut Task<'_>) -> Outcome,
    ) -> Outcome {
        let mut started = Instant::now();
        let mut task = Task { call, on_failure, steps: Steps::default() };
        let in_turn = async {
            let turn = self.turns.acquire().await;
            started = Instant::now();
            let mut work = pin!(work(&mut task));
            if let Ok(outcome) = timeout(call.turn(), &mut work).await {
                return outcome;
            }
            drop(turn);
            work.await
        };
        let outcome = timeout_at(call.deadline, in_turn).await;
        let outcome = outcome.unwrap_or_else(|_| Err(deadline_near(&key)));
        let line = Line {
            function_name: &call.function_name,
            request_id: &call.invocation.request_id,
            is_cold_start: self.is_cold.swap(false, Ordering::Relaxed),
            key: &key,
            done,
            failure: outcome.as_ref().err(),
            steps: &task.steps,
            took: started.elapsed(),
            timeout_used: 100.0 * call.began.elapsed().div_duration_f64(call.timeout),
        };
        line.write();
        outcome
    }

    /// Keeps an event or a record about which nothing is known: its letter is all there is of it.
    async fn keep_unknown(
        &self,
        payload: &Value,
        failure: &Failure,
        call: &Call,
    ) -> Result<(), Failure> {
        let letter = Letter::about(payload, None, failure, &call.invocation, Utc::now());
        self.aws.dead_letters.send(letter).await.map(drop)
    }

    fn ensure_in_scope(&self, object: &ObjectEvent) -> Result<(), Failure> {
        let Config { originals_bucket, originals_prefix, .. } = &self.config;
        if object.bucket != *originals_bucket || !object.key.starts_with(originals_prefix) {
            let place = format!("s3://{originals_bucket}/{originals_prefix}");
            let reason = format!("only objects below {place} are photos");
            return Err(Failure::ignored("NotOurs", reason));
        }
        if object.key.ends_with('/') && object.size == Some(0) {
            let reason = "an empty object that stands for a folder is no photo";
            return Err(Failure::ignored("Folder", reason));
        }
        Ok(())
    }
}

impl Call {
    /// How long a photo keeps others from being worked on.
    fn turn(&self) -> Duration {
        TURN.min(self.timeout / 4)
    }
}

fn unreadable(record: &Record) -> Option<(String, Value)> {
    match record {
        Record::Unreadable { reason, payload } => Some((reason.clone(), payload.clone())),
        Record::Created(_) | Record::Removed(_) | Record::Other(_) => None,
    }
}

fn task_result(outcome: Outcome) -> (TaskResult, String) {
    match outcome {
        Ok(()) => (TaskResult::Succeeded, String::new()),
        Err(Failure { class, error_type, message }) => {
            let result = match class {
                Class::Ignored | Class::Superseded => TaskResult::Succeeded,
                Class::Permanent => TaskResult::PermanentFailure,
                Class::Transient => TaskResult::TemporaryFailure,
            };
            (result, format!("{error_type}: {message}"))
        }
    }
}

fn deadline_near(key: &str) -> Failure {
    let margin = DEADLINE_MARGIN.as_secs();
    let message = format!(
        "{key} was not finished {margin} s before the function's timeout; raise the timeout or the memory"
    );
    Failure::transient("DeadlineNear", message)
}
