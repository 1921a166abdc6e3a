//! What S3 says: any payload in, photo events out. The one place where an object key is decoded.

use std::borrow::Cow;

use aws_lambda_events::s3::S3EventRecord;
use chrono::{DateTime, Utc};
use percent_encoding::percent_decode;
use serde::Deserialize;
use serde_json::Value;

/// One object's news, out of an event that may hold several.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A photo was created or overwritten.
    Created(Box<Created>),
    /// News of another kind, with what kind it is.
    Other(String),
    /// A record in which what a photo event must have is missing; with what, and the record itself.
    Unreadable {
        /// What is wrong with it.
        reason: String,
        /// As it came.
        record: Value,
    },
}

/// An object that S3 says was created.
#[derive(Clone, Debug, PartialEq)]
pub struct Created {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key, decoded.
    pub key: String,
    /// Bytes.
    pub size: Option<u64>,
    /// Without quotes.
    pub etag: Option<String>,
    /// Of a versioned bucket.
    pub version_id: Option<String>,
    /// The order of events of one key.
    pub sequencer: Option<Sequencer>,
    /// When S3 finished the request.
    pub time: DateTime<Utc>,
    /// The record as it came, for a dead letter.
    pub record: Value,
}

/// S3's order of the events of one key: hexadecimal numbers of differing length, to be compared
/// left-padded with zeros (Amazon S3 User Guide, "Event message structure").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sequencer(String);

impl Sequencer {
    /// Digits to which shorter sequencers are padded; S3's have had 16 and 18.
    pub const DIGITS: usize = 32;

    /// Upper-case and padded, so that the order of texts is the order of numbers. `None` for what
    /// is no such number.
    pub fn new(text: &str) -> Option<Sequencer> {
        let is_number = !text.is_empty()
            && text.len() <= Sequencer::DIGITS
            && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_number.then(|| Sequencer(format!("{:0>32}", text.to_ascii_uppercase())))
    }

    /// The 32 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The records of an event, or what was expected instead of it.
///
/// # Errors
/// A message for people if the payload is no event of S3.
pub fn records(payload: &Value) -> Result<Vec<Record>, String> {
    if let Some(Value::Array(records)) = payload.get("Records") {
        return Ok(records.iter().map(read_record).collect());
    }
    // What S3 sends when a notification is set up (S3 User Guide, "Event notification types").
    if payload.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
        return Ok(vec![Record::Other("s3:TestEvent".to_owned())]);
    }
    Err("the event is none that this function knows: it expects an S3 notification, \
         {\"Records\": [...]}, as the samples in events/ show"
        .to_owned())
}

fn read_record(record: &Value) -> Record {
    match read_created(record) {
        Ok(Ok(created)) => Record::Created(Box::new(created)),
        Ok(Err(other)) => Record::Other(other),
        Err(reason) => Record::Unreadable { reason, record: record.clone() },
    }
}

/// A created object, or in the inner error another kind of news, or in the outer what is missing.
fn read_created(value: &Value) -> Result<Result<Created, String>, String> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    match (text("eventSource"), text("eventName")) {
        (Some("aws:s3"), Some(name)) if is_created(name) => {}
        (source, name) => {
            let Some(name) = name else {
                return Err("the record has no eventName; an S3 record was expected".to_owned());
            };
            return Ok(Err(format!("{name} from {}", source.unwrap_or("an unnamed source"))));
        }
    }
    let record = S3EventRecord::deserialize(value)
        .map_err(|error| format!("the record is no S3 record: {error}"))?;
    let object = record.s3.object;
    let missing = |what| format!("the record has no {what}; an S3 record was expected");
    Ok(Ok(Created {
        bucket: record.s3.bucket.name.ok_or_else(|| missing("s3.bucket.name"))?,
        key: decode_key(&object.key.ok_or_else(|| missing("s3.object.key"))?)?,
        size: object.size.and_then(|size| u64::try_from(size).ok()),
        etag: object.e_tag.map(|etag| etag.trim_matches('"').to_owned()).filter(|e| !e.is_empty()),
        version_id: object.version_id.filter(|version| !version.is_empty()),
        sequencer: object.sequencer.as_deref().and_then(Sequencer::new),
        time: record.event_time,
        record: value.clone(),
    }))
}

/// Put, Post, Copy and CompleteMultipartUpload all create an object. The `s3:` prefix appears in
/// notification settings and in some senders' records.
fn is_created(event_name: &str) -> bool {
    event_name.trim_start_matches("s3:").starts_with("ObjectCreated:")
}

