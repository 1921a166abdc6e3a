//! How the work on a record ends, and why: each reason with a stable name for logs, items, dead letters
//! and alarms, and a text for people.

use lambda_runtime::Diagnostic;
use photo::PhotoError;
use thiserror::Error;

use crate::call_error::CallError;

/// Longest message of a rejection, in bytes: a decoder may quote what it found in the file.
const MAX_MESSAGE_BYTES: usize = 2048;

/// How the work on a record ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The photo's renditions and its item are there.
    Ready,
    /// The photo was removed, and everything made of it.
    Removed,
    /// There was nothing to do.
    Ignored(Ignored),
    /// A newer event has the last word about the photo.
    Superseded(Superseded),
    /// Another try cannot help. A dead letter, the source queue or a job's report keeps the record.
    Rejected(Rejection),
    /// Another try may help.
    Retry(Retry),
    /// Another try might have helped, but a queue gives no other: a dead letter keeps the record.
    GivenUp(Retry),
}

/// Why there was nothing to do.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Ignored {
    /// The event is of another kind, which is named.
    #[error("{0}")]
    OtherEvent(String),
    /// The object is not one of the photos.
    #[error("only objects below s3://{bucket}/{prefix} are photos")]
    NotOurs {
        /// Bucket of the photos.
        bucket: String,
        /// Beginning of every photo's key.
        prefix: String,
    },
    /// The object is empty and its key ends with a slash.
    #[error("an empty object that stands for a folder is no photo")]
    Folder,
    /// The settings say that what was made of a removed photo stays.
    #[error("DELETE_WITH_ORIGINAL is false: what was made of the photo stays")]
    Kept,
    /// The object was deleted before it was fetched.
    #[error("the object was deleted since")]
    ObjectGone,
    /// The item is of the current version, so that another one was removed.
    #[error("the item is of another version than the removed one")]
    StillThere,
    /// The object neither is a picture nor claims to be one.
    #[error("its name and its Content-Type claim no picture: {}", .0.message())]
    NotAPhoto(Rejection),
}

/// Why a newer event has the last word.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Superseded {
    /// Another object has the key now.
    #[error("the object was overwritten since")]
    Overwritten,
    /// No object has the key now.
    #[error("the object was deleted since")]
    ObjectGone,
    /// The item is of a newer event, or this event's own work is done.
    #[error("the item is of a newer event, or of this one and done")]
    NewerItem,
}

/// Why another try cannot help.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Rejection {
    /// The photo itself is the reason.
    #[error(transparent)]
    Photo(PhotoError),
    /// A rendition's key would be longer than S3 allows.
    #[error(
        "a rendition's key, made of THUMBNAILS_PREFIX, its name and the photo's key, would have \
         {bytes} bytes; S3 allows {limit}; use shorter names"
    )]
    KeyTooLong {
        /// Bytes that the key would have.
        bytes: usize,
        /// Bytes that S3 allows.
        limit: usize,
    },
    /// The object cannot be read before it is restored.
    #[error("the photo is in an archive storage class; restore it, then send the event again")]
    Archived,
    /// DynamoDB does not take the item, whoever writes it and however often.
    #[error("DynamoDB does not take the photo's item: {0}")]
    ItemRefused(String),
    /// The event is of no known shape.
    #[error("{0}")]
    UnknownEvent(String),
    /// The record lacks what a record about an object must have.
    #[error("{0}")]
    UnreadableRecord(String),
}

/// Why another try may help.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Retry {
    /// A call to AWS failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The photo did not arrive whole.
    #[error(transparent)]
    BrokenBody(CallError),
    /// The pixel work was cancelled.
    #[error(transparent)]
    Cancelled(PhotoError),
    /// The function ends.
    #[error("the function is ending")]
    Closing,
    /// Several invocations write the same photo.
    #[error("{key} is written by several invocations at once: {cause}")]
    Contended {
        /// Key of the photo.
        key: String,
        /// What this invocation has seen of the others.
        cause: &'static str,
    },
    /// Renditions are missing that cannot be made again.
    #[error("the renditions of {key} are missing and cannot be made again: {}: {reason}", reason.name())]
    CannotRepair {
        /// Key of the photo.
        key: String,
        /// Why they cannot be made.
        reason: Rejection,
    },
    /// The time of the invocation is used up.
    #[error(
        "{key} was not finished {margin_s} s before the function's timeout; raise the timeout or \
         the memory"
    )]
    DeadlineNear {
        /// Key of the photo.
        key: String,
        /// Seconds that were left.
        margin_s: u64,
    },
    /// Several photos of one event must be tried again.
    #[error("{count} of the event's {photos} photos must be tried again; the first: {}: {first}", first.name())]
    Several {
        /// Photos to be tried again.
        count: usize,
        /// Photos of the event.
        photos: usize,
        /// Reason of the first one.
        first: Box<Retry>,
    },
}

impl Ignored {
    /// Stable name of the reason.
    pub fn name(&self) -> &'static str {
        match self {
            Ignored::OtherEvent(_) => "OtherEvent",
            Ignored::NotOurs { .. } => "NotOurs",
            Ignored::Folder => "Folder",
            Ignored::Kept => "Kept",
            Ignored::ObjectGone => "ObjectGone",
            Ignored::StillThere => "StillThere",
            Ignored::NotAPhoto(_) => "NotAPhoto",
        }
    }
}

