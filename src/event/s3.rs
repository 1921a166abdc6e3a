//! The records of an S3 notification.
//!
//! Their shape and the names of events: Amazon S3 User Guide, "Event message structure" and
//! "Supported event types for SQS, SNS, and Lambda".

use aws_lambda_events::s3::S3Entity;
use serde::Deserialize;
use serde_json::{Value, json};

use super::key::Encoding;
use super::notice::{self, Change, RawObject};
use super::{Record, text};

/// One record of a `Records` array.
pub(super) fn read(record: &Value) -> Record {
    let Some(name) = text(record, "eventName") else {
        let reason = "the record has no eventName; an S3 record was expected".to_owned();
        return Record::Unreadable { reason, payload: alone(record) };
    };
    let source = text(record, "eventSource");
    let Some(change) = change(name).filter(|_| source == Some("aws:s3")) else {
        return Record::Other(format!("{name} from {}", source.unwrap_or("an unnamed source")));
    };
    notice::record(change, parse(record), alone(record))
}

/// The record as an event of its own.
pub(super) fn alone(record: &Value) -> Value {
    json!({"Records": [record]})
}

/// Put, Post, Copy and CompleteMultipartUpload all create an object. Lifecycle rules remove objects
/// under another name than requests do. The `s3:` prefix appears in notification settings and in
/// some senders' records.
fn change(event_name: &str) -> Option<Change> {
    let name = event_name.strip_prefix("s3:").unwrap_or(event_name);
    let (kind, _) = name.split_once(':')?;
    match kind {
        "ObjectCreated" => Some(Change::Created),
        "ObjectRemoved" | "LifecycleExpiration" => Some(Change::Removed),
        _ => None,
    }
}

