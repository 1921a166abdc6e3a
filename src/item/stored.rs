//! What a stored item tells the next event about the same photo.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

use crate::event::Sequencer;

/// The status of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// The photo has its renditions.
    Ready,
    /// The photo will never have renditions.
    Failed,
    /// The photo was removed: the item is a tombstone.
    Deleted,
}

/// Where a rendition is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// Name of the bucket.
    pub bucket: String,
    /// Key of the rendition.
    pub key: String,
}

/// A rendition as an item names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct RenditionRef {
    /// Bucket and key.
    #[serde(flatten)]
    pub place: Place,
    /// Version: 8 hexadecimal digits of a hash over the original's ETag and the settings.
    pub version: String,
}

/// Renditions of one photo by their names.
pub type RenditionRefs = BTreeMap<String, RenditionRef>;

/// The attributes by which events decide. A value of another type than the function writes counts as
/// missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Stored {
    /// Status of the item; none where only the application has written it.
    pub status: Option<Status>,
    /// ETag of the original, without quotes.
    pub etag: Option<String>,
    /// Sequencer of the event that wrote the item.
    pub sequencer: Option<Sequencer>,
    /// Time of that write, ISO 8601 UTC with milliseconds.
    pub processed_at: Option<String>,
    /// SQS message ID of the dead letter that keeps a FAILED photo.
    pub dead_letter_id: Option<String>,
    /// Size of the original in bytes.
    pub bytes: Option<u64>,
    /// Renditions of the photo.
    pub renditions: RenditionRefs,
    /// The versions of those that could not be made of it, by their names.
    pub absent: BTreeMap<String, String>,
    /// Every place where a rendition of the photo may be, former ones included.
    pub places: BTreeSet<Place>,
}

impl Stored {
    /// The attributes of an item as DynamoDB returns it.
    pub fn parse(item: &HashMap<String, AttributeValue>) -> Stored {
        let original = item.get("original").and_then(map);
        let failure = item.get("failure").and_then(map);
        Stored {
            status: text(item, "status").as_deref().and_then(Status::parse),
            etag: original.and_then(|original| text(original, "etag")),
            sequencer: text(item, "sequencer").as_deref().and_then(Sequencer::new),
            processed_at: text(item, "processedAt"),
            dead_letter_id: failure.and_then(|failure| text(failure, "deadLetterId")),
            bytes: original.and_then(|original| original.get("bytes")?.as_n().ok()?.parse().ok()),
            renditions: item.get("renditions").map(renditions).unwrap_or_default(),
            absent: item.get("renditions").map(absent).unwrap_or_default(),
            places: item.get("places").map(places).unwrap_or_default(),
        }
    }

    /// Whether the item is of a photo that is there, READY or not.
    pub fn is_of_photo(&self) -> bool {
        matches!(self.status, Some(Status::Ready | Status::Failed))
    }

    /// Whether the original of this ETag is READY, with whichever renditions.
    pub fn is_ready(&self, etag: &str) -> bool {
        self.status == Some(Status::Ready) && self.etag.as_deref() == Some(etag)
    }

    /// Whether nothing is left to do for the original of this ETag: it is READY with these renditions, but for
    /// those that could not be made.
    pub fn is_finished(&self, etag: &str, renditions: &RenditionRefs) -> bool {
        let is_done = |(name, rendition): (&String, &RenditionRef)| {
            self.renditions.get(name) == Some(rendition)
                || self.absent.get(name) == Some(&rendition.version)
        };
        self.is_ready(etag)
            && self.renditions.len() + self.absent.len() == renditions.len()
            && renditions.iter().all(is_done)
    }

    /// Whether both are of one and the same write, which may have found places that are not its own.
    pub fn is_same_write(&self, other: &Stored) -> bool {
        let of = |stored: &Stored| Stored { places: BTreeSet::new(), ..stored.clone() };
        of(self) == of(other)
    }
}

