//! What each answer of S3, DynamoDB and SQS means: literal answers on the wire, and the outcome that the
//! function makes of them.

#![cfg(test)]

#[path = "../common/service.rs"]
mod service;

use std::slice;
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use chrono::DateTime;
use futures_util::future::join_all;
use photo::PhotoError;
use serde_json::{Value, json};
use thumbnailer::aws::{Aws, CommitError, FetchError, RenditionFile};
use thumbnailer::call_error::CallError;
use thumbnailer::config::{Config, rendition_version};
use thumbnailer::dead_letter::{DeadLetter, Invocation};
use thumbnailer::disposition::Rejection;
use thumbnailer::event::Sequencer;
use thumbnailer::item::{Place, Precondition, Record, Status, Stored, Update};
use tokio::time::timeout;

use service::{Answer, Service};

const QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/1/letters";

fn aws(service: &Service) -> Aws {
    let aws = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(&service.endpoint)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "id", "secret", None, None, "test",
        )))
        .build();
    Aws::new(&config(), &aws)
}

fn config() -> Config {
    let settings = |name: &str| match name {
        "ORIGINALS_BUCKET" => Some("originals".to_owned()),
        "THUMBNAILS_BUCKET" => Some("thumbnails".to_owned()),
        "PHOTOS_TABLE" => Some("photos".to_owned()),
        "DEAD_LETTER_QUEUE_URL" => Some(QUEUE.to_owned()),
        "MAX_PHOTO_BYTES" => Some("1000".to_owned()),
        _ => None,
    };
    Config::read(settings).unwrap()
}

const KEY: &str = "tokyo/a b.jpg";

fn place() -> Place {
    Place { bucket: "thumbnails".to_owned(), key: "thumbnail/a.jpg".to_owned() }
}

fn tombstone() -> Update {
    let sequencer = Sequencer::new("1").unwrap();
    let record = Record::tombstone(Some(&sequencer), DateTime::UNIX_EPOCH);
    Update::new(&record, &Precondition::not_newer(sequencer.clone())).unwrap()
}

/// The calls that the function makes, and the name and the beginning of their failures.
const CALLS: [(&str, &str, &str); 7] = [
    ("GetObject", "S3CallFailed", "GetObject s3://originals/tokyo/a b.jpg"),
    ("HeadObject", "S3CallFailed", "HeadObject s3://originals/a.jpg"),
    ("PutObject", "S3CallFailed", "PutObject s3://thumbnails/thumbnail/a.jpg"),
    ("DeleteObject", "S3CallFailed", "DeleteObject s3://thumbnails/thumbnail/a.jpg"),
    ("GetItem", "DynamoDbCallFailed", "GetItem photos[a.jpg]"),
    ("UpdateItem", "DynamoDbCallFailed", "UpdateItem photos[a.jpg]"),
    (
        "SendMessage",
        "SqsCallFailed",
        "SendMessage to https://sqs.us-east-1.amazonaws.com/1/letters",
    ),
];

/// Why a call failed, whichever call it was.
#[derive(Debug, PartialEq)]
enum Failure {
    Fetch(FetchError),
    Commit(CommitError),
    Call(CallError),
}

impl Failure {
    /// The failure of the call itself: all others have a meaning of their own.
    fn call(self) -> Option<CallError> {
        match self {
            Failure::Fetch(FetchError::Call(error) | FetchError::BrokenBody(error))
            | Failure::Commit(CommitError::Call(error))
            | Failure::Call(error) => Some(error),
            Failure::Fetch(_) | Failure::Commit(_) => None,
        }
    }
}

