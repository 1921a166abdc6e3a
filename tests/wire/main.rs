//! What each answer of S3, DynamoDB and SQS means: literal answers on the wire, and the class that the
//! function gives them.

#[path = "../common/service.rs"]
mod service;

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use chrono::DateTime;
use serde_json::Value;
use thumbnailer::config::Config;
use thumbnailer::event::{ObjectEvent, Sequencer};
use thumbnailer::failure::{Class, Failure};
use thumbnailer::item::{self, Guard, Update};
use thumbnailer::store::Store;
use tokio::time::timeout;

use service::{Answer, Service};

fn store(service: &Service) -> Store {
    let aws = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(&service.endpoint)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "id", "secret", None, None, "test",
        )))
        .build();
    Store::new(&aws)
}

fn config() -> Config {
    let settings = |name: &str| match name {
        "ORIGINALS_BUCKET" => Some("originals".to_owned()),
        "THUMBNAILS_BUCKET" => Some("thumbnails".to_owned()),
        "PHOTOS_TABLE" => Some("photos".to_owned()),
        "DEAD_LETTER_QUEUE_URL" => Some("https://sqs.us-east-1.amazonaws.com/1/letters".to_owned()),
        _ => None,
    };
    Config::read(settings).unwrap()
}

fn photo() -> ObjectEvent {
    ObjectEvent {
        bucket: "originals".into(),
        key: "tokyo/a b.jpg".into(),
        size: Some(5),
        etag: Some("abc".into()),
        version_id: None,
        sequencer: Sequencer::new("1"),
        time: None,
        payload: Value::Null,
    }
}

/// What comes of a fetch, and how often it was tried.
async fn fetch(answers: &[Answer]) -> (Result<Vec<u8>, Failure>, usize) {
    let service = Service::start(answers).await;
    let fetched = store(&service).fetch(&photo(), 1000).await;
    (fetched.map(|original| original.photo), service.requests().len())
}

/// An answer of S3's that is an error.
fn s3_error(status: &str, code: &str) -> Answer {
    let body = format!("<Error><Code>{code}</Code><Message>The reason.</Message></Error>");
    Answer::new(status, &[("Content-Type", "application/xml")], body.as_bytes())
}

/// The connection ends when this much of the body was sent.
fn cut(mut answer: Answer, body: usize) -> Answer {
    let head = answer.bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    answer.bytes.truncate(head + body);
    answer
}

const WHOLE: &[(&str, &str)] = &[("ETag", "\"abc\""), ("x-amz-checksum-crc32", "NhCmhg==")]; // of "hello"

#[tokio::test]
async fn what_s3_answers_to_a_fetch_has_its_class() {
    for (status, code, class, error_type, tries) in [
        ("404 Not Found", "NoSuchKey", Class::Ignored, "ObjectGone", 1),
        ("412 Precondition Failed", "PreconditionFailed", Class::Superseded, "Superseded", 1),
        ("403 Forbidden", "InvalidObjectState", Class::Permanent, "ArchivedPhoto", 1),
        ("403 Forbidden", "AccessDenied", Class::Transient, "S3CallFailed", 1),
        ("404 Not Found", "NoSuchBucket", Class::Transient, "S3CallFailed", 1),
        ("503 Slow Down", "SlowDown", Class::Transient, "S3CallFailed", 3),
        ("500 Internal Server Error", "InternalError", Class::Transient, "S3CallFailed", 3),
    ] {
        let (fetched, tried) = fetch(&[s3_error(status, code)]).await;
        let failure = fetched.unwrap_err();
        assert_eq!((failure.class, failure.error_type), (class, error_type), "{code}");
        assert_eq!(tried, tries, "{code}");
        if class == Class::Transient {
            let named =
                format!("GetObject s3://originals/tokyo/a b.jpg failed: {code}: The reason.");
            assert_eq!(failure.message, named);
        }
    }
}

#[tokio::test]
async fn a_service_that_is_busy_for_a_moment_costs_nothing_but_that_moment() {
    let busy = s3_error("503 Slow Down", "SlowDown");
    let (fetched, tried) = fetch(&[busy, Answer::new("200 OK", WHOLE, b"hello")]).await;
    assert_eq!((fetched.unwrap(), tried), (b"hello".to_vec(), 2));
}

#[tokio::test]
async fn a_body_that_is_cut_or_changed_is_worth_another_try() {
    let cut = cut(Answer::new("200 OK", WHOLE, b"hello"), 3);
    let changed = Answer::new("200 OK", WHOLE, b"jello");
    for (answer, cause) in [(cut, "GetObject"), (changed, "checksum")] {
        let failure = fetch(&[answer]).await.0.unwrap_err();
        assert_eq!(failure.class, Class::Transient, "{failure:?}");
        assert!(failure.message.contains(cause), "{}", failure.message);
    }
}

