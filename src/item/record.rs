//! A photo, or the tombstone of one, as its item is written.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use photo::metadata::{Camera, Exposure, Location, OffsetSource, TimeSource};
use photo::{Facts, Format, Size};
use serde::Serialize;

use super::{RenditionRef, Status};
use crate::disposition::Rejection;
use crate::event::Sequencer;

/// How long a tombstone stays: an event is tried again for 6 hours.
const TOMBSTONE_LIFE: TimeDelta = TimeDelta::days(1);

/// A version of an original, as S3 has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// ETag of the object, without quotes.
    pub etag: String,
    /// Size of the object in bytes.
    pub bytes: Option<u64>,
    /// Version ID of the object, in a versioned bucket.
    pub version_id: Option<String>,
    /// Time of the upload.
    pub uploaded_at: Option<DateTime<Utc>>,
    /// SHA-256 of the object's bytes in base64, once they were fetched.
    pub content_sha256: Option<String>,
}

/// What is known of a photo's content, whether or not it could be decoded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhotoInfo {
    /// Format of the content.
    pub format: Option<Format>,
    /// Size of the photo as displayed, after orientation.
    pub size: Option<Size>,
    /// Facts of the metadata.
    pub facts: Facts,
}

/// A rendition, as an item tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Rendition {
    /// It was stored.
    Stored(StoredRendition),
    /// It cannot be made of this photo, although the photo has others.
    Absent {
        /// The version that it would have.
        version: String,
        /// Why it cannot be made.
        absent: &'static str,
    },
}

/// A rendition that was stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredRendition {
    /// Bucket, key and version.
    #[serde(flatten)]
    pub stored_as: RenditionRef,
    /// Size as displayed.
    #[serde(flatten)]
    pub size: Size,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Media type of the file.
    pub content_type: &'static str,
    /// The ThumbHash in base64, of the default rendition.
    pub thumb_hash: Option<String>,
}

/// How a photo ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome<'a> {
    /// Its renditions are there, by their names.
    Ready(&'a BTreeMap<String, Rendition>),
    /// It will never have renditions.
    Failed {
        /// Why not.
        reason: &'a Rejection,
        /// SQS message ID of the dead letter, if it is a dead letter that keeps the photo.
        dead_letter_id: Option<&'a str>,
    },
}

/// Everything that the function says of a photo: it owns these attributes and no others. Its writes set
/// those that are known and remove the rest, so that what the application keeps beside them (`app`)
/// survives.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record<'a> {
    album: Option<&'a str>,
    content_key: Option<String>,
    sequencer: Option<&'a str>,
    status: Status,
    failure: Option<Failure<'a>>,
    original: Option<Original<'a>>,
    renditions: Option<&'a BTreeMap<String, Rendition>>,
    taken_at: Option<String>,
    taken: Option<Taken>,
    timeline_at: Option<String>,
    location: Option<&'a Location>,
    camera: Option<&'a Camera>,
    exposure: Option<&'a Exposure>,
    exif: Option<&'a BTreeMap<String, String>>,
    processed_at: String,
    expires_at: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure<'a> {
    r#type: &'static str,
    message: String,
    dead_letter_id: Option<&'a str>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Original<'a> {
    bucket: &'a str,
    version_id: Option<&'a str>,
    etag: &'a str,
    bytes: Option<u64>,
    width: Option<u32>,
    height: Option<u32>,
    format: Option<&'static str>,
    orientation: Option<u16>,
    uploaded_at: Option<String>,
    content_sha256: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Taken {
    source: TimeSource,
    offset_source: Option<OffsetSource>,
}

/// Where a photo is and which event speaks of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Subject<'a> {
    /// Bucket of the original.
    pub bucket: &'a str,
    /// Decoded key of the original.
    pub key: &'a str,
    /// Beginning of every original's key.
    pub prefix: &'a str,
    /// Sequencer of the event, if there is one.
    pub sequencer: Option<&'a Sequencer>,
}

