//! A photo, or what is left of one, as the attributes of its item.
//!
//! The function owns every attribute in [`OWNED`] and no other: a write sets those it knows and
//! removes the rest of them, so that what the application keeps beside them (`app`) survives.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use photo::metadata::exif::{Camera, Exposure, Location};
use photo::{Facts, Format, Size};

use crate::event::{ObjectEvent, Sequencer};
use crate::failure::Failure;

/// The partition key: the original's decoded key.
pub const PHOTO_KEY: &str = "photoKey";

/// Every attribute that the function writes, besides the key.
pub const OWNED: [&str; 23] = [
    "album",
    "bucket",
    "versionId",
    "etag",
    "sequencer",
    "status",
    "failure",
    "bytes",
    "width",
    "height",
    "format",
    "renditions",
    "takenAt",
    "takenAtOffsetSource",
    "timelineAt",
    "location",
    "camera",
    "exposure",
    "orientation",
    "exif",
    "uploadedAt",
    "processedAt",
    "expiresAt",
];

/// How long a tombstone stays: an event is tried again for 6 hours.
const TOMBSTONE_LIFE: TimeDelta = TimeDelta::days(1);

/// An item's attributes by name, without the key.
pub type Attributes = BTreeMap<&'static str, AttributeValue>;

/// What is known of a photo, whether or not it could be decoded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// Bytes of the original.
    pub bytes: Option<u64>,
    /// By content.
    pub format: Option<Format>,
    /// As displayed, after orientation.
    pub size: Option<Size>,
    /// From EXIF.
    pub facts: Facts,
}

/// A file made of a photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendition {
    /// The bucket it is in.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// As displayed.
    pub size: Size,
    /// Bytes.
    pub bytes: u64,
}

/// How the photo ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Status<'a> {
    /// Its thumbnail is there.
    Ready(&'a Rendition),
    /// It will never have one; the dead letter says the same.
    Failed {
        /// Why.
        failure: &'a Failure,
        /// SQS message id of the dead letter, if it is one that keeps the photo.
        dead_letter_id: Option<&'a str>,
    },
}