#[tokio::test]
async fn more_bytes_than_allowed_are_refused_before_they_are_read() {
    let answer = Answer::new("200 OK", &[("ETag", "\"abc\"")], &[0; 1001]);
    let failure = fetch(&[answer]).await.0.unwrap_err();
    assert_eq!((failure.class, failure.error_type), (Class::Permanent, "TooManyBytes"));
}

#[tokio::test]
async fn a_service_that_never_answers_or_never_ends_cannot_take_the_whole_invocation() {
    let within = Duration::from_secs(15);
    let endless = |bytes| [Answer { bytes, is_endless: true, ..Answer::default() }];
    let begun = cut(Answer::new("200 OK", &[("ETag", "\"abc\"")], &[0; 900]), 100);
    let (silence, endless) = (endless(Vec::new()), endless(begun.bytes));
    let (silence, endless) =
        tokio::join!(timeout(within, fetch(&silence)), timeout(within, fetch(&endless)));
    for fetched in [silence, endless] {
        let failure = fetched.expect("it has given up by then").0.unwrap_err();
        assert_eq!(failure.class, Class::Transient, "{failure:?}");
    }
}

#[tokio::test]
async fn what_dynamodb_answers_to_a_commit_has_its_class() {
    for (status, name, class, tries) in [
        ("400 Bad Request", "ConditionalCheckFailedException", Class::Superseded, 1),
        ("400 Bad Request", "ProvisionedThroughputExceededException", Class::Transient, 3),
        ("400 Bad Request", "ThrottlingException", Class::Transient, 3),
        ("400 Bad Request", "ValidationException", Class::Transient, 1),
        ("400 Bad Request", "ResourceNotFoundException", Class::Transient, 1),
        ("500 Internal Server Error", "InternalServerError", Class::Transient, 3),
    ] {
        let body = format!(
            "{{\"__type\":\"com.amazonaws.dynamodb.v20120810#{name}\",\"message\":\"The reason.\"}}"
        );
        let content_type = [("Content-Type", "application/x-amz-json-1.0")];
        let service = Service::start(&[Answer::new(status, &content_type, body.as_bytes())]).await;
        let guard = Guard::NotNewer(Sequencer::new("1").unwrap());
        let tombstone = item::tombstone(Sequencer::new("1").as_ref(), DateTime::UNIX_EPOCH);
        let update = Update::new(tombstone, &guard);
        let failure = store(&service).commit("photos", "a.jpg", update).await.unwrap_err();
        assert_eq!(failure.class, class, "{name}");
        assert_eq!(service.requests().len(), tries, "{name}");
        if class == Class::Transient {
            let named = format!("UpdateItem photos[a.jpg] failed: {name}: The reason.");
            assert_eq!(failure.message, named);
        }
    }
}

#[tokio::test]
async fn what_is_there_of_an_object_and_of_a_thumbnail_is_told() {
    let head = [("ETag", "\"abc\""), ("x-amz-meta-original-etag", "xyz")];
    let service = Service::start(&[Answer::new("200 OK", &head, b"")]).await;
    let current = store(&service).current("originals", "a.jpg").await.unwrap().unwrap();
    assert_eq!((current.etag.as_str(), current.bytes), ("abc", Some(0)));
    let mark = store(&service).thumbnail_mark(&config(), "a.jpg").await.unwrap().unwrap();
    assert_eq!((mark.etag.as_str(), mark.original_etag.as_deref()), ("\"abc\"", Some("xyz")));
    assert!(service.requests()[1].starts_with("HEAD /thumbnails/thumbnail/a.jpg"));

    let gone = Service::start(&[Answer::new("404 Not Found", &[], b"")]).await;
    assert_eq!(store(&gone).current("originals", "a.jpg").await, Ok(None));
    assert_eq!(store(&gone).thumbnail_mark(&config(), "a.jpg").await, Ok(None));
    let forbidden = Service::start(&[Answer::new("403 Forbidden", &[], b"")]).await;
    let failure = store(&forbidden).current("originals", "a.jpg").await.unwrap_err();
    assert_eq!(failure.class, Class::Transient);
}

#[tokio::test]
async fn only_the_thumbnail_that_was_seen_is_removed() {
    for (answer, is_ok) in [
        (Answer::new("204 No Content", &[], b""), true),
        (s3_error("412 Precondition Failed", "PreconditionFailed"), true),
        (s3_error("404 Not Found", "NoSuchKey"), true),
        (s3_error("403 Forbidden", "AccessDenied"), false),
    ] {
        let service = Service::start(&[answer]).await;
        let removed = store(&service).remove_thumbnail(&config(), "a.jpg", "\"abc\"").await;
        assert_eq!(removed.is_ok(), is_ok, "{removed:?}");
        assert!(service.requests()[0].to_lowercase().contains("if-match: \"abc\""));
    }
}