impl Rejection {
    /// Stable name of the reason, such as `UnsupportedFormat`.
    pub fn name(&self) -> &'static str {
        match self {
            Rejection::Photo(error) => error.name(),
            Rejection::KeyTooLong { .. } => "KeyTooLong",
            Rejection::Archived => "ArchivedPhoto",
            Rejection::ItemRefused(_) => "ItemRefused",
            Rejection::UnknownEvent(_) => "UnknownEvent",
            Rejection::UnreadableRecord(_) => "UnreadableRecord",
        }
    }

    /// The text for people, at most 2 KB of it.
    pub fn message(&self) -> String {
        cut(self.to_string())
    }
}

fn cut(mut message: String) -> String {
    message.truncate(message.floor_char_boundary(MAX_MESSAGE_BYTES));
    message
}

impl Retry {
    /// The text for people, at most 2 KB of it.
    pub fn message(&self) -> String {
        cut(self.to_string())
    }

    /// Stable name of the reason.
    pub fn name(&self) -> &'static str {
        match self {
            Retry::Call(error) => error.name(),
            Retry::BrokenBody(_) => "S3BrokenBody",
            Retry::Cancelled(error) => error.name(),
            Retry::Closing => "Closing",
            Retry::Contended { .. } => "Contended",
            Retry::CannotRepair { .. } => "CannotRepair",
            Retry::DeadlineNear { .. } => "DeadlineNear",
            Retry::Several { first, .. } => first.name(),
        }
    }

    /// The one error of an invocation for those of its `photos` that must be tried again.
    pub fn several(mut reasons: Vec<Retry>, photos: usize) -> Option<Retry> {
        if photos == 1 {
            return reasons.pop();
        }
        let first = reasons.first()?.clone();
        Some(Retry::Several { count: reasons.len(), photos, first: Box::new(first) })
    }
}

/// The outcome's own word, its reason's name and text, as logs have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Log level of the outcome.
    pub level: &'static str,
    /// What became of the record, such as `ready`.
    pub outcome: &'static str,
    /// Name and text of the reason, where the outcome has one.
    pub reason: Option<(&'static str, String)>,
}

impl Disposition {
    /// The reason for another try, if there is one.
    pub fn into_retry(self) -> Option<Retry> {
        match self {
            Disposition::Retry(reason) => Some(reason),
            Disposition::Ready
            | Disposition::Removed
            | Disposition::Ignored(_)
            | Disposition::Superseded(_)
            | Disposition::Rejected(_)
            | Disposition::GivenUp(_) => None,
        }
    }

    /// What logs and metrics say of it.
    pub fn summary(&self) -> Summary {
        let (level, outcome, reason) = match self {
            Disposition::Ready => ("INFO", "ready", None),
            Disposition::Removed => ("INFO", "removed", None),
            Disposition::Ignored(why) => ("INFO", "ignored", Some((why.name(), why.to_string()))),
            Disposition::Superseded(why) => {
                ("INFO", "superseded", Some(("Superseded", why.to_string())))
            }
            Disposition::Rejected(why) => ("ERROR", "failed", Some((why.name(), why.message()))),
            Disposition::Retry(why) => ("WARN", "retry", Some((why.name(), why.to_string()))),
            Disposition::GivenUp(why) => ("ERROR", "failed", Some((why.name(), why.message()))),
        };
        Summary { level, outcome, reason }
    }
}

/// The error that Lambda reports for an invocation.
impl From<Retry> for Diagnostic {
    fn from(reason: Retry) -> Diagnostic {
        Diagnostic { error_type: reason.name().to_owned(), error_message: reason.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call_error::Service;

    fn slow_down() -> Retry {
        let call = "GetObject s3://photos/a.jpg".to_owned();
        Retry::Call(CallError { service: Service::S3, call, cause: "SlowDown: busy".to_owned() })
    }

    #[test]
    fn a_bad_photo_is_rejected_under_its_own_name() {
        let rejection = Rejection::Photo(PhotoError::UnsupportedFormat("a PNG".into()));
        let summary = Disposition::Rejected(rejection).summary();
        assert_eq!((summary.level, summary.outcome), ("ERROR", "failed"));
        assert_eq!(summary.reason.unwrap().0, "UnsupportedFormat");
    }

    #[test]
    fn each_outcome_has_its_own_word_and_level() {
        for (disposition, level, outcome) in [
            (Disposition::Ready, "INFO", "ready"),
            (Disposition::Removed, "INFO", "removed"),
            (Disposition::Ignored(Ignored::Folder), "INFO", "ignored"),
            (Disposition::Superseded(Superseded::NewerItem), "INFO", "superseded"),
            (Disposition::Rejected(Rejection::Archived), "ERROR", "failed"),
            (Disposition::Retry(slow_down()), "WARN", "retry"),
            (Disposition::GivenUp(slow_down()), "ERROR", "failed"),
        ] {
            let summary = disposition.summary();
            assert_eq!((summary.level, summary.outcome), (level, outcome));
        }
    }

    #[test]
    fn a_message_has_at_most_2_kb_whatever_a_decoder_quotes() {
        let rejection = Rejection::Photo(PhotoError::DecoderPanic("é".repeat(100_000)));
        assert!((2000..=MAX_MESSAGE_BYTES).contains(&rejection.message().len()));
    }

    #[test]
    fn several_reasons_for_another_try_are_one_error_that_counts_them() {
        let several = Retry::several(vec![slow_down(), slow_down()], 24).unwrap();
        assert_eq!(several.name(), "S3CallFailed");
        let message = several.to_string();
        assert!(message.starts_with("2 of the event's 24 photos"), "{message}");
        let first = "S3CallFailed: GetObject s3://photos/a.jpg failed: SlowDown: busy";
        assert!(message.ends_with(first), "{message}");
        assert_eq!(Retry::several(vec![slow_down()], 1), Some(slow_down()), "a lone one as it is");
        assert_eq!(Retry::several(vec![], 24), None);
    }
}