/// The item of a photo. `processed_at` is the time of this write.
pub fn attributes(
    object: &ObjectEvent,
    known: &Known,
    status: &Status,
    processed_at: DateTime<Utc>,
) -> Attributes {
    let facts = &known.facts;
    let uploaded_at = object.time.map(iso8601);
    let processed_at = iso8601(processed_at);
    let taken_at = facts.taken_at.as_ref();
    let timeline_at = taken_at.map(|taken| taken.timeline());
    let timeline_at = timeline_at.or_else(|| uploaded_at.clone());
    let (status, failure, renditions) = status_attributes(status);
    let all = [
        ("album", text(album(&object.key))),
        ("bucket", text(&object.bucket)),
        ("versionId", object.version_id.as_ref().and_then(text)),
        ("etag", object.etag.as_ref().and_then(text)),
        ("sequencer", object.sequencer.as_ref().and_then(|s| text(s.as_str()))),
        ("status", text(status)),
        ("failure", failure),
        ("bytes", known.bytes.and_then(number)),
        ("width", known.size.and_then(|size| number(size.width))),
        ("height", known.size.and_then(|size| number(size.height))),
        ("format", known.format.and_then(|format| text(format.name()))),
        ("renditions", renditions),
        ("takenAt", taken_at.and_then(|taken| text(taken.iso8601()))),
        (
            "takenAtOffsetSource",
            taken_at
                .and_then(|taken| taken.offset_source())
                .and_then(|source| text(source.as_str())),
        ),
        ("timelineAt", text(timeline_at.unwrap_or_else(|| processed_at.clone()))),
        ("location", facts.location.as_ref().and_then(location)),
        ("camera", camera(&facts.camera)),
        ("exposure", exposure(&facts.exposure)),
        ("orientation", facts.orientation.and_then(number)),
        ("exif", map(facts.tags.iter().map(|(name, value)| (name.as_str(), text(value))))),
        ("uploadedAt", uploaded_at.and_then(text)),
        ("processedAt", text(processed_at)),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// What is left of a photo that was removed, until DynamoDB removes that too: that an older event,
/// which comes late, cannot bring it back. It is in no index and tells nothing of the photo.
pub fn tombstone(sequencer: Option<&Sequencer>, now: DateTime<Utc>) -> Attributes {
    let all = [
        ("sequencer", sequencer.and_then(|sequencer| text(sequencer.as_str()))),
        ("status", text("DELETED")),
        ("processedAt", text(iso8601(now))),
        ("expiresAt", number((now + TOMBSTONE_LIFE).timestamp())),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// The key up to its last `/`; `/` where that would be empty, which an index key may not be.
pub fn album(key: &str) -> &str {
    match key.rsplit_once('/') {
        Some((album, _)) if !album.is_empty() => album,
        _ => "/",
    }
}

fn status_attributes(
    status: &Status,
) -> (&'static str, Option<AttributeValue>, Option<AttributeValue>) {
    match status {
        Status::Ready(rendition) => {
            let thumbnail = map([
                ("bucket", text(&rendition.bucket)),
                ("key", text(&rendition.key)),
                ("width", number(rendition.size.width)),
                ("height", number(rendition.size.height)),
                ("bytes", number(rendition.bytes)),
                ("contentType", text("image/jpeg")),
            ]);
            ("READY", None, map([("thumbnail", thumbnail)]))
        }
        Status::Failed { failure, dead_letter_id } => {
            let failure = map([
                ("type", text(failure.error_type)),
                ("message", text(&failure.message)),
                ("deadLetterId", dead_letter_id.and_then(text)),
            ]);
            ("FAILED", failure, None)
        }
    }
}

fn location(location: &Location) -> Option<AttributeValue> {
    map([
        ("latitude", number(location.latitude)),
        ("longitude", number(location.longitude)),
        ("altitude", location.altitude.and_then(number)),
    ])
}

fn camera(camera: &Camera) -> Option<AttributeValue> {
    map([
        ("make", camera.make.as_ref().and_then(text)),
        ("model", camera.model.as_ref().and_then(text)),
        ("lens", camera.lens.as_ref().and_then(text)),
        ("software", camera.software.as_ref().and_then(text)),
    ])
}

fn exposure(exposure: &Exposure) -> Option<AttributeValue> {
    let time = exposure.time.as_ref();
    map([
        ("time", time.and_then(|time| text(&time.fraction))),
        ("seconds", time.and_then(|time| number(time.seconds))),
        ("fNumber", exposure.f_number.and_then(number)),
        ("iso", exposure.iso.and_then(number)),
        ("focalLength", exposure.focal_length.and_then(number)),
        ("focalLength35", exposure.focal_length_35mm.and_then(number)),
        ("flash", exposure.flash.map(AttributeValue::Bool)),
    ])
}

fn text(value: impl Into<String>) -> Option<AttributeValue> {
    Some(AttributeValue::S(value.into()))
}

fn number(value: impl ToString) -> Option<AttributeValue> {
    Some(AttributeValue::N(value.to_string()))
}

/// A map of what is there; absent rather than empty.
fn map<'a>(
    entries: impl IntoIterator<Item = (&'a str, Option<AttributeValue>)>,
) -> Option<AttributeValue> {
    let map: HashMap<String, AttributeValue> =
        entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    (!map.is_empty()).then_some(AttributeValue::M(map))
}

fn iso8601(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use photo::metadata::exif::MAX_TAGS;

    use super::super::sample::{created, failed, ready, rendition};
    use super::*;

    #[test]
    fn the_album_is_the_key_up_to_its_last_slash() {
        for (key, expected) in
            [("a/b/c.jpg", "a/b"), ("a/c.jpg", "a"), ("c.jpg", "/"), ("/c.jpg", "/"), ("a/", "a")]
        {
            assert_eq!(album(key), expected, "{key}");
        }
    }

    #[test]
    fn a_photo_without_exif_is_placed_on_the_timeline_by_its_upload() {
        let item = ready(&created());
        assert_eq!(item["timelineAt"], AttributeValue::S("2024-04-06T08:24:00.123Z".into()));
        for name in ["takenAt", "location", "camera", "exposure", "exif", "failure"] {
            assert!(!item.contains_key(name), "{name}");
        }
    }

    #[test]
    fn every_attribute_is_owned() {
        let removed = tombstone(Sequencer::new("1").as_ref(), DateTime::UNIX_EPOCH);
        for item in [ready(&created()), failed(), removed] {
            for name in item.keys() {
                assert!(OWNED.contains(name), "{name}");
            }
        }
    }

    #[test]
    fn a_failed_photo_has_no_renditions_and_says_why() {
        let item = failed();
        assert!(!item.contains_key("renditions"));
        assert_eq!(item["status"], AttributeValue::S("FAILED".into()));
        let failure = item["failure"].as_m().unwrap();
        assert_eq!(failure["type"], AttributeValue::S("EmptyPhoto".into()));
        assert_eq!(failure["message"], AttributeValue::S("the photo is empty".into()));
        assert_eq!(failure["deadLetterId"], AttributeValue::S("letter-1".into()));
    }

    /// Bytes that DynamoDB counts: names and values, and what a map and its entries take beside them
    /// (Developer Guide, "DynamoDB item sizes and formats").
    fn counted(value: &AttributeValue) -> usize {
        match value {
            AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
            AttributeValue::Bool(_) => 1,
            AttributeValue::M(map) => {
                3 + map.iter().map(|(name, value)| 1 + name.len() + counted(value)).sum::<usize>()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_item_stays_below_64_kb_whatever_the_file() {
        let longest = "x".repeat(1024);
        let created = ObjectEvent { key: longest.clone(), version_id: Some(longest), ..created() };
        // As much as there can be: see the documentation of each.
        let text = || Some("x".repeat(512));
        let camera = Camera { make: text(), model: text(), lens: text(), software: text() };
        let value = "y".repeat(16 * 1024 / MAX_TAGS - 4);
        let tags = (0..MAX_TAGS).map(|number| (format!("{number:04}"), value.clone())).collect();
        let facts = Facts { camera, tags, ..Facts::default() };
        let known = Known { facts, ..Known::default() };
        let failure = Failure::permanent("DecoderPanic", "é".repeat(100_000));
        let buried = Status::Failed { failure: &failure, dead_letter_id: Some("letter-1") };
        for status in [buried, Status::Ready(&rendition())] {
            let item = attributes(&created, &known, &status, DateTime::UNIX_EPOCH);
            let bytes: usize = item.iter().map(|(name, value)| name.len() + counted(value)).sum();
            assert!((16_000..40_000).contains(&bytes), "{bytes}");
        }
    }
}
