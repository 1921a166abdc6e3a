//! One photo, from what was said of it to its item. The line is `Pipeline::process`; each stage takes
//! what the one before it gave:
//!
//! | stage | file | takes → gives |
//! |---|---|---|
//! | claim | `claim` | a notice → the version to process, and what the stored item must be |
//! | render | `render` | a claim → facts and renditions in memory |
//! | place, commit | `publish` | renditions → S3, then facts → the item |
//! | reject | `reject` | a photo that can have no renditions → dead letter, then the FAILED item |
//! | remove | `remove` | a removal → tombstone, no renditions |
//! | reconcile | `reconcile` | crossing events → renditions and item that agree |
//!
//! Several photos are at work at a time: while some wait for S3 or DynamoDB, as many as there are cores are
//! rendered. `turns` limits both, `memory` shares the function's memory among the photos, and `blocking` knows of
//! pixel work that nobody waits for any more.

mod blocking;
mod claim;
mod memory;
mod publish;
mod reconcile;
mod reject;
mod remove;
mod render;
mod turns;

use std::thread::available_parallelism;
use std::time::Duration;

use aws_config::SdkConfig;
use photo::PhotoError;

pub use blocking::BlockingWork;
use claim::Claim;
use memory::Memory;
use reject::Rejected;
use turns::Turns;

use crate::aws::{Aws, CommitError, FetchError};
use crate::call_error::CallError;
use crate::config::Config;
use crate::dead_letter::{Invocation, OnFailure};
use crate::disposition::{Disposition, Ignored, Rejection, Retry, Superseded};
use crate::event::{Change, Notice, Queues};
use crate::item::WriteError;
use crate::telemetry::{Step, Trace};

/// How often an event begins anew before it is given back for another try. Only events about the same
/// photo at the same moment can get in each other's way.
const TRIES: usize = 5;

/// Photos at work at a time for each core. A photo waits for its calls up to three times as long as it is rendered, so
/// that one is always ready to be rendered (`make latency`). More would only take more memory.
const IN_FLIGHT_PER_CORE: usize = 6;

/// Settings, clients, memory and cores that all photos share.
#[derive(Debug)]
pub struct Pipeline {
    config: Config,
    aws: Aws,
    memory: Memory,
    /// Photos at work.
    in_flight: Turns,
    /// Photos of those that are rendered.
    cores: Turns,
}

/// The work on one object.
#[derive(Debug)]
pub struct Work<'a> {
    /// What was said of the object.
    pub notice: &'a Notice,
    /// Where the object is kept if it is rejected.
    pub on_failure: &'a OnFailure,
    /// The invocation that does the work.
    pub invocation: &'a Invocation,
    /// The pixel work of that invocation.
    pub blocking_work: &'a BlockingWork,
    /// Longest time for which it keeps others waiting in each of its turns.
    pub patience: Duration,
    /// Where the time goes.
    pub trace: &'a Trace,
}

/// Why the work on an object stops before its end: what `?` carries.
#[derive(Debug)]
enum Stop {
    Ignored(Ignored),
    Superseded(Superseded),
    Retry(Retry),
}

/// Why a stage ends the line of a photo. A rejection has its own type, as it is not at its end before the
/// event is kept: see [`Pipeline::process`].
#[derive(Debug)]
enum Halt {
    Stop(Stop),
    Rejected(Box<Rejected>),
}

impl Pipeline {
    /// A pipeline with the settings of `config` on the account that `aws` leads to.
    pub fn new(config: Config, aws: &SdkConfig) -> Pipeline {
        let memory = Memory::new(config.memory_mb);
        let cores = available_parallelism().map_or(1, usize::from);
        let (in_flight, cores) = (Turns::new(cores * IN_FLIGHT_PER_CORE), Turns::new(cores));
        Pipeline { aws: Aws::new(&config, aws), config, memory, in_flight, cores }
    }

