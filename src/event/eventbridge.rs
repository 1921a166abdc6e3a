//! S3's events by way of EventBridge.
//!
//! Their shape: Amazon S3 User Guide, "EventBridge event message structure".

use serde::Deserialize;
use serde_json::Value;

use super::key::Encoding;
use super::notice::{self, Change, RawObject};
use super::{Record, text};

/// What is asked of an event's `detail`.
#[derive(Deserialize)]
#[serde(expecting = "an object `detail`")]
struct Detail {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
#[serde(expecting = "an object `bucket`")]
struct Bucket {
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", expecting = "an object `object`")]
struct Object {
    key: Option<String>,
    size: Option<u64>,
    etag: Option<String>,
    version_id: Option<String>,
    sequencer: Option<String>,
}

/// `None` if the payload is no event of EventBridge.
pub(super) fn read(event: &Value) -> Option<Record> {
    let (detail_type, source) = (text(event, "detail-type")?, text(event, "source")?);
    Some(match change(detail_type, source) {
        Some(change) => notice::record(change, parse(event), event.clone()),
        None => Record::Other(format!("{detail_type} from {source}")),
    })
}

/// A deletion by a request, by a lifecycle rule and by a delete marker all have the same type; only
/// `deletion-type` and `reason` differ.
fn change(detail_type: &str, source: &str) -> Option<Change> {
    match (source, detail_type) {
        ("aws.s3", "Object Created") => Some(Change::Created),
        ("aws.s3", "Object Deleted") => Some(Change::Removed),
        _ => None,
    }
}

fn parse(event: &Value) -> Result<RawObject, String> {
    let detail = Detail::deserialize(&event["detail"])
        .map_err(|error| format!("the EventBridge event is none of S3: {error}"))?;
    Ok(RawObject {
        sender: "EventBridge event",
        bucket: detail.bucket.name,
        key: detail.object.key,
        // Unlike a notification's, the key of an EventBridge event is not encoded.
        encoding: Encoding::Plain,
        size: detail.object.size,
        etag: detail.object.etag,
        version_id: detail.object.version_id,
        sequencer: detail.object.sequencer,
        time: notice::time(text(event, "time")),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{created, removed, sample};
    use super::super::{Notice, Sequencer};
    use super::*;

    #[test]
    fn an_object_created_tells_what_the_notification_tells() {
        let (bridged, notified) = (created("eventbridge-created"), created("put"));
        assert_eq!(bridged.payload, sample("eventbridge-created"));
        assert_eq!(bridged.time.unwrap().to_rfc3339(), "2024-04-06T08:24:00+00:00");
        let same = Notice { payload: notified.payload.clone(), time: notified.time, ..bridged };
        assert_eq!(same, notified);
    }

    #[test]
    fn an_object_deleted_removes_the_photo() {
        let deleted = removed("eventbridge-deleted");
        assert_eq!(deleted.key, "tokyo/ref-5323x8000.jpg");
        assert_eq!(deleted.size, None);
        assert_eq!(deleted.version_id.as_deref(), Some("1QW9g1Z99LUNbvaaYVpW9xDlOLU.qxgF"));
        assert_eq!(deleted.sequencer, Sequencer::new("0066112FC4D1E2F301"));
        assert_eq!(deleted.payload, sample("eventbridge-deleted"));
    }

    /// The sample with one field set to `value`.
    fn changed(path: &str, value: &str) -> Option<Record> {
        let mut event = sample("eventbridge-created");
        *event.pointer_mut(path).unwrap() = value.into();
        read(&event)
    }

    #[test]
    fn a_key_is_taken_as_it_is() {
        let Some(Record::Notice(created)) = changed("/detail/object/key", "a+b %2B.jpg") else {
            panic!("not created");
        };
        assert_eq!(created.key, "a+b %2B.jpg");
    }

    #[test]
    fn other_events_are_other_news() {
        let tags = Record::Other("Object Tags Added from aws.s3".to_owned());
        assert_eq!(changed("/detail-type", "Object Tags Added"), Some(tags));
        let foreign = Record::Other("Object Created from my.app".to_owned());
        assert_eq!(changed("/source", "my.app"), Some(foreign));
    }

    #[test]
    fn an_event_without_bucket_or_key_is_unreadable_and_kept_whole() {
        for path in ["/detail", "/detail/bucket", "/detail/bucket/name", "/detail/object/key"] {
            let Some(Record::Unreadable { payload, .. }) = changed(path, "") else {
                panic!("{path} was readable");
            };
            assert_eq!(payload["id"], sample("eventbridge-created")["id"], "{path}");
        }
    }

    #[test]
    fn an_event_without_its_objects_is_told_which_it_lacks() {
        for (detail, part) in [
            (json!(null), "`detail`"),
            (json!({"bucket": null, "object": {}}), "`bucket`"),
            (json!({"bucket": {}, "object": "a.jpg"}), "`object`"),
        ] {
            let reason = parse(&json!({"detail": detail})).err().unwrap();
            assert!(reason.ends_with(&format!("expected an object {part}")), "{reason}");
        }
    }
}