/// S3 notifications form-encode the key: `+` is a space, then `%XX` are bytes of UTF-8
/// (S3 User Guide, "Event message structure": "the object key name value is URL encoded").
fn decode_key(encoded: &str) -> Result<String, String> {
    let spaced = encoded.replace('+', " ");
    let key = percent_decode(spaced.as_bytes())
        .decode_utf8()
        .map(Cow::into_owned)
        .map_err(|_| "the object key is not UTF-8")?;
    if key.is_empty() {
        return Err("the object key is empty".to_owned());
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records of a sample in events/.
    fn sample(name: &str) -> Result<Vec<Record>, String> {
        let path = format!("{}/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        records(&serde_json::from_str(&text).unwrap())
    }

    fn created(name: &str) -> Created {
        match sample(name).unwrap().as_slice() {
            [Record::Created(created)] => (**created).clone(),
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn a_put_tells_everything_about_the_object() {
        let put = created("put");
        assert_eq!(put.bucket, "photos-originals-000000000000");
        assert_eq!(put.key, "tokyo/ref-5323x8000.jpg");
        assert_eq!(put.size, Some(3_165_832));
        assert_eq!(put.etag.as_deref(), Some("936bcb05997c4c4812eb695dac0aff00"));
        assert_eq!(put.version_id, None);
        assert_eq!(put.sequencer, Sequencer::new("0066112F8D1A2B3C4D"));
        assert_eq!(put.time.to_rfc3339(), "2024-04-06T08:24:00.123+00:00");
        assert_eq!(put.record["eventName"], "ObjectCreated:Put");
    }

    #[test]
    fn spaces_plus_signs_korean_and_emoji_in_keys_are_decoded_once() {
        assert_eq!(created("put-special-key").key, "서울 여행/a+b 100%/봄 🌸.jpg");
    }

    #[test]
    fn a_percent_sign_in_a_key_is_not_decoded_twice() {
        assert_eq!(decode_key("100%2525.jpg").as_deref(), Ok("100%25.jpg"));
        assert_eq!(decode_key("a%2Bb+c.jpg").as_deref(), Ok("a+b c.jpg"));
    }

    #[test]
    fn post_copy_multipart_and_overwrite_create_photos_too() {
        for (name, event_name) in [
            ("post", "ObjectCreated:Post"),
            ("copy", "ObjectCreated:Copy"),
            ("multipart", "ObjectCreated:CompleteMultipartUpload"),
            ("overwrite", "ObjectCreated:Put"),
        ] {
            assert_eq!(created(name).record["eventName"], event_name, "{name}");
        }
        assert!(created("multipart").etag.unwrap().ends_with("-1"));
        assert!(created("overwrite").sequencer > created("put").sequencer);
        assert_eq!(created("overwrite").key, created("put").key);
    }

    #[test]
    fn a_batch_gives_all_its_records_in_order() {
        let keys: Vec<String> = sample("batch-24")
            .unwrap()
            .into_iter()
            .map(|record| match record {
                Record::Created(created) => created.key,
                other => panic!("{other:?}"),
            })
            .collect();
        let expected: Vec<String> = (1..=24).map(|n| format!("tokyo/{n:02}.jpg")).collect();
        assert_eq!(keys, expected);
    }

    #[test]
    fn deletions_and_test_events_are_other_news() {
        let deletion = Record::Other("ObjectRemoved:Delete from aws:s3".to_owned());
        assert_eq!(sample("delete"), Ok(vec![deletion]));
        assert_eq!(sample("test-event"), Ok(vec![Record::Other("s3:TestEvent".to_owned())]));
    }

    #[test]
    fn an_unknown_event_is_refused_with_what_was_expected() {
        let message = sample("broken").unwrap_err();
        assert!(message.contains("expects an S3 notification"), "{message}");
        for payload in ["null", "[]", "{}", "\"text\"", "{\"Records\": {}}", "7"] {
            assert!(records(&serde_json::from_str(payload).unwrap()).is_err(), "{payload}");
        }
    }

    #[test]
    fn a_broken_record_is_told_apart_from_its_neighbours() {
        let mut event: Value = serde_json::from_str(include_str!("../events/put.json")).unwrap();
        let good = event["Records"][0].clone();
        let mut without_key = good.clone();
        without_key["s3"]["object"].as_object_mut().unwrap().remove("key");
        let mut not_utf8 = good.clone();
        not_utf8["s3"]["object"]["key"] = "%FF.jpg".into();
        event["Records"] = vec![without_key, Value::Null, not_utf8, good].into();
        let kinds: Vec<bool> = records(&event)
            .unwrap()
            .iter()
            .map(|record| matches!(record, Record::Unreadable { .. }))
            .collect();
        assert_eq!(kinds, [true, true, true, false]);
    }

    /// The put sample with one field of its object or of the record set to `value`.
    fn changed_put(path: &str, value: Value) -> Record {
        let mut event: Value = serde_json::from_str(include_str!("../events/put.json")).unwrap();
        *event["Records"][0].pointer_mut(path).unwrap() = value;
        records(&event).unwrap().remove(0)
    }

    #[test]
    fn quotes_and_empty_texts_are_no_part_of_a_fact() {
        let changed = |path, value: &str| match changed_put(path, value.into()) {
            Record::Created(created) => *created,
            other => panic!("{other:?}"),
        };
        assert_eq!(changed("/s3/object/eTag", "\"abc\"").etag.as_deref(), Some("abc"));
        assert_eq!(changed("/s3/object/eTag", "").etag, None);
        assert_eq!(changed("/s3/object/sequencer", "no number").sequencer, None);
        assert_eq!(changed("/eventName", "s3:ObjectCreated:Put").key, created("put").key);
    }

    #[test]
    fn an_empty_key_and_another_services_record_are_no_photos() {
        let empty_key = changed_put("/s3/object/key", "".into());
        assert!(matches!(empty_key, Record::Unreadable { .. }), "{empty_key:?}");
        let foreign = changed_put("/eventSource", "aws:sns".into());
        assert!(matches!(foreign, Record::Other(_)), "{foreign:?}");
    }

    #[test]
    fn sequencers_compare_as_hexadecimal_numbers() {
        let sequencer = |text| Sequencer::new(text).unwrap();
        assert!(sequencer("ff") < sequencer("0100"));
        assert_eq!(sequencer("00ab"), sequencer("AB"));
        assert_eq!(sequencer("0A").as_str(), "0000000000000000000000000000000A");
        assert_eq!(sequencer(&"F".repeat(32)).as_str(), "F".repeat(32));
        for text in ["", "xyz", "-1", &"1".repeat(33)] {
            assert_eq!(Sequencer::new(text), None, "{text:?}");
        }
    }
}
