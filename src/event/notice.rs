//! What every sender tells of an object, read alike.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::key::{self, Encoding};
use super::{ObjectEvent, Record, Sequencer};

/// What happened to an object: [`Record::Created`] or [`Record::Removed`].
pub(super) type News = fn(Box<ObjectEvent>) -> Record;

/// What a sender tells of an object, as it came.
pub(super) struct Told {
    /// Who told it, for people.
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

impl Told {
    /// The object, or what is missing: without a bucket and a key there is none.
    fn read(self) -> Result<ObjectEvent, String> {
        let without = |what| format!("the {} has {what}", self.sender);
        let bucket = present(self.bucket).ok_or_else(|| without("no bucket name"))?;
        let key = self.key.ok_or_else(|| without("no object key"))?;
        let key = key::decode(key, self.encoding).map_err(without)?;
        Ok(ObjectEvent {
            bucket,
            key,
            size: self.size,
            etag: present(self.etag.map(|etag| etag.trim_matches('"').to_owned())),
            version_id: present(self.version_id),
            sequencer: self.sequencer.as_deref().and_then(Sequencer::new),
            time: self.time,
            payload: Value::Null,
        })
    }
}

/// The news of the object that `payload` is about, or why it is unreadable.
pub(super) fn record(news: News, told: Result<Told, String>, payload: Value) -> Record {
    match told.and_then(Told::read) {
        Ok(object) => news(Box::new(ObjectEvent { payload, ..object })),
        Err(reason) => Record::Unreadable { reason, payload },
    }
}

/// An RFC 3339 time; what is none is as good as missing.
pub(super) fn time(text: Option<&str>) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text?).ok().map(|time| time.to_utc())
}

fn present(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