/// Makes a call of a service that answers it thus, each time. Gives what comes of it, and how often it
/// was tried.
async fn call(operation: &str, answer: Answer) -> (Result<(), Failure>, usize) {
    let service = Service::start(&[answer]).await;
    let aws = aws(&service);
    let outcome = match operation {
        "GetObject" => aws.originals.fetch(KEY, "abc").await.map(drop).map_err(Failure::Fetch),
        "HeadObject" => aws.originals.head("a.jpg").await.map(drop).map_err(Failure::Call),
        "PutObject" => {
            let file = RenditionFile {
                bytes: "hello".into(),
                content_type: "image/jpeg",
                original_etag: "abc".to_owned(),
                settings: "01234567".to_owned(),
            };
            aws.renditions.put(&place(), file).await.map_err(Failure::Call)
        }
        "DeleteObject" => aws.renditions.delete(&place(), "\"abc\"").await.map_err(Failure::Call),
        "GetItem" => aws.items.get("a.jpg").await.map(drop).map_err(Failure::Call),
        "UpdateItem" => {
            let committed = aws.items.commit("a.jpg", &tombstone()).await;
            committed.map(drop).map_err(Failure::Commit)
        }
        "SendMessage" => aws.dead_letters.send(letter()).await.map(drop).map_err(Failure::Call),
        other => panic!("{other} is none of the function's calls"),
    };
    (outcome, service.requests().len())
}

/// Whether a call that is answered thus is worth another try of its event, and says why.
async fn expect_retry(operation: &str, answer: Answer, tries: usize, reason: &str) {
    let (outcome, tried) = call(operation, answer).await;
    let error = outcome.unwrap_err().call().unwrap();
    let (_, error_type, what) = CALLS.iter().find(|(known, ..)| *known == operation).unwrap();
    assert_eq!((error.name(), tried), (*error_type, tries), "{error:?}");
    assert!(error.to_string().starts_with(&format!("{what} failed: {reason}")), "{error}");
}

fn letter() -> DeadLetter {
    let reason = Rejection::Photo(PhotoError::NotAPhoto("not a photo".to_owned()));
    let invocation = Invocation {
        request_id: "1".into(),
        function_arn: "arn:aws:lambda:us-east-1:1:function:thumbnail".into(),
        function_version: "$LATEST".into(),
    };
    let event = json!({"Records": []});
    DeadLetter::about(&event, Some("a.jpg"), &reason, &invocation, DateTime::UNIX_EPOCH)
}

/// What comes of a fetch, and how often it was tried.
async fn fetch(answers: &[Answer]) -> (Result<Vec<u8>, FetchError>, usize) {
    let service = Service::start(answers).await;
    let fetched = aws(&service).originals.fetch(KEY, "abc").await;
    (fetched.map(|original| original.bytes), service.requests().len())
}

/// An answer of S3's that is an error.
fn s3_error(status: &str, code: &str) -> Answer {
    let body = format!("<Error><Code>{code}</Code><Message>The reason.</Message></Error>");
    Answer::new(status, &[("Content-Type", "application/xml")], body.as_bytes())
}

/// An answer of DynamoDB's or SQS's that is an error: the AWS JSON 1.0 protocol.
fn json_error(status: &str, name: &str, headers: &[(&str, &str)]) -> Answer {
    let body = json!({"__type": name, "message": "The reason."}).to_string();
    let content_type = [("Content-Type", "application/x-amz-json-1.0")];
    Answer::new(status, &[&content_type, headers].concat(), body.as_bytes())
}

/// The connection ends when this much of the body was sent.
fn cut(mut answer: Answer, body: usize) -> Answer {
    let head = answer.bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    answer.bytes.truncate(head + body);
    answer
}

const WHOLE: &[(&str, &str)] = &[("ETag", "\"abc\""), ("x-amz-checksum-crc32", "NhCmhg==")]; // of "hello"

#[tokio::test]
async fn each_answer_of_s3_to_a_fetch_has_its_outcome() {
    for (status, code, expected) in [
        ("404 Not Found", "NoSuchKey", FetchError::Gone),
        ("412 Precondition Failed", "PreconditionFailed", FetchError::Changed),
        ("403 Forbidden", "InvalidObjectState", FetchError::Archived),
    ] {
        let (fetched, tried) = fetch(&[s3_error(status, code)]).await;
        assert_eq!((fetched, tried), (Err(expected), 1), "{code}");
    }
    for (status, code, tries) in [
        ("403 Forbidden", "AccessDenied", 1),
        ("404 Not Found", "NoSuchBucket", 1),
        ("503 Slow Down", "SlowDown", 3),
        ("500 Internal Server Error", "InternalError", 3),
    ] {
        let (fetched, tried) = fetch(&[s3_error(status, code)]).await;
        let Err(FetchError::Call(error)) = fetched else { panic!("{code}: {fetched:?}") };
        let named = format!("GetObject s3://originals/tokyo/a b.jpg failed: {code}: The reason.");
        assert_eq!((error.to_string(), tried), (named, tries), "{code}");
    }
}

