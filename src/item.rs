//! A photo's DynamoDB item: what is known of it, as typed attributes, and the write that commits it.
//!
//! The function owns every attribute in [`OWNED`] and no other: a write sets those it knows and
//! removes the rest of them, so that what the application keeps beside them (`app`) survives.

use std::cmp::Ordering;
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

/// An item as DynamoDB returns it.
pub type StoredItem = HashMap<String, AttributeValue>;

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

/// An UpdateItem's texts: one write that sets what is known, removes the rest, and holds only if
/// the item is not newer.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// `SET ... REMOVE ...`
    pub expression: String,
    /// What the stored item must be for the write to happen.
    pub condition: &'static str,
    /// `#name` to attribute name: many names are reserved words.
    pub names: HashMap<String, String>,
    /// `:name` to value.
    pub values: HashMap<String, AttributeValue>,
}

/// What the stored item must be for an event to write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Not of a newer event, nor of this one and done.
    NotNewer(Sequencer),
    /// What it was before the fetch: the `processedAt` it had then, if it was there. For events
    /// without a sequencer, of which nothing else says whether they are the newest.
    Unchanged(Option<String>),
}

impl Guard {
    fn condition(&self) -> &'static str {
        match self {
            Guard::NotNewer(_) => {
                "attribute_not_exists(#sequencer) OR #sequencer < :sequencer \
                 OR (#sequencer = :sequencer AND #status <> :ready)"
            }
            Guard::Unchanged(Some(_)) => "#processedAt = :seen",
            Guard::Unchanged(None) => "attribute_not_exists(#processedAt)",
        }
    }

    /// The values in the condition that are none of the item's own.
    fn values(&self) -> Option<(String, AttributeValue)> {
        match self {
            Guard::NotNewer(_) => Some((":ready".to_owned(), AttributeValue::S("READY".into()))),
            Guard::Unchanged(seen) => {
                seen.clone().map(|seen| (":seen".to_owned(), AttributeValue::S(seen)))
            }
        }
    }
}

impl Update {
    /// The write that makes `attributes` the whole of what the function says of a photo, if `guard`
    /// holds.
    pub fn new(attributes: Attributes, guard: &Guard) -> Update {
        let (known, unknown): (Vec<&str>, Vec<&str>) =
            OWNED.iter().partition(|name| attributes.contains_key(*name));
        let set: Vec<String> = known.iter().map(|name| format!("#{name} = :{name}")).collect();
        let remove: Vec<String> = unknown.iter().map(|name| format!("#{name}")).collect();
        let values = attributes.into_iter().map(|(name, value)| (format!(":{name}"), value));
        Update {
            // There is always something to remove: no status has `failure`, `renditions` and
            // `expiresAt`.
            expression: format!("SET {} REMOVE {}", set.join(", "), remove.join(", ")),
            condition: guard.condition(),
            names: OWNED.iter().map(|name| (format!("#{name}"), (*name).to_owned())).collect(),
            values: values.chain(guard.values()).collect(),
        }
    }

    /// Whether this very write has made the stored item what it is.
    pub fn is_done_in(&self, stored: &StoredItem) -> bool {
        ["status", "sequencer", "etag", "processedAt"]
            .iter()
            .all(|name| stored.get(*name) == self.values.get(&format!(":{name}")))
    }
}

/// How a stored item stands to an event about the same photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The event may write: there is no item, or an older or unfinished one.
    Open,
    /// The item is of a newer event, or this event's work is done.
    Superseded,
    /// This event's photo failed before, and this dead letter stands for it.
    Buried {
        /// SQS message id.
        dead_letter_id: String,
    },
}

impl Standing {
    /// The same rule as [`Guard`] gives to a write, for those who must know before they write.
    pub fn of(stored: Option<&StoredItem>, guard: &Guard) -> Standing {
        let is_open = match guard {
            Guard::NotNewer(sequencer) => match text_of(stored, "sequencer") {
                None => true,
                Some(stored_sequencer) => match stored_sequencer.cmp(sequencer.as_str()) {
                    Ordering::Less => return Standing::Open,
                    Ordering::Equal => text_of(stored, "status") != Some("READY"),
                    Ordering::Greater => false,
                },
            },
            Guard::Unchanged(seen) => text_of(stored, "processedAt") == seen.as_deref(),
        };
        match dead_letter_id(stored) {
            _ if !is_open => Standing::Superseded,
            Some(dead_letter_id) => Standing::Buried { dead_letter_id },
            None => Standing::Open,
        }
    }
}

/// The text of a stored item's attribute.
pub fn text_of<'a>(stored: Option<&'a StoredItem>, name: &str) -> Option<&'a str> {
    stored?.get(name)?.as_s().ok().map(String::as_str)
}

/// Whether a stored item is of a photo that is there, READY or not: not what was removed, nor only what
/// the application keeps.
pub fn is_of_photo(stored: Option<&StoredItem>) -> bool {
    matches!(text_of(stored, "status"), Some("READY" | "FAILED"))
}