/// The fields that identify the object, and no others: a record without, say, a `userIdentity` is
/// read as well.
fn parse(record: &Value) -> Result<RawObject, String> {
    // Else the reason would name types of Rust.
    let is_object = |part: &&str| record.pointer(part).is_some_and(Value::is_object);
    if let Some(part) = ["/s3", "/s3/bucket", "/s3/object"].iter().find(|part| !is_object(part)) {
        return Err(format!("the record is no S3 record: it has no object at {part}"));
    }
    let s3 = S3Entity::deserialize(&record["s3"])
        .map_err(|error| format!("the record is no S3 record: {error}"))?;
    Ok(RawObject {
        sender: "S3 record",
        bucket: s3.bucket.name,
        key: s3.object.key,
        // "The object key name value is URL encoded. For example, "red flower.jpg" becomes
        // "red+flower.jpg"" (S3 User Guide, "Event message structure").
        encoding: Encoding::Form,
        size: s3.object.size.and_then(|size| u64::try_from(size).ok()),
        etag: s3.object.e_tag,
        version_id: s3.object.version_id,
        sequencer: s3.object.sequencer,
        time: notice::time(text(record, "eventTime")),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{created, removed, sample};
    use super::super::{Event, Sequencer};
    use super::*;

    #[test]
    fn a_put_tells_everything_about_the_object() {
        let put = created("put");
        assert_eq!(put.bucket, "photos-originals-000000000000");
        assert_eq!(put.key, "tokyo/ref-5323x8000.jpg");
        assert_eq!(put.size, Some(3_165_832));
        assert_eq!(put.etag.as_deref(), Some("936bcb05997c4c4812eb695dac0aff00"));
        assert_eq!(put.version_id, None);
        assert_eq!(put.sequencer, Sequencer::new("0066112F8D1A2B3C4D"));
        assert_eq!(put.time.unwrap().to_rfc3339(), "2024-04-06T08:24:00.123+00:00");
        assert_eq!(put.payload, sample("put"));
    }

    #[test]
    fn spaces_plus_signs_korean_and_emoji_in_keys_are_decoded_once() {
        assert_eq!(created("put-special-key").key, "서울 여행/a+b 100%/봄 🌸.jpg");
    }

    #[test]
    fn post_copy_multipart_and_overwrite_create_photos_too() {
        for (name, event_name) in [
            ("post", "ObjectCreated:Post"),
            ("copy", "ObjectCreated:Copy"),
            ("multipart", "ObjectCreated:CompleteMultipartUpload"),
            ("overwrite", "ObjectCreated:Put"),
        ] {
            assert_eq!(created(name).payload["Records"][0]["eventName"], event_name, "{name}");
        }
        assert!(created("multipart").etag.unwrap().ends_with("-1"));
        assert!(created("overwrite").sequencer > created("put").sequencer);
        assert_eq!(created("overwrite").key, created("put").key);
    }

    #[test]
    fn deletions_delete_markers_and_expirations_remove_the_photo() {
        for name in ["delete", "delete-marker", "lifecycle-expiration"] {
            let removed = removed(name);
            assert_eq!(removed.key, "tokyo/ref-5323x8000.jpg", "{name}");
            assert!(removed.sequencer > created("overwrite").sequencer, "{name}");
            assert_eq!(removed.size, None, "{name}");
            assert_eq!(removed.payload, sample(name), "{name}");
        }
        let marker = Some("1QW9g1Z99LUNbvaaYVpW9xDlOLU.qxgF");
        assert_eq!(removed("delete-marker").version_id.as_deref(), marker);
    }

    #[test]
    fn a_batch_gives_all_its_records_in_order() {
        let Ok(Event::Notification(records)) = super::super::read(&sample("batch-24")) else {
            panic!("no notification");
        };
        let key = |record: &Record| {
            let Record::Notice(notice) = record else { panic!("{record:?}") };
            (notice.key.clone(), notice.payload["Records"].clone())
        };
        let expected: Vec<(String, Value)> = (1..=24)
            .map(|n| (format!("tokyo/{n:02}.jpg"), sample("batch-24")["Records"][n - 1].clone()))
            .map(|(key, record)| (key, json!([record])))
            .collect();
        assert_eq!(records.iter().map(key).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_broken_record_is_told_apart_from_its_neighbours() {
        let mut event = sample("put");
        let good = event["Records"][0].clone();
        let mut without_key = good.clone();
        without_key["s3"]["object"].as_object_mut().unwrap().remove("key");
        let mut not_utf8 = good.clone();
        not_utf8["s3"]["object"]["key"] = "%FF.jpg".into();
        event["Records"] = vec![without_key.clone(), Value::Null, not_utf8, good].into();
        let Ok(Event::Notification(records)) = super::super::read(&event) else {
            panic!("no notification");
        };
        let is_unreadable = |record: &Record| matches!(record, Record::Unreadable { .. });
        let kinds: Vec<bool> = records.iter().map(is_unreadable).collect();
        assert_eq!(kinds, [true, true, true, false]);
        let reason = "the S3 record has no object key".to_owned();
        let unreadable = Record::Unreadable { reason, payload: alone(&without_key) };
        assert_eq!(records.first(), Some(&unreadable));
    }

    /// The put sample's record with one field set to `value`.
    fn changed_put(path: &str, value: Value) -> Record {
        let mut record = sample("put")["Records"][0].clone();
        *record.pointer_mut(path).unwrap() = value;
        read(&record)
    }

    #[test]
    fn quotes_and_empty_texts_are_no_part_of_a_fact() {
        let changed = |path, value: &str| {
            let Record::Notice(notice) = changed_put(path, value.into()) else { panic!("{path}") };
            *notice
        };
        assert_eq!(changed("/s3/object/eTag", "\"abc\"").etag.as_deref(), Some("abc"));
        assert_eq!(changed("/s3/object/eTag", "").etag, None);
        assert_eq!(changed("/s3/object/sequencer", "no number").sequencer, None);
        assert_eq!(changed("/eventTime", "no time").time, None);
        assert_eq!(changed("/eventName", "s3:ObjectCreated:Put").key, created("put").key);
    }

    #[test]
    fn an_empty_key_and_an_empty_bucket_are_unreadable() {
        for path in ["/s3/object/key", "/s3/bucket/name", "/s3/object", "/s3"] {
            let record = changed_put(path, "".into());
            assert!(matches!(record, Record::Unreadable { .. }), "{path}: {record:?}");
        }
    }

    #[test]
    fn other_events_and_other_services_are_other_news() {
        for (path, value, kind) in [
            ("/eventSource", "aws:ses", "ObjectCreated:Put from aws:ses"),
            ("/eventName", "ObjectTagging:Put", "ObjectTagging:Put from aws:s3"),
            ("/eventName", "ObjectRestore:Completed", "ObjectRestore:Completed from aws:s3"),
            ("/eventName", "LifecycleTransition", "LifecycleTransition from aws:s3"),
            ("/eventName", "ObjectCreatedBy:Me", "ObjectCreatedBy:Me from aws:s3"),
        ] {
            assert_eq!(changed_put(path, value.into()), Record::Other(kind.to_owned()));
        }
    }

    #[test]
    fn a_record_without_its_objects_is_told_which_it_lacks() {
        for (s3, part) in [
            (json!(null), "/s3"),
            (json!([]), "/s3"),
            (json!({"object": {}}), "/s3/bucket"),
            (json!({"bucket": {}, "object": "a.jpg"}), "/s3/object"),
        ] {
            let reason = parse(&json!({"s3": s3})).err();
            let expected = format!("the record is no S3 record: it has no object at {part}");
            assert_eq!(reason, Some(expected));
        }
    }
}