    /// What the settings say of queues.
    pub fn queues(&self) -> Queues<'_> {
        self.config.queues()
    }

    /// Does the work on one photo when there are few enough others at work.
    pub async fn in_turn<F: Future>(&self, patience: Duration, work: F) -> F::Output {
        self.in_flight.take(patience, work).await
    }

    /// The calls to AWS that the pipeline makes.
    pub fn aws(&self) -> &Aws {
        &self.aws
    }

    /// Processes one object and says how that ended.
    pub async fn settle(&self, work: &Work<'_>) -> Disposition {
        let ended = match work.notice.change {
            Change::Created => self.created(work).await,
            Change::Removed => self.removed(work).await,
        };
        match ended {
            Ok(disposition) => disposition,
            Err(Stop::Ignored(why)) => Disposition::Ignored(why),
            Err(Stop::Superseded(why)) => self.give_way(work, why).await,
            Err(Stop::Retry(why)) => Disposition::Retry(why),
        }
    }

    async fn created(&self, work: &Work<'_>) -> Result<Disposition, Stop> {
        for _ in 0..TRIES {
            let claim = self.claim(work.notice).await?;
            match self.process(work, &claim).await {
                // Without a sequencer, the other write may be an older one or of other settings.
                Err(Stop::Superseded(Superseded::NewerItem)) if work.notice.sequencer.is_none() => {
                }
                ended => return ended,
            }
        }
        Err(contended(work, ITEM_KEEPS_CHANGING))
    }

    /// The whole line of one photo.
    async fn process(&self, work: &Work<'_>, claim: &Claim) -> Result<Disposition, Stop> {
        let line = async {
            let rendered = self.fetch_and_render(work, claim).await?;
            let placed = work.trace.time(Step::Store, self.place(work, rendered)).await?;
            let commit = self.commit_ready(work, claim, &placed);
            work.trace.time(Step::Commit, commit).await
        };
        match line.await {
            Ok(committed) => {
                self.follow_up(work, &claim.precondition, committed).await?;
                Ok(Disposition::Ready)
            }
            Err(Halt::Rejected(rejected)) => {
                let reject = self.reject(work, claim, &rejected);
                if let Some(committed) = work.trace.time(Step::DeadLetter, reject).await? {
                    self.follow_up(work, &claim.precondition, committed).await?;
                }
                Ok(Disposition::Rejected(rejected.reason))
            }
            Err(Halt::Stop(stop)) => Err(stop),
        }
    }
}

/// Why an event gives up after [`TRIES`] writes that other events' writes preceded.
const ITEM_KEEPS_CHANGING: &str = "its item was written again and again";

fn contended(work: &Work<'_>, cause: &'static str) -> Stop {
    Retry::Contended { key: work.notice.key.clone(), cause }.into()
}

impl<T: Into<Stop>> From<T> for Halt {
    fn from(stop: T) -> Halt {
        Halt::Stop(stop.into())
    }
}

impl From<Ignored> for Stop {
    fn from(why: Ignored) -> Stop {
        Stop::Ignored(why)
    }
}

impl From<Superseded> for Stop {
    fn from(why: Superseded) -> Stop {
        Stop::Superseded(why)
    }
}

impl From<Retry> for Stop {
    fn from(why: Retry) -> Stop {
        Stop::Retry(why)
    }
}

impl From<CallError> for Stop {
    fn from(error: CallError) -> Stop {
        Stop::Retry(error.into())
    }
}

/// Why a stage cannot give what it should: another outcome, or a rejection that is still to be completed
/// by what is known of the photo.
#[derive(Debug)]
enum Refusal {
    Rejection(Rejection),
    Stop(Stop),
}

impl From<FetchError> for Refusal {
    fn from(error: FetchError) -> Refusal {
        match error {
            FetchError::Gone => Refusal::Stop(Superseded::ObjectGone.into()),
            FetchError::Changed => Refusal::Stop(Superseded::Overwritten.into()),
            FetchError::Archived => Refusal::Rejection(Rejection::Archived),
            FetchError::TooLarge(error) => error.into(),
            FetchError::BrokenBody(error) => Refusal::Stop(Retry::BrokenBody(error).into()),
            FetchError::Call(error) => Refusal::Stop(error.into()),
        }
    }
}

impl From<PhotoError> for Refusal {
    fn from(error: PhotoError) -> Refusal {
        match error {
            PhotoError::Cancelled => Refusal::Stop(Retry::Cancelled(error).into()),
            PhotoError::Empty
            | PhotoError::NotAPhoto(_)
            | PhotoError::UnsupportedFormat(_)
            | PhotoError::Truncated { .. }
            | PhotoError::Corrupt(_)
            | PhotoError::TooManyBytes { .. }
            | PhotoError::TooManyPixels { .. }
            | PhotoError::TooLittleMemory { .. }
            | PhotoError::DecoderPanic(_) => Refusal::Rejection(Rejection::Photo(error)),
        }
    }
}

impl From<WriteError> for Refusal {
    fn from(error: WriteError) -> Refusal {
        Refusal::Rejection(Rejection::ItemRefused(error.to_string()))
    }
}

impl From<CommitError> for Refusal {
    fn from(error: CommitError) -> Refusal {
        match error {
            CommitError::Superseded => Refusal::Stop(Superseded::NewerItem.into()),
            CommitError::Refused(reason) => Refusal::Rejection(Rejection::ItemRefused(reason)),
            CommitError::Call(error) => Refusal::Stop(error.into()),
        }
    }
}