#[tokio::test]
async fn a_service_that_is_busy_for_a_moment_costs_nothing_but_that_moment() {
    let busy = s3_error("503 Slow Down", "SlowDown");
    let (fetched, tried) = fetch(&[busy, Answer::new("200 OK", WHOLE, b"hello")]).await;
    assert_eq!((fetched.unwrap(), tried), (b"hello".to_vec(), 2));
}

#[tokio::test]
async fn a_body_that_is_cut_or_changed_is_fetched_again_and_then_worth_another_try() {
    let whole = Answer::new("200 OK", WHOLE, b"hello");
    let changed = Answer::new("200 OK", WHOLE, b"jello");
    for (answer, cause) in [(cut(whole.clone(), 3), "GetObject"), (changed, "checksum")] {
        let (fetched, tried) = fetch(slice::from_ref(&answer)).await;
        let Err(FetchError::BrokenBody(error)) = fetched else { panic!("{fetched:?}") };
        assert_eq!(tried, 3);
        assert!(error.to_string().contains(cause), "{error}");

        let (fetched, tried) = fetch(&[answer, whole.clone()]).await;
        assert_eq!((fetched, tried), (Ok(b"hello".to_vec()), 2));
    }
}

#[tokio::test]
async fn more_bytes_than_allowed_are_refused_before_they_are_read() {
    let answer = Answer::new("200 OK", &[("ETag", "\"abc\"")], &[0; 1001]);
    let error = fetch(&[answer]).await.0.unwrap_err();
    let FetchError::TooLarge(error) = error else { panic!("{error:?}") };
    assert_eq!(error.name(), "TooManyBytes");
}

#[tokio::test]
async fn connections_are_opened_to_all_that_a_photo_needs_whatever_is_answered() {
    for answer in [Answer::new("200 OK", &[], b"{}"), s3_error("403 Forbidden", "AccessDenied")] {
        let service = Service::start(&[answer]).await;
        aws(&service).connect().await;
        let mut calls: Vec<String> =
            service.requests().iter().map(|head| head.lines().next().unwrap().to_owned()).collect();
        calls.sort();
        assert_eq!(
            calls,
            [
                "HEAD /originals/ HTTP/1.1",
                "HEAD /thumbnails/ HTTP/1.1",
                "POST / HTTP/1.1",
                "POST / HTTP/1.1",
            ]
        );
    }
}

