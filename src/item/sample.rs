//! Items made for tests.

use chrono::DateTime;
use photo::Size;
use serde_json::Value;

use super::{Attributes, Known, Precondition, Rendition, Status, attributes};
use crate::event::{self, Event, ObjectEvent, Record, Sequencer};
use crate::failure::Failure;

pub fn created() -> ObjectEvent {
    let event: Value = serde_json::from_str(include_str!("../../events/put.json")).unwrap();
    match event::read(&event) {
        Ok(Event::Notification(mut records)) => match records.remove(0) {
            Record::Created(created) => *created,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

pub fn rendition() -> Rendition {
    Rendition {
        bucket: "thumbnails".into(),
        key: "thumbnail/tokyo/ref-5323x8000.jpg".into(),
        size: Size { width: 1331, height: 2000 },
        bytes: 1234,
    }
}

pub fn ready(created: &ObjectEvent) -> Attributes {
    attributes(created, &Known::default(), &Status::Ready(&rendition()), DateTime::UNIX_EPOCH)
}

pub fn failed() -> Attributes {
    let failure = Failure::permanent("EmptyPhoto", "the photo is empty");
    let status = Status::Failed { failure: &failure, dead_letter_id: Some("letter-1") };
    attributes(&created(), &Known::default(), &status, DateTime::UNIX_EPOCH)
}

pub fn not_newer(sequencer: &str) -> Precondition {
    Precondition::NotNewer(Sequencer::new(sequencer).unwrap())
}
