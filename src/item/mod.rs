//! A photo's DynamoDB item: what is known of the photo, the write that commits it, and the rules by which
//! renditions and items of crossing events come to agree.
//!
//! | file | what is in it |
//! |---|---|
//! | `record` | a photo, or the tombstone of one, as it is written |
//! | `stored` | what a stored item tells the next event |
//! | `precondition` | what a stored item must be for an event to write it |
//! | `consistency` | what to do where renditions and item do not agree |
//! | `write` | the UpdateItem of a record |

mod consistency;
mod precondition;
mod record;
#[cfg(test)]
mod sample;
mod stored;
mod write;

pub use consistency::{RenditionHead, Repair, must_look, repair};
pub use precondition::{Precondition, Seen, Verdict};
pub use record::{
    Outcome, PhotoInfo, Record, Rendition, StoredRendition, Subject, Version, album, content_key,
};
pub use stored::{Place, RenditionRef, RenditionRefs, Status, Stored};
pub use write::{Update, WriteError};

/// The partition key: the original's decoded key.
pub const PHOTO_KEY: &str = "photoKey";

/// The attribute by which READY photos are found by their content: see [`content_key`].
pub const CONTENT_KEY: &str = "contentKey";

/// The index of that attribute.
pub const CONTENT_INDEX: &str = "content";