#[tokio::test]
async fn a_service_that_is_silent_does_not_keep_the_function_from_starting() {
    let (service, started) = (Service::start(&[SILENCE]).await, Instant::now());
    aws(&service).connect().await;
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

const SILENCE: Answer = Answer { bytes: Vec::new(), is_endless: true, is_reset: false };
const RESET: Answer = Answer { bytes: Vec::new(), is_endless: false, is_reset: true };

#[tokio::test]
async fn a_body_that_never_ends_cannot_take_the_whole_invocation() {
    let begun = cut(Answer::new("200 OK", &[("ETag", "\"abc\"")], &[0; 900]), 100);
    let endless = Answer { is_endless: true, ..begun };
    let fetched = timeout(Duration::from_secs(15), fetch(&[endless])).await;
    let error = fetched.expect("it has given up by then").0.unwrap_err();
    assert!(matches!(error, FetchError::Call(_)), "{error:?}");
}

#[tokio::test]
async fn a_call_that_is_not_answered_is_tried_three_times_and_is_worth_another_try() {
    let whole = Answer::new("200 OK", &[], b"{}");
    let cut_head = Answer { bytes: b"HTTP/1.1 200 OK\r\nCont".to_vec(), ..Answer::default() };
    let mut calls = Vec::new();
    for (operation, ..) in CALLS {
        for (answer, reason) in [
            (RESET, "dispatch failure: io error"),
            (cut_head.clone(), "dispatch failure: other: client error"),
            (cut(whole.clone(), 1), "HTTP 200: response error: error reading a body"),
            (SILENCE, "request has timed out"),
        ] {
            // The body of GET is not the SDK's to read, and that of HEAD is never sent.
            if !(reason.starts_with("HTTP 200") && ["GetObject", "HeadObject"].contains(&operation))
            {
                calls.push(expect_retry(operation, answer, 3, reason));
            }
        }
    }
    timeout(Duration::from_secs(15), join_all(calls)).await.expect("they have given up by then");
}

#[tokio::test]
async fn what_the_queue_answers_to_a_letter_keeps_the_event_alive() {
    // The names of the JSON protocol, and those of the query protocol, which SQS had before and names too.
    for (status, name, query_name, tries) in [
        ("400 Bad Request", "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", 1),
        ("403 Forbidden", "AccessDeniedException", "AccessDenied", 1),
        ("400 Bad Request", "InvalidMessageContents", "InvalidMessageContents", 1),
        ("400 Bad Request", "KmsAccessDenied", "KMS.AccessDeniedException", 1),
        ("400 Bad Request", "KmsThrottled", "KMS.ThrottlingException", 1),
        ("400 Bad Request", "RequestThrottled", "RequestThrottled", 3),
        ("400 Bad Request", "ThrottlingException", "ThrottlingException", 3),
        ("503 Service Unavailable", "ThrottlingException", "ThrottlingException", 3),
        ("503 Service Unavailable", "ServiceUnavailable", "ServiceUnavailable", 3),
        ("500 Internal Server Error", "InternalFailure", "InternalFailure", 3),
    ] {
        let shape = format!("com.amazonaws.sqs#{name}");
        let answer = json_error(status, &shape, &[]);
        expect_retry("SendMessage", answer, tries, &format!("{name}: The reason.")).await;
        let query_error = format!("{query_name};Sender");
        let answer = json_error(status, &shape, &[("x-amzn-query-error", &query_error)]);
        expect_retry("SendMessage", answer, tries, &format!("{query_name}: The reason.")).await;
    }
}

#[tokio::test]
async fn a_letter_is_sent_when_the_queue_says_which_message_it_is() {
    let answer = |body: &[u8]| {
        Answer::new("200 OK", &[("Content-Type", "application/x-amz-json-1.0")], body)
    };
    let service = Service::start(&[answer(b"{\"MessageId\":\"letter-1\"}")]).await;
    assert_eq!(aws(&service).dead_letters.send(letter()).await, Ok("letter-1".to_owned()));
    assert!(service.requests()[0].contains("x-amz-target: AmazonSQS.SendMessage"));
    for body in ["", "{}"] {
        let reason = "the answer names no message";
        expect_retry("SendMessage", answer(body.as_bytes()), 1, reason).await;
    }
    let reason = "HTTP 200: ";
    expect_retry("SendMessage", answer(b"<html>"), 1, reason).await;
}

#[tokio::test]
async fn each_answer_of_dynamodb_to_a_commit_or_a_read_has_its_outcome() {
    let error =
        |status, name| json_error(status, &format!("com.amazonaws.dynamodb.v20120810#{name}"), &[]);
    let lost = error("400 Bad Request", "ConditionalCheckFailedException");
    let superseded = Err(Failure::Commit(CommitError::Superseded));
    assert_eq!(call("UpdateItem", lost).await, (superseded, 1));
    for (status, name, tries) in [
        ("400 Bad Request", "ProvisionedThroughputExceededException", 3),
        ("400 Bad Request", "ThrottlingException", 3),
        ("400 Bad Request", "RequestLimitExceeded", 3),
        ("400 Bad Request", "AccessDeniedException", 1),
        ("400 Bad Request", "ResourceNotFoundException", 1),
        ("500 Internal Server Error", "InternalServerError", 3),
        ("503 Service Unavailable", "ServiceUnavailable", 3),
    ] {
        for operation in ["UpdateItem", "GetItem"] {
            let reason = format!("{name}: The reason.");
            expect_retry(operation, error(status, name), tries, &reason).await;
        }
    }
}

#[tokio::test]
async fn an_item_that_dynamodb_does_not_take_is_refused_for_good() {
    let refused =
        json_error("400 Bad Request", "com.amazon.coral.validate#ValidationException", &[]);
    let outcome = call("UpdateItem", refused.clone()).await;
    let expected = Failure::Commit(CommitError::Refused("The reason.".to_owned()));
    assert_eq!(outcome, (Err(expected), 1));
    // A read brings no item that could be refused.
    expect_retry("GetItem", refused, 1, "ValidationException: The reason.").await;
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_done_when_its_repetition_finds_it() {
    let refusal = |item: Value| {
        let shape = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
        let body =
            json!({"__type": shape, "message": "The conditional request failed", "Item": item});
        let content_type = [("Content-Type", "application/x-amz-json-1.0")];
        Answer::new("400 Bad Request", &content_type, body.to_string().as_bytes())
    };
    let text = |text: &str| json!({"S": text});
    // As `call` writes it.
    let own = json!({
        "photoKey": text("a.jpg"),
        "status": text("DELETED"),
        "sequencer": text(&format!("{:0>32}", 1)),
        "processedAt": text("1970-01-01T00:00:00.000Z"),
        "app": {"M": {}},
    });
    assert_eq!(call("UpdateItem", refusal(own.clone())).await, (Ok(()), 1));
    for (name, other) in [
        ("status", text("READY")),
        ("sequencer", text("00000000000000000000000000000002")),
        ("processedAt", text("1970-01-01T00:00:00.001Z")),
        ("original", json!({"M": {"etag": text("of a photo")}})),
    ] {
        let mut others = own.clone();
        others[name] = other;
        let superseded = Err(Failure::Commit(CommitError::Superseded));
        assert_eq!(call("UpdateItem", refusal(others)).await, (superseded, 1), "{name}");
    }
    let service = Service::start(&[RESET, refusal(own)]).await;
    // Nobody knows any more what was there before, so the own item stands for it.
    let before = aws(&service).items.commit("a.jpg", &tombstone()).await.unwrap().unwrap();
    assert_eq!(before.status, Some(Status::Deleted));
    let requests = service.requests();
    assert_eq!(requests.len(), 2, "one was lost");
}

#[tokio::test]
async fn what_s3_answers_to_the_other_calls_is_worth_another_try() {
    for (operation, status, code, tries) in [
        ("PutObject", "403 Forbidden", "AccessDenied", 1),
        ("PutObject", "404 Not Found", "NoSuchBucket", 1),
        ("PutObject", "400 Bad Request", "BadDigest", 1), // its checksum is of other bytes than came
        ("PutObject", "400 Bad Request", "RequestTimeout", 3),
        ("PutObject", "503 Slow Down", "SlowDown", 3),
        ("PutObject", "500 Internal Server Error", "InternalError", 3),
        ("DeleteObject", "403 Forbidden", "AccessDenied", 1),
        ("DeleteObject", "409 Conflict", "ConditionalRequestConflict", 1),
        ("DeleteObject", "503 Slow Down", "SlowDown", 3),
        ("DeleteObject", "500 Internal Server Error", "InternalError", 3),
    ] {
        let reason = format!("{code}: The reason.");
        expect_retry(operation, s3_error(status, code), tries, &reason).await;
    }
    // Without a body there is no more to say than the status.
    for (status, tries) in
        [("403 Forbidden", 1), ("503 Slow Down", 3), ("500 Internal Server Error", 3)]
    {
        let reason = format!("HTTP {}: ", &status[..3]);
        expect_retry("HeadObject", Answer::new(status, &[], b""), tries, &reason).await;
    }
}

#[tokio::test]
async fn a_commit_gives_the_item_that_was_there_before() {
    let answer = |body: Value| {
        let content_type = [("Content-Type", "application/x-amz-json-1.0")];
        Answer::new("200 OK", &content_type, body.to_string().as_bytes())
    };
    let text = |text: &str| json!({"S": text});
    let rendition = json!({"M": {
        "bucket": text("thumbnails"), "key": text("old/a.jpg"), "version": text("0123abcd")
    }});
    let before = json!({"Attributes": {
        "photoKey": text("a.jpg"),
        "status": text("READY"),
        "original": {"M": {"etag": text("abc")}},
        "renditions": {"M": {"thumbnail": rendition}},
    }});
    let service = Service::start(&[answer(before)]).await;
    let before = aws(&service).items.commit("a.jpg", &tombstone()).await.unwrap().unwrap();
    assert_eq!((before.status, before.etag.as_deref()), (Some(Status::Ready), Some("abc")));
    assert_eq!(before.renditions["thumbnail"].place.key, "old/a.jpg");

    let service = Service::start(&[answer(json!({}))]).await;
    assert_eq!(aws(&service).items.commit("a.jpg", &tombstone()).await, Ok(None));
    let of_application = json!({"Attributes": {"app": {"M": {}}}});
    let service = Service::start(&[answer(of_application)]).await;
    let before = aws(&service).items.commit("a.jpg", &tombstone()).await;
    assert_eq!(before, Ok(Some(Stored::default())));
}

#[tokio::test]
async fn the_head_of_an_object_and_of_a_rendition_is_read() {
    let head = [
        ("ETag", "\"abc\""),
        ("Content-Type", "video/mp4"),
        ("x-amz-version-id", "v1"),
        ("Last-Modified", "Sat, 06 Apr 2024 08:24:00 GMT"),
        ("x-amz-meta-original-etag", "xyz"),
        ("x-amz-meta-settings", "01234567"),
    ];
    let service = Service::start(&[Answer::new("200 OK", &head, b"")]).await;
    let original = aws(&service).originals.head("a.jpg").await.unwrap().unwrap();
    assert_eq!((original.version.etag.as_str(), original.version.bytes), ("abc", Some(0)));
    assert_eq!(original.version.version_id.as_deref(), Some("v1"));
    assert_eq!(original.version.uploaded_at.unwrap().timestamp(), 1_712_391_840);
    assert_eq!(original.content_type.as_deref(), Some("video/mp4"));
    let rendition = aws(&service).renditions.head(&place()).await.unwrap().unwrap();
    assert_eq!(rendition.etag, "\"abc\"");
    assert_eq!(rendition.version, Some(rendition_version("xyz", "01234567")));
    assert!(service.requests()[1].starts_with("HEAD /thumbnails/thumbnail/a.jpg"));

    let foreign = [("ETag", "\"abc\""), ("x-amz-meta-original-etag", "xyz")];
    let service = Service::start(&[Answer::new("200 OK", &foreign, b"")]).await;
    let rendition = aws(&service).renditions.head(&place()).await.unwrap().unwrap();
    assert_eq!(rendition.version, None, "it does not say with which settings it was made");

    let gone = Service::start(&[Answer::new("404 Not Found", &[], b"")]).await;
    assert_eq!(aws(&gone).originals.head("a.jpg").await, Ok(None));
    assert_eq!(aws(&gone).renditions.head(&place()).await, Ok(None));
    let forbidden = Service::start(&[Answer::new("403 Forbidden", &[], b"")]).await;
    assert!(aws(&forbidden).originals.head("a.jpg").await.is_err());
}

#[tokio::test]
async fn a_rendition_is_marked_with_what_it_was_made_from() {
    let service = Service::start(&[Answer::new("200 OK", &[], b"")]).await;
    let file = RenditionFile {
        bytes: "hello".into(),
        content_type: "image/jpeg",
        original_etag: "abc".to_owned(),
        settings: "01234567".to_owned(),
    };
    aws(&service).renditions.put(&place(), file).await.unwrap();
    let request = service.requests()[0].to_lowercase();
    for header in [
        "content-type: image/jpeg",
        "x-amz-meta-original-etag: abc",
        "x-amz-meta-settings: 01234567",
    ] {
        assert!(request.contains(header), "{header}: {request}");
    }
}

#[tokio::test]
async fn only_the_photo_that_the_event_speaks_of_is_fetched() {
    let service = Service::start(&[Answer::new("200 OK", WHOLE, b"hello")]).await;
    aws(&service).originals.fetch(KEY, "abc").await.unwrap();
    assert!(service.requests()[0].to_lowercase().contains("if-match: \"abc\""));
}

#[tokio::test]
async fn only_the_rendition_that_was_seen_is_removed() {
    for (answer, is_ok) in [
        (Answer::new("204 No Content", &[], b""), true),
        (s3_error("412 Precondition Failed", "PreconditionFailed"), true),
        (s3_error("404 Not Found", "NoSuchKey"), true),
        (s3_error("403 Forbidden", "AccessDenied"), false),
    ] {
        let service = Service::start(&[answer]).await;
        let removed = aws(&service).renditions.delete(&place(), "\"abc\"").await;
        assert_eq!(removed.is_ok(), is_ok, "{removed:?}");
        assert!(service.requests()[0].to_lowercase().contains("if-match: \"abc\""));
    }
}