impl Status {
    /// The status as items have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Ready => "READY",
            Status::Failed => "FAILED",
            Status::Deleted => "DELETED",
        }
    }

    fn parse(text: &str) -> Option<Status> {
        [Status::Ready, Status::Failed, Status::Deleted]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

fn map(value: &AttributeValue) -> Option<&HashMap<String, AttributeValue>> {
    value.as_m().ok()
}

fn text(map: &HashMap<String, AttributeValue>, name: &str) -> Option<String> {
    map.get(name)?.as_s().ok().cloned()
}

impl Place {
    /// The place as an item's `places` have it: no bucket's name has a slash.
    pub(super) fn as_text(&self) -> String {
        format!("{}/{}", self.bucket, self.key)
    }

    fn parse(text: &str) -> Option<Place> {
        let (bucket, key) = text.split_once('/')?;
        Some(Place { bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

fn places(value: &AttributeValue) -> BTreeSet<Place> {
    value.as_ss().into_iter().flatten().filter_map(|text| Place::parse(text)).collect()
}

/// The renditions of a map from names to maps. Those without bucket or key are nowhere, so they count as
/// missing.
fn renditions(value: &AttributeValue) -> RenditionRefs {
    let named = map(value).into_iter().flatten();
    let parsed = named.filter_map(|(name, rendition)| {
        let rendition = map(rendition)?;
        let (bucket, key) = (text(rendition, "bucket")?, text(rendition, "key")?);
        let version = text(rendition, "version").unwrap_or_default();
        Some((name.clone(), RenditionRef { place: Place { bucket, key }, version }))
    });
    parsed.collect()
}

/// The versions of the renditions that could not be made.
fn absent(value: &AttributeValue) -> BTreeMap<String, String> {
    let named = map(value).into_iter().flatten();
    let parsed = named.filter_map(|(name, rendition)| {
        let rendition = map(rendition)?;
        text(rendition, "absent")?;
        Some((name.clone(), text(rendition, "version")?))
    });
    parsed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_photo_is_finished_with_all_renditions_that_can_be_made_of_it() {
        let rendition = |version: &str| {
            let place = Place { bucket: "b".to_owned(), key: "k".to_owned() };
            RenditionRef { place, version: version.to_owned() }
        };
        let refs = |names: &[(&str, &str)]| -> RenditionRefs {
            names.iter().map(|(name, version)| ((*name).to_owned(), rendition(version))).collect()
        };
        let stored = Stored {
            status: Some(Status::Ready),
            etag: Some("e".to_owned()),
            renditions: refs(&[("thumbnail", "1")]),
            absent: BTreeMap::from([("share".to_owned(), "2".to_owned())]),
            ..Stored::default()
        };
        assert!(stored.is_finished("e", &refs(&[("thumbnail", "1"), ("share", "2")])));
        for (etag, wanted) in [
            ("other", &[("thumbnail", "1"), ("share", "2")][..]),
            ("e", &[("thumbnail", "1"), ("share", "3")]),
            ("e", &[("thumbnail", "2"), ("share", "2")]),
            ("e", &[("thumbnail", "1")]),
            ("e", &[("thumbnail", "1"), ("share", "2"), ("grid", "4")]),
            ("e", &[("thumbnail", "1"), ("grid", "2")]),
        ] {
            assert!(!stored.is_finished(etag, &refs(wanted)), "{etag} {wanted:?}");
        }
    }

    #[test]
    fn a_status_is_written_and_read_under_the_same_name() {
        for status in [Status::Ready, Status::Failed, Status::Deleted] {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
        assert_eq!(Status::parse("ready"), None);
    }

    #[test]
    fn an_item_of_the_application_alone_says_nothing() {
        let app = AttributeValue::M(HashMap::new());
        let item = Stored::parse(&HashMap::from([("app".to_owned(), app)]));
        assert_eq!(item, Stored::default());
        assert!(!item.is_of_photo());
    }

    #[test]
    fn values_of_other_types_count_as_missing() {
        let number = AttributeValue::N("1".to_owned());
        let names =
            ["status", "original", "sequencer", "processedAt", "failure", "renditions", "places"];
        let item = names.map(|name| (name.to_owned(), number.clone()));
        assert_eq!(Stored::parse(&HashMap::from(item)), Stored::default());
        let nowhere = AttributeValue::M(HashMap::from([("thumbnail".to_owned(), number)]));
        let item = HashMap::from([("renditions".to_owned(), nowhere)]);
        assert_eq!(Stored::parse(&item), Stored::default());
    }
}
