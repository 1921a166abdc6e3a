//! A photo's DynamoDB item: what is known of it, as typed attributes, and the write that commits it.
//!
//! | room | what is in it |
//! |---|---|
//! | `record` | a photo, or what is left of one, as attributes |
//! | `precondition` | what a stored item must be for an event to write it: one rule, as DynamoDB checks it and as the function does before it writes |
//! | `write` | the UpdateItem of both |

mod precondition;
mod record;
mod write;

pub use precondition::{Precondition, Stored, StoredStatus, Verdict};
pub use record::{Attributes, Known, OWNED, PHOTO_KEY, Rendition, Status, attributes, tombstone};
pub use write::Update;

#[cfg(test)]
mod sample;