impl<'a> Record<'a> {
    /// A photo's record, to be written at `processed_at`.
    pub fn photo(
        subject: Subject<'a>,
        version: &'a Version,
        info: &'a PhotoInfo,
        outcome: &Outcome<'a>,
        processed_at: DateTime<Utc>,
    ) -> Record<'a> {
        let PhotoInfo { facts, format, size } = info;
        let taken_at = facts.taken_at.as_ref();
        let uploaded_at = version.uploaded_at;
        let content_sha256 = version.content_sha256.as_deref();
        let (status, failure, renditions) = match outcome {
            Outcome::Ready(renditions) => (Status::Ready, None, Some(*renditions)),
            Outcome::Failed { reason, dead_letter_id } => {
                let (r#type, message) = (reason.name(), reason.message());
                let failure = Failure { r#type, message, dead_letter_id: *dead_letter_id };
                (Status::Failed, Some(failure), None)
            }
        };
        Record {
            album: Some(album(subject.key)),
            content_key: content_sha256
                .filter(|_| status == Status::Ready)
                .and_then(|sha256| content_key(subject.prefix, subject.key, sha256)),
            sequencer: subject.sequencer.map(Sequencer::as_str),
            status,
            failure,
            original: Some(Original {
                bucket: subject.bucket,
                version_id: version.version_id.as_deref(),
                etag: &version.etag,
                bytes: version.bytes,
                width: size.map(|size| size.width),
                height: size.map(|size| size.height),
                format: format.map(Format::name),
                orientation: facts.orientation,
                uploaded_at: uploaded_at.map(iso8601),
                content_sha256,
            }),
            renditions,
            taken_at: taken_at.map(|taken| taken.iso8601()),
            taken: taken_at.map(|taken| Taken {
                source: taken.source(),
                offset_source: taken.offset_source(),
            }),
            timeline_at: Some(match taken_at {
                Some(taken) => taken.timeline(),
                None => timeline(uploaded_at.unwrap_or(processed_at)),
            }),
            location: facts.location.as_ref(),
            camera: Some(&facts.camera),
            exposure: Some(&facts.exposure),
            exif: Some(&facts.tags),
            processed_at: iso8601(processed_at),
            expires_at: None,
        }
    }

    /// What stays of a photo that was removed, so that an older event, which comes late, cannot bring it
    /// back. It is in no index, tells nothing about the photo, and DynamoDB removes it after a day.
    pub fn tombstone(sequencer: Option<&'a Sequencer>, now: DateTime<Utc>) -> Record<'a> {
        Record {
            album: None,
            content_key: None,
            sequencer: sequencer.map(Sequencer::as_str),
            status: Status::Deleted,
            failure: None,
            original: None,
            renditions: None,
            taken_at: None,
            taken: None,
            timeline_at: None,
            location: None,
            camera: None,
            exposure: None,
            exif: None,
            processed_at: iso8601(now),
            expires_at: Some((now + TOMBSTONE_LIFE).timestamp()),
        }
    }
}

/// The album of a photo: its key up to its last `/`; `/` where that would be empty, as the key of an index may not be.
pub fn album(key: &str) -> &str {
    match key.rsplit_once('/') {
        Some((album, _)) if !album.is_empty() => album,
        Some(_) | None => "/",
    }
}

/// What photos of the same content below the same root of albums have in common: the first segment of the key
/// behind `prefix`, and the SHA-256 of the bytes in base64. None for a key without an album: such photos may be
/// anybody's.
pub fn content_key(prefix: &str, key: &str, sha256: &str) -> Option<String> {
    let (root, _) = key.strip_prefix(prefix)?.split_once('/')?;
    (!root.is_empty()).then(|| format!("{root}/{sha256}"))
}

pub(super) fn iso8601(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A time of the width of [`photo::metadata::TakenAt::timeline`].
fn timeline(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.3f").to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use aws_sdk_dynamodb::types::AttributeValue;
    use photo::PhotoError;
    use photo::metadata::MAX_TAGS;

    use super::super::sample::{attributes, failed, put, ready, renditions, subject, version};
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
    fn a_photo_without_exif_is_placed_on_the_timeline_by_its_upload_in_utc() {
        let item = attributes(&ready());
        assert_eq!(item["timelineAt"], AttributeValue::S("2024-04-06T08:24:00.123".into()));
        for name in ["takenAt", "taken", "location", "camera", "exposure", "exif", "failure"] {
            assert!(!item.contains_key(name), "{name}");
        }
    }

    #[test]
    fn a_ready_photo_names_its_original_and_its_renditions() {
        let item = attributes(&ready());
        assert_eq!(item["status"], AttributeValue::S("READY".into()));
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let number = |value: &str| AttributeValue::N(value.to_owned());
        let expected = HashMap::from(
            [
                ("bucket", text("thumbnails")),
                ("key", text("thumbnail/tokyo/ref-5323x8000.jpg")),
                ("version", text("0123abcd")),
                ("width", number("1331")),
                ("height", number("2000")),
                ("bytes", number("1234")),
                ("contentType", text("image/jpeg")),
                ("thumbHash", text("1QcSHQRnh493V4dIh4eXh1h4kJUI")),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        let renditions = item["renditions"].as_m().unwrap();
        assert_eq!(renditions["thumbnail"].as_m().unwrap(), &expected);
        let original = item["original"].as_m().unwrap();
        assert_eq!(original["etag"], text("936bcb05997c4c4812eb695dac0aff00"));
        assert_eq!(original["bytes"], number("3165832"));
        assert_eq!(original["uploadedAt"], text("2024-04-06T08:24:00.123Z"));
        assert!(!original.contains_key("versionId"));
    }

    #[test]
    fn a_failed_photo_has_no_renditions_and_says_why() {
        let item = attributes(&failed());
        assert!(!item.contains_key("renditions"));
        assert_eq!(item["status"], AttributeValue::S("FAILED".into()));
        let failure = item["failure"].as_m().unwrap();
        assert_eq!(failure["type"], AttributeValue::S("EmptyPhoto".into()));
        assert_eq!(failure["message"], AttributeValue::S(PhotoError::Empty.to_string()));
        assert_eq!(failure["deadLetterId"], AttributeValue::S("letter-1".into()));
    }

    #[test]
    fn only_ready_photos_below_an_album_can_be_found_by_their_content() {
        let root = |prefix, key| content_key(prefix, key, "AAAA=");
        for (prefix, key, expected) in [
            ("", "tokyo/a.jpg", Some("tokyo/AAAA=")),
            ("", "erika/tokyo/a.jpg", Some("erika/AAAA=")),
            ("uploads/", "uploads/tokyo/a.jpg", Some("tokyo/AAAA=")),
            ("uploads/", "uploads/a.jpg", None),
            ("", "a.jpg", None),
            ("", "/a.jpg", None),
            ("uploads/", "tokyo/a.jpg", None),
        ] {
            assert_eq!(root(prefix, key).as_deref(), expected, "{prefix} {key}");
        }
        let content = attributes(&ready())["contentKey"].clone();
        assert_eq!(content, AttributeValue::S(format!("tokyo/{}", "A".repeat(43) + "=")));
        let failed = attributes(&failed());
        assert!(!failed.contains_key("contentKey"));
        assert!(failed["original"].as_m().unwrap().contains_key("contentSha256"));
    }

    #[test]
    fn a_tombstone_tells_nothing_about_the_photo() {
        let sequencer = Sequencer::new("1");
        let item = attributes(&Record::tombstone(sequencer.as_ref(), DateTime::UNIX_EPOCH));
        let mut names: Vec<&str> = item.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["expiresAt", "processedAt", "sequencer", "status"]);
        assert_eq!(item["expiresAt"], AttributeValue::N("86400".into()));
    }

    /// Bytes that DynamoDB counts: names and values, and what a map and its entries take beside them
    /// (Developer Guide, "DynamoDB item sizes and formats").
    fn counted(value: &AttributeValue) -> usize {
        if let Ok(map) = value.as_m() {
            return map.iter().fold(3, |sum, (name, value)| sum + 1 + name.len() + counted(value));
        }
        let text = value.as_s().or_else(|_| value.as_n());
        text.map_or_else(|other| other.as_bool().map(|_| 1).unwrap(), String::len)
    }

    #[test]
    fn an_item_stays_below_64_kb_whatever_the_file() {
        let longest = "x".repeat(1024);
        let version = Version { version_id: Some(longest.clone()), ..version() };
        // As much as there can be: see the documentation of each.
        let text = || Some("x".repeat(512));
        let camera = Camera { make: text(), model: text(), lens: text(), software: text() };
        let value = "y".repeat(16 * 1024 / MAX_TAGS - 4);
        let tags = (0..MAX_TAGS).map(|number| (format!("{number:04}"), value.clone())).collect();
        let facts = Facts { camera, tags, ..Facts::default() };
        let info = PhotoInfo { facts, ..PhotoInfo::default() };
        let reason = Rejection::Photo(PhotoError::DecoderPanic("é".repeat(100_000)));
        let failed = Outcome::Failed { reason: &reason, dead_letter_id: Some("letter-1") };
        let (put, renditions) = (put(), renditions());
        for outcome in [failed, Outcome::Ready(&renditions)] {
            let subject = Subject { key: &longest, ..subject(&put) };
            let now = DateTime::UNIX_EPOCH;
            let item = attributes(&Record::photo(subject, &version, &info, &outcome, now));
            let bytes: usize = item.iter().map(|(name, value)| name.len() + counted(value)).sum();
            assert!((16_000..40_000).contains(&bytes), "{bytes}");
        }
    }
}