fn dead_letter_id(stored: Option<&StoredItem>) -> Option<String> {
    let failure = stored?.get("failure")?.as_m().ok()?;
    failure.get("deadLetterId")?.as_s().ok().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{self, Event, Record};
    use photo::metadata::exif::MAX_TAGS;
    use serde_json::Value;

    fn created() -> ObjectEvent {
        let event: Value = serde_json::from_str(include_str!("../events/put.json")).unwrap();
        match event::read(&event) {
            Ok(Event::Notification(mut records)) => match records.remove(0) {
                Record::Created(created) => *created,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    fn rendition() -> Rendition {
        Rendition {
            bucket: "thumbnails".into(),
            key: "thumbnail/tokyo/ref-5323x8000.jpg".into(),
            size: Size { width: 1331, height: 2000 },
            bytes: 1234,
        }
    }

    fn ready(created: &ObjectEvent) -> Attributes {
        attributes(created, &Known::default(), &Status::Ready(&rendition()), DateTime::UNIX_EPOCH)
    }

    fn failed() -> Attributes {
        let failure = Failure::permanent("EmptyPhoto", "the photo is empty");
        let status = Status::Failed { failure: &failure, dead_letter_id: Some("letter-1") };
        attributes(&created(), &Known::default(), &status, DateTime::UNIX_EPOCH)
    }

    fn not_newer(sequencer: &str) -> Guard {
        Guard::NotNewer(Sequencer::new(sequencer).unwrap())
    }

    /// What DynamoDB would return of these attributes.
    fn stored(attributes: Attributes) -> StoredItem {
        attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

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

    #[test]
    fn a_write_sets_what_is_known_removes_what_is_not_and_touches_nothing_else() {
        let update = Update::new(failed(), &not_newer("1"));
        let (set, remove) = update.expression.split_once(" REMOVE ").unwrap();
        assert!(set.starts_with("SET #album = :album"), "{set}");
        for (name, is_set) in [("failure", true), ("renditions", false), ("takenAt", false)] {
            assert_eq!(set.contains(&format!("#{name} = :{name}")), is_set, "{name}");
            assert_eq!(remove.contains(&format!("#{name}")), !is_set, "{name}");
        }
        assert!(!update.names.values().any(|name| name == "app" || name == PHOTO_KEY));
    }

    #[test]
    fn every_value_of_a_write_is_used() {
        // DynamoDB refuses a write with an unused value or name.
        let unchanged = |seen: Option<&str>| Guard::Unchanged(seen.map(str::to_owned));
        for guard in [not_newer("1"), unchanged(None), unchanged(Some("2024"))] {
            let removed = tombstone(None, DateTime::UNIX_EPOCH);
            for attributes in [ready(&created()), failed(), removed] {
                let update = Update::new(attributes, &guard);
                let texts = format!("{} {}", update.expression, update.condition);
                for placeholder in update.values.keys().chain(update.names.keys()) {
                    assert!(texts.contains(placeholder.as_str()), "{placeholder} in {texts}");
                }
            }
        }
    }

    #[test]
    fn a_write_knows_the_item_that_it_has_made() {
        let update = Update::new(ready(&created()), &not_newer("66112F8D1A2B3C4D"));
        let item = stored(ready(&created()));
        assert!(update.is_done_in(&item));
        for (name, other) in
            [("status", "FAILED"), ("processedAt", "2024"), ("sequencer", "1"), ("etag", "e")]
        {
            let mut another = item.clone();
            another.insert(name.to_owned(), AttributeValue::S(other.to_owned()));
            assert!(!update.is_done_in(&another), "{name}");
            another.remove(name);
            assert!(!update.is_done_in(&another), "{name}");
        }
        let removal = Update::new(tombstone(None, DateTime::UNIX_EPOCH), &Guard::Unchanged(None));
        assert!(removal.is_done_in(&stored(tombstone(None, DateTime::UNIX_EPOCH))));
        assert!(!removal.is_done_in(&item));
    }

    #[test]
    fn an_event_stands_to_an_item_as_the_order_of_their_sequencers() {
        let item = stored(ready(&created()));
        let standing = |text| Standing::of(Some(&item), &not_newer(text));
        assert_eq!(standing("66112F8D1A2B3C4C"), Standing::Superseded, "older");
        assert_eq!(standing("66112F8D1A2B3C4D"), Standing::Superseded, "the same, done");
        assert_eq!(standing("66112F8D1A2B3C4E"), Standing::Open, "newer");
        assert_eq!(Standing::of(None, &not_newer("1")), Standing::Open, "no item");
    }

    #[test]
    fn an_event_without_a_sequencer_stands_behind_the_item_it_saw() {
        let item = stored(ready(&created()));
        let standing =
            |seen: Option<&str>| Standing::of(Some(&item), &Guard::Unchanged(seen.map(Into::into)));
        assert_eq!(standing(Some("1970-01-01T00:00:00.000Z")), Standing::Open, "unchanged");
        assert_eq!(standing(Some("1970-01-01T00:00:00.001Z")), Standing::Superseded, "changed");
        assert_eq!(standing(None), Standing::Superseded, "it was not there");
        assert_eq!(Standing::of(None, &Guard::Unchanged(None)), Standing::Open, "nor is it now");
    }

    #[test]
    fn an_item_that_nothing_orders_or_finishes_is_open() {
        let mut unordered = stored(ready(&created()));
        unordered.remove("sequencer");
        let mut without_letter = stored(failed());
        without_letter.remove("failure");
        for item in [unordered, without_letter] {
            assert_eq!(Standing::of(Some(&item), &not_newer("66112F8D1A2B3C4D")), Standing::Open);
        }
    }

    #[test]
    fn a_failed_photo_is_buried_once_for_each_event() {
        let item = stored(failed());
        let buried = Standing::Buried { dead_letter_id: "letter-1".into() };
        assert_eq!(Standing::of(Some(&item), &not_newer("66112F8D1A2B3C4D")), buried);
        assert_eq!(Standing::of(Some(&item), &not_newer("66112F8D1A2B3C4E")), Standing::Open);
        let seen = Guard::Unchanged(Some("1970-01-01T00:00:00.000Z".into()));
        assert_eq!(Standing::of(Some(&item), &seen), buried);
    }
}
