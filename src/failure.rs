//! How a photo can end without becoming READY, and what must happen then.

use lambda_runtime::Diagnostic;
use photo::PhotoError;

/// Of a message that goes into an item and a letter: a decoder may quote what it found.
const MAX_MESSAGE_BYTES: usize = 2048;

/// The name of the failure of an object that is not there.
const GONE: &str = "ObjectGone";
/// The name of the failure of an item that DynamoDB does not take.
const ITEM_REFUSED: &str = "ItemRefused";

/// What a failure asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Nothing to do: not ours, another kind of event, or the object is gone. Logged.
    Ignored,
    /// A newer event has done or will do the work. Logged.
    Superseded,
    /// Trying again cannot help: a dead letter now, then the FAILED item.
    Permanent,
    /// Trying again may help: an error, so that Lambda retries and then sends the letter itself.
    Transient,
}

/// One room's error as the handler needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What must happen.
    pub class: Class,
    /// A stable name, such as `UnsupportedFormat`, for items, dead letters, logs and alarms.
    pub error_type: &'static str,
    /// For people: what, which object, which limit, what to do.
    pub message: String,
}

impl Failure {
    /// Not ours, another kind of event, or gone.
    pub fn ignored(error_type: &'static str, message: impl Into<String>) -> Failure {
        Failure { class: Class::Ignored, error_type, message: message.into() }
    }

    /// Overtaken: the object was overwritten since.
    pub fn overwritten() -> Failure {
        Failure::superseded("the object was overwritten since")
    }

    /// Overtaken: the item is of a newer event, or this event's work is done.
    pub fn done() -> Failure {
        Failure::superseded("the item is of a newer event, or of this one and done")
    }

    /// The object of the event is not there.
    pub fn gone() -> Failure {
        Failure::ignored(GONE, "the object was deleted since")
    }

    /// Whether another event has or will have the last word about the photo.
    pub fn is_superseded(&self) -> bool {
        self.class == Class::Superseded || self.error_type == GONE
    }

    /// DynamoDB does not take the item, whoever writes it and however often.
    pub fn item_refused(message: String) -> Failure {
        Failure::permanent(ITEM_REFUSED, message)
    }

    /// Whether it is the item that is in the way, not the photo.
    pub fn is_of_item(&self) -> bool {
        self.error_type == ITEM_REFUSED
    }

    fn superseded(message: &str) -> Failure {
        let (class, error_type) = (Class::Superseded, "Superseded");
        Failure { class, error_type, message: message.to_owned() }
    }

    /// Hopeless.
    pub fn permanent(error_type: &'static str, message: impl Into<String>) -> Failure {
        let mut message = message.into();
        message.truncate(message.floor_char_boundary(MAX_MESSAGE_BYTES));
        Failure { class: Class::Permanent, error_type, message }
    }

    /// Worth another try.
    pub fn transient(error_type: &'static str, message: impl Into<String>) -> Failure {
        Failure { class: Class::Transient, error_type, message: message.into() }
    }

    /// The invocation's one error for the photos that are worth another try; `photos` is how many
    /// the event had.
    pub fn several(mut failures: Vec<Failure>, photos: usize) -> Option<Failure> {
        if photos == 1 {
            return failures.pop();
        }
        let first = failures.first()?;
        let message = format!(
            "{} of the event's {photos} photos must be tried again; the first: {}: {}",
            failures.len(),
            first.error_type,
            first.message
        );
        Some(Failure::transient(first.error_type, message))
    }
}

impl From<PhotoError> for Failure {
    fn from(error: PhotoError) -> Failure {
        match error {
            PhotoError::Cancelled => Failure::transient(error.name(), error.to_string()),
            PhotoError::Empty
            | PhotoError::NotAPhoto(_)
            | PhotoError::UnsupportedFormat(_)
            | PhotoError::Truncated { .. }
            | PhotoError::Corrupt(_)
            | PhotoError::TooManyBytes { .. }
            | PhotoError::TooManyPixels { .. }
            | PhotoError::TooLittleMemory { .. }
            | PhotoError::DecoderPanic(_) => Failure::permanent(error.name(), error.to_string()),
        }
    }
}

/// What Lambda reports to whoever asks why an invocation failed.
impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Diagnostic {
        Diagnostic { error_type: failure.error_type.to_owned(), error_message: failure.message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_photo_is_a_permanent_failure_under_its_own_name() {
        let failure = Failure::from(PhotoError::UnsupportedFormat("a PNG".into()));
        assert_eq!((failure.class, failure.error_type), (Class::Permanent, "UnsupportedFormat"));
    }

    #[test]
    fn what_another_event_has_the_last_word_about_is_superseded() {
        for failure in [Failure::gone(), Failure::done(), Failure::overwritten()] {
            assert!(failure.is_superseded(), "{failure:?}");
        }
        for failure in
            [Failure::ignored("NotOurs", ""), Failure::permanent("EmptyPhoto", ""), slow_down()]
        {
            assert!(!failure.is_superseded(), "{failure:?}");
        }
    }

    fn slow_down() -> Failure {
        Failure::transient("SlowDown", "S3 is busy")
    }

    #[test]
    fn several_transient_failures_are_one_error_that_counts_them() {
        let slow = slow_down();
        let several = Failure::several(vec![slow.clone(), slow.clone()], 24).unwrap();
        assert_eq!(several.class, Class::Transient);
        let message = several.message;
        assert!(message.starts_with("2 of the event's 24 photos"), "{message}");
        assert!(message.contains("SlowDown: S3 is busy"), "{message}");
        assert_eq!(Failure::several(vec![slow.clone()], 1), Some(slow), "a lone one as it is");
        assert_eq!(Failure::several(vec![], 24), None);
    }
}
