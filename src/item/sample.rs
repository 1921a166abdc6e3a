//! Items made for tests.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::DateTime;
use photo::{PhotoError, Size};
use serde_json::Value;

use super::StoredRendition;
use super::record::Subject;
use super::{Outcome, PhotoInfo, Place, Precondition, Record, Rendition, RenditionRef, Stored};
use super::{Seen, Update, Version};
use crate::disposition::Rejection;
use crate::event::{self, Event, Notice, Sequencer};

static EMPTY_PHOTO: Rejection = Rejection::Photo(PhotoError::Empty);
static PUT: LazyLock<Notice> = LazyLock::new(put);
static VERSION: LazyLock<Version> = LazyLock::new(version);
static INFO: LazyLock<PhotoInfo> = LazyLock::new(PhotoInfo::default);
static RENDITIONS: LazyLock<BTreeMap<String, Rendition>> = LazyLock::new(renditions);

/// The notice of the sample event.
pub fn put() -> Notice {
    let event: Value = serde_json::from_str(include_str!("../../events/put.json")).unwrap();
    let Ok(Event::Notification(mut records)) = event::read(&event) else { panic!("{event}") };
    let event::Record::Notice(notice) = records.remove(0) else { panic!("{event}") };
    *notice
}

pub fn subject(notice: &Notice) -> Subject<'_> {
    let Notice { bucket, key, sequencer, .. } = notice;
    Subject { bucket, key, prefix: "", sequencer: sequencer.as_ref() }
}

/// The version that the sample event speaks of.
pub fn version() -> Version {
    let put = put();
    Version {
        etag: put.etag.unwrap(),
        bytes: put.size,
        version_id: put.version_id,
        uploaded_at: put.time,
        content_sha256: Some("A".repeat(43) + "="),
    }
}

pub fn renditions() -> BTreeMap<String, Rendition> {
    let place =
        Place { bucket: "thumbnails".into(), key: "thumbnail/tokyo/ref-5323x8000.jpg".into() };
    let rendition = StoredRendition {
        stored_as: RenditionRef { place, version: "0123abcd".into() },
        size: Size { width: 1331, height: 2000 },
        bytes: 1234,
        content_type: "image/jpeg",
        thumb_hash: Some("1QcSHQRnh493V4dIh4eXh1h4kJUI".into()),
    };
    BTreeMap::from([("thumbnail".to_owned(), Rendition::Stored(rendition))])
}

fn record(outcome: Outcome<'static>) -> Record<'static> {
    Record::photo(subject(&PUT), &VERSION, &INFO, &outcome, DateTime::UNIX_EPOCH)
}

pub fn ready() -> Record<'static> {
    record(Outcome::Ready(&RENDITIONS))
}

pub fn failed() -> Record<'static> {
    record(Outcome::Failed { reason: &EMPTY_PHOTO, dead_letter_id: Some("letter-1") })
}

pub fn not_newer(sequencer: &str) -> Precondition {
    Precondition::not_newer(Sequencer::new(sequencer).unwrap())
}

/// The attributes that a write of this record sets.
pub fn attributes(record: &Record<'_>) -> HashMap<String, AttributeValue> {
    let update = Update::new(record, &Precondition::unchanged(Seen::Absent)).unwrap();
    let set = update.values.into_iter().filter(|(name, _)| name != ":places");
    set.map(|(name, value)| (name.trim_start_matches(':').to_owned(), value)).collect()
}

/// What DynamoDB would return of this record.
pub fn stored(record: &Record<'_>) -> Stored {
    Stored::parse(&attributes(record))
}
