//! What every sender says of an object, read alike.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::key::{self, Encoding};
use super::{Record, Sequencer};

/// What a sender said of one object. It is never changed: what S3 has may be something else by now.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// What happened to the object.
    pub change: Change,
    /// Name of the bucket.
    pub bucket: String,
    /// Key of the object, decoded.
    pub key: String,
    /// Size of the object in bytes.
    pub size: Option<u64>,
    /// ETag of the object, without quotes.
    pub etag: Option<String>,
    /// Version ID of the object, in a versioned bucket.
    pub version_id: Option<String>,
    /// Place of the event among those of the same key.
    pub sequencer: Option<Sequencer>,
    /// Time when S3 finished the request.
    pub time: Option<DateTime<Utc>>,
    /// The event of this object alone, out of all envelopes, for a dead letter: `{"Records": [the S3
    /// record as it came]}`, the EventBridge event as it came, or the invocation by S3 Batch
    /// Operations with this one task.
    pub payload: Value,
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The object was created or overwritten, or is there and is to be treated as if it came now.
    Created,
    /// The object was deleted, expired, or hidden by a delete marker. Only S3 can say whether the key
    /// has a current object all the same: an older version may have become current again.
    Removed,
}

/// The fields of a sender's record, as they came.
pub(super) struct RawObject {
    /// The sender's name in messages for people.
    pub(super) sender: &'static str,
    pub(super) bucket: Option<String>,
    pub(super) key: Option<String>,
    pub(super) encoding: Encoding,
    pub(super) size: Option<u64>,
    pub(super) etag: Option<String>,
    pub(super) version_id: Option<String>,
    pub(super) sequencer: Option<String>,
    pub(super) time: Option<DateTime<Utc>>,
}

impl RawObject {
    /// The decoded bucket and key, or what is missing: an object has both.
    fn place(&mut self) -> Result<(String, String), String> {
        let without = |what| format!("the {} has {what}", self.sender);
        let bucket = present(self.bucket.take()).ok_or_else(|| without("no bucket name"))?;
        let key = self.key.take().ok_or_else(|| without("no object key"))?;
        Ok((bucket, key::decode(key, self.encoding).map_err(without)?))
    }
}

/// The record about the object that `payload` speaks of.
pub(super) fn record(change: Change, object: Result<RawObject, String>, payload: Value) -> Record {
    let placed = object.and_then(|mut object| object.place().map(|place| (place, object)));
    let ((bucket, key), object) = match placed {
        Ok(placed) => placed,
        Err(reason) => return Record::Unreadable { reason, payload },
    };
    Record::Notice(Box::new(Notice {
        change,
        bucket,
        key,
        size: object.size,
        etag: present(object.etag.map(|etag| etag.trim_matches('"').to_owned())),
        version_id: present(object.version_id),
        sequencer: object.sequencer.as_deref().and_then(Sequencer::new),
        time: object.time,
        payload,
    }))
}

/// An RFC 3339 time. A text that is no such time counts as missing.
pub(super) fn time(text: Option<&str>) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text?).ok().map(|time| time.to_utc())
}

fn present(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
