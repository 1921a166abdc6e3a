//! What cannot become a thumbnail, and services that refuse: nothing is lost, nobody else suffers.

use serde_json::json;

use crate::lambda::{Lambda, Next};
use crate::photos;
use crate::service::{Answer, Service};
use crate::stack::{FOUR_RENDITIONS, Letter, Stack};

#[tokio::test(flavor = "multi_thread")]
async fn broken_photos_become_a_dead_letter_and_a_failed_item_each() {
    let stack = Stack::deploy("broken").await;
    let photo = photos::reference();
    let broken: [(&str, &[u8], &str, &str); 4] = [
        ("1-empty.jpg", b"", "EmptyPhoto", "the photo is empty (0 bytes); upload it again"),
        (
            "2-text.jpg",
            b"Dear diary, today we",
            "NotAPhoto",
            "not a photo: the content is not of a known picture format, whatever its name says \
             (it begins with \"Dear diary, toda\")",
        ),
        (
            "3-half.jpg",
            &photo[..photo.len() / 2],
            "TruncatedPhoto",
            "the photo is truncated after 1582916 bytes: its end-of-image marker is missing; \
             check the original and upload it again",
        ),
        (
            "4-avif.jpg",
            b"\0\0\0\x18ftypavif\0\0\0\0mif1avif",
            "UnsupportedFormat",
            "AVIF is not supported; upload the photo as JPEG, PNG, WebP, GIF, TIFF or BMP",
        ),
    ];
    for (key, content, _, _) in broken {
        stack.upload(key, content).await;
    }
    let letters = stack.letters(broken.len()).await;
    for ((key, _, error_type, message), letter) in broken.into_iter().zip(letters) {
        assert_eq!(letter.photo_key.as_deref(), Some(key));
        assert_eq!(letter.error_type.as_deref(), Some(error_type));
        assert_eq!(letter.body["requestContext"]["condition"], "NotRetryable");
        assert_eq!(letter.body["responsePayload"]["errorMessage"], message);
        let record = &letter.body["requestPayload"]["Records"][0];
        assert_eq!(record["s3"]["object"]["key"], key);

        let item = stack.item(key, "FAILED").await;
        assert_eq!(item["failure"]["type"], error_type);
        assert_eq!(item["failure"]["message"], message);
        assert!(!item["failure"]["deadLetterId"].as_str().unwrap().is_empty());
        assert_eq!(item.get("renditions"), None);
    }
    assert_eq!(stack.thumbnail_keys().await, Vec::<String>::new());

    let half = stack.item("3-half.jpg", "FAILED").await;
    assert_eq!(half["camera"]["model"], "iPhone 15 Pro", "all the facts still known are kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_broken_photos_do_not_stop_their_twenty_one_neighbours() {
    let stack = Stack::silent("neighbours").await;
    let mut records = Vec::new();
    let mut expected = Vec::new();
    for number in 0..24 {
        let key = format!("event/{number:02}.jpg");
        let photo = match number {
            3 => Vec::new(),
            11 => b"not a photo".to_vec(),
            19 => photos::reference()[..1_000_000].to_vec(),
            _ => photos::reference_number(number),
        };
        let etag = stack.upload(&key, &photo).await;
        records.push(stack.record(&key, &etag, 1));
        if ![3, 11, 19].contains(&number) {
            expected.push(format!("thumbnail/{key}"));
        }
    }
    let answer = stack.invoke(&json!({"Records": records})).await;
    assert_eq!(answer.function_error, None, "{answer:?}");

    assert_eq!(stack.thumbnail_keys().await, expected);
    assert_eq!(stack.item_count().await, 24);
    let letters = stack.letters(3).await;
    for (number, letter) in [3, 11, 19].into_iter().zip(letters) {
        let key = format!("event/{number:02}.jpg");
        assert_eq!(letter.photo_key.as_deref(), Some(key.as_str()));
        stack.item(&key, "FAILED").await;
    }

    // The same event again, as when Lambda retries it for a neighbour's sake.
    stack.invoke(&json!({"Records": records})).await;
    stack.letters(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_photo_over_a_good_one_takes_its_thumbnail_away() {
    let stack = Stack::deploy("over").await;
    stack.upload("a.jpg", &photos::small()).await;
    stack.item("a.jpg", "READY").await;
    stack.upload("a.jpg", b"oops").await;
    let item = stack.item("a.jpg", "FAILED").await;
    assert_eq!(item.get("renditions"), None);
    stack.letters(1).await;
    assert_eq!(stack.thumbnail_keys().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_event_that_comes_late_changes_nothing() {
    let stack = Stack::silent("late").await;
    let etag = stack.upload("a.jpg", &photos::small()).await;
    let event = |sequencer| json!({"Records": [stack.record("a.jpg", &etag, sequencer)]});
    for sequencer in [2, 1] {
        let answer = stack.invoke(&event(sequencer)).await;
        assert_eq!(answer.function_error, None, "{answer:?}");
    }
    let item = stack.item("a.jpg", "READY").await;
    assert_eq!(item["sequencer"], format!("{:032X}", 2));
    stack.invoke(&event(2)).await;
    assert_eq!(stack.item("a.jpg", "READY").await, item, "nor does the same event once more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_photo_is_tried_again_when_its_event_is_sent_again() {
    let stack = Stack::silent("again").await;
    stack.upload("a.jpg", b"oops").await;
    // Without an ETag, as somebody would write it by hand after mending the photo.
    let mut record = stack.record("a.jpg", "", 1);
    record["s3"]["object"].as_object_mut().unwrap().remove("eTag");
    let event = json!({"Records": [record]});
    stack.invoke(&event).await;
    stack.item("a.jpg", "FAILED").await;
    stack.upload("a.jpg", &photos::small()).await;
    stack.invoke(&event).await;
    let item = stack.item("a.jpg", "READY").await;
    assert_eq!(item.get("failure"), None);
    stack.letters(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_without_a_sequencer_takes_its_place_behind_the_item() {
    let stack = Stack::silent("by-hand").await;
    let event = |etag: &str| {
        let mut record = stack.record("a.jpg", etag, 1);
        record["s3"]["object"].as_object_mut().unwrap().remove("sequencer");
        json!({"Records": [record]})
    };
    let first = stack.upload("a.jpg", &photos::small()).await;
    stack.invoke(&event(&first)).await;
    let made = stack.item("a.jpg", "READY").await;
    assert_eq!((&made["original"]["etag"], made.get("sequencer")), (&json!(first), None));
    stack.invoke(&event(&first)).await;
    assert_eq!(stack.item("a.jpg", "READY").await, made, "nothing is done twice");

    let third = stack.upload("a.jpg", &photos::small_stored_as(3)).await;
    stack.invoke(&json!({"Records": [stack.record("a.jpg", &third, 7)]})).await;
    let broken = stack.upload("a.jpg", b"oops").await;
    stack.invoke(&event(&broken)).await;
    let failed = stack.item("a.jpg", "FAILED").await;
    assert_eq!(failed["sequencer"], format!("{:032X}", 7), "it keeps the item's");
    stack.letters(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_broken_photo_neither_replaces_a_newer_one_nor_sends_a_letter() {
    let stack = Stack::silent("older").await;
    let event =
        |etag: &str, sequencer| json!({"Records": [stack.record("a.jpg", etag, sequencer)]});
    let good = stack.upload("a.jpg", &photos::small()).await;
    stack.invoke(&event(&good, 2)).await;
    let before = stack.item("a.jpg", "READY").await;
    let broken = stack.upload("a.jpg", b"oops").await;
    for sequencer in [1, 2] {
        let answer = stack.invoke(&event(&broken, sequencer)).await;
        assert_eq!(answer.function_error, None, "{answer:?}");
    }
    assert_eq!(stack.item("a.jpg", "READY").await, before);
    stack.letters(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_record_is_kept_and_its_neighbour_done() {
    let stack = Stack::silent("unreadable").await;
    let etag = stack.upload("a.jpg", &photos::small()).await;
    let mut unreadable = stack.record("a.jpg", &etag, 1);
    unreadable["s3"]["object"]["key"] = "%FF.jpg".into();
    let records = json!([unreadable, stack.record("a.jpg", &etag, 1)]);
    let answer = stack.invoke(&json!({"Records": records})).await;
    assert_eq!(answer.function_error, None, "{answer:?}");
    stack.item("a.jpg", "READY").await;
    let letter = stack.letters(1).await.remove(0);
    assert_eq!(letter.error_type.as_deref(), Some("UnreadableRecord"));
    assert_eq!(letter.body["requestPayload"]["Records"], json!([records[0]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_before_anything_is_downloaded() {
    let options = ["--parameter", "MaxPhotoBytes=1000", "OriginalsPrefix=uploads/"];
    let stack = Stack::deploy_with("limits", &options).await;
    let long = format!("uploads/{}.jpg", "x".repeat(1010));
    stack.upload("elsewhere/a.jpg", b"oops").await;
    stack.upload("uploads/trip/", b"").await;
    stack.upload(&long, b"oops").await;
    stack.upload("uploads/large.jpg", &photos::small()).await;
    let letters = stack.letters(2).await;
    let types: Vec<&str> =
        letters.iter().filter_map(|letter| letter.error_type.as_deref()).collect();
    assert_eq!(types, ["TooManyBytes", "KeyTooLong"]);
    let message = letters[0].body["responsePayload"]["errorMessage"].as_str().unwrap();
    assert!(message.contains("more than the 1000 that MAX_PHOTO_BYTES allows"), "{message}");
    stack.item(&long, "FAILED").await;
    stack.item("uploads/large.jpg", "FAILED").await;
    assert_eq!(stack.item_count().await, 2, "neither a folder nor another prefix has an item");

    // The bucket's filter is not the only guard of the prefix.
    let etag = stack.upload("elsewhere/b.jpg", &[1; 10]).await;
    stack.invoke(&json!({"Records": [stack.record("elsewhere/b.jpg", &etag, 1)]})).await;
    assert_eq!(stack.item_now("elsewhere/b.jpg").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_takes_what_the_function_has_or_is_refused_with_the_memory_that_would_do() {
    let stack = Stack::deploy_with("memory", &["--parameter", "MemorySize=256"]).await;
    let [baseline, progressive] = [false, true].map(photos::panorama);
    stack.upload("panorama.jpg", &baseline).await;
    let item = stack.item("panorama.jpg", "READY").await;
    assert_eq!([&item["original"]["width"], &item["original"]["height"]], [26_615, 8000]);
    let thumbnail = stack.thumbnail("panorama.jpg").await;
    let size = turbojpeg::read_header(&thumbnail).unwrap();
    assert_eq!((size.width, size.height), (6654, 2000));
    let taken = peak_memory_mb(&stack, "panorama.jpg").await;
    assert!(taken > 60.0 && taken < 256.0, "{taken} MB");

    stack.upload("progressive.jpg", &progressive).await;
    let letter = stack.letters(1).await.remove(0);
    assert_eq!(letter.error_type.as_deref(), Some("TooLittleMemory"));
    let message = letter.body["responsePayload"]["errorMessage"].as_str().unwrap();
    let needs = message.split_once("give the function ").unwrap().1.split_once(" MB").unwrap().0;
    assert!(message.contains("more memory than the function's 256 MB"), "{message}");
    let memory_size = format!("MemorySize={needs}");
    let stack = Stack::deploy_with("memory", &["--parameter", &memory_size]).await;
    stack.upload("progressive.jpg", &progressive).await;
    stack.item("progressive.jpg", "READY").await;
    let taken = peak_memory_mb(&stack, "progressive.jpg").await;
    assert!(taken > 256.0 && taken < needs.parse().unwrap(), "{taken} of {needs} MB");
}

/// Each would have room alone: the one that comes second is let go, and fetched again.
#[tokio::test(flavor = "multi_thread")]
async fn photos_of_one_event_share_the_functions_memory() {
    let stack = Stack::silent_with("sharing", &["--parameter", "MemorySize=256"]).await;
    let panorama = photos::panorama(false);
    let mut records = Vec::new();
    for key in ["a.jpg", "b.jpg"] {
        let etag = stack.upload(key, &panorama).await;
        records.push(stack.record(key, &etag, 1));
    }
    let answer = stack.invoke(&json!({"Records": records})).await;
    assert_eq!(answer.function_error, None, "{answer:?}");
    for key in ["a.jpg", "b.jpg"] {
        stack.item(key, "READY").await;
        let taken = peak_memory_mb(&stack, key).await;
        assert!(taken < 256.0, "{taken} MB");
    }
}

async fn peak_memory_mb(stack: &Stack, photo_key: &str) -> f64 {
    let line = stack.log_line(photo_key, "ready").await;
    line["peakMemoryMb"].as_f64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_photo_is_unprocessable_until_it_is_restored() {
    let service = refusing(
        "403 Forbidden",
        "<Error><Code>InvalidObjectState</Code><Message>not valid for its storage class</Message></Error>",
    ).await;
    let stack = deploy_instead_of(&service, "AWS_ENDPOINT_URL_S3", "archived").await;
    stack.upload("a.jpg", &photos::small()).await;
    let letter = stack.letters(1).await.remove(0);
    assert_eq!(letter.error_type.as_deref(), Some("ArchivedPhoto"));
    stack.item("a.jpg", "FAILED").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_never_answers_ends_in_a_clear_error_before_lambdas_timeout() {
    let silence = Answer { is_endless: true, ..Answer::default() };
    let silent = Service::start(&[silence]).await;
    let endpoint = format!("AWS_ENDPOINT_URL_S3={}", silent.endpoint);
    let options = ["--parameter", "TimeoutSeconds=5", "--environment", &endpoint];
    let stack = Stack::deploy_with("silent", &options).await;
    stack.upload("a.jpg", &photos::small()).await;
    let letter = stack.letters(1).await.remove(0);
    let error = &letter.body["responsePayload"];
    assert_eq!(error["errorType"], "DeadlineNear", "{letter:?}");
    let message = error["errorMessage"].as_str().unwrap();
    assert!(message.starts_with("a.jpg was not finished 1 s before"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_about_gone_overwritten_and_foreign_objects_are_ok_and_leave_no_facts() {
    let stack = Stack::silent("ignored").await;
    stack.upload("overwritten.jpg", &photos::small()).await;
    let mut foreign = stack.record("overwritten.jpg", "0", 1);
    foreign["s3"]["bucket"]["name"] = "somebody-elses-photos".into();
    let records = [
        stack.record("gone.jpg", "0123456789abcdef0123456789abcdef", 1),
        stack.record("overwritten.jpg", "0123456789abcdef0123456789abcdef", 1),
        foreign,
    ];
    let answer = stack.invoke(&json!({"Records": records})).await;
    assert_eq!(answer.function_error, None, "{answer:?}");
    // A newer event, which is on its way, is to know that an older one may have been cut off.
    assert_eq!(stack.item_count().await, 2);
    for key in ["gone.jpg", "overwritten.jpg"] {
        let tombstone = stack.item(key, "DELETED").await;
        assert_eq!((tombstone.get("album"), tombstone.get("original")), (None, None), "{key}");
    }
    stack.letters(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_s3_refuses_every_try_the_event_ends_in_the_queue() {
    let service = refusing(
        "503 Slow Down",
        "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
    )
    .await;
    let stack = deploy_instead_of(&service, "AWS_ENDPOINT_URL_S3", "s3-refuses").await;
    stack.upload("trip/a.jpg", &photos::small()).await;
    expect_lambdas_letter(&stack, &service, "SlowDown").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_dynamodb_refuses_every_try_the_event_ends_in_the_queue() {
    let service = refusing(
        "400 Bad Request",
        "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException\"}",
    )
    .await;
    let stack = deploy_instead_of(&service, "AWS_ENDPOINT_URL_DYNAMODB", "dynamodb-refuses").await;
    stack.upload("trip/a.jpg", &photos::small()).await;
    expect_lambdas_letter(&stack, &service, "ProvisionedThroughputExceeded").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_queue_refuses_a_letter_lambda_keeps_the_event() {
    let service =
        refusing("500 Internal Server Error", "{\"__type\":\"com.amazonaws.sqs#InternalFailure\"}")
            .await;
    let stack = deploy_instead_of(&service, "AWS_ENDPOINT_URL_SQS", "sqs-refuses").await;
    stack.upload("trip/a.jpg", b"not a photo").await;
    expect_lambdas_letter(&stack, &service, "InternalFailure").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unprocessable_photo_sends_one_letter_however_often_its_neighbour_is_tried() {
    let service = refusing(
        "503 Slow Down",
        "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
    )
    .await;
    let stack = deploy_instead_of(&service, "AWS_ENDPOINT_URL_S3", "unprocessable").await;
    let mut unprocessable = stack.record("unprocessable.jpg", "abc", 1);
    unprocessable["s3"]["object"]["size"] = 1_000_000_000.into();
    let neighbour = stack.record("trip/a.jpg", "abc", 1);
    stack.invoke_later(&json!({"Records": [unprocessable, neighbour]})).await;
    let letters = stack.letters(2).await;
    let condition = |letter: &Letter| letter.body["requestContext"]["condition"].clone();
    let (ours, lambdas): (Vec<Letter>, Vec<Letter>) =
        letters.into_iter().partition(|letter| condition(letter) == "NotRetryable");
    assert_eq!(ours[0].photo_key.as_deref(), Some("unprocessable.jpg"));
    assert_eq!(ours[0].body["requestPayload"], json!({"Records": [unprocessable]}));
    assert_eq!(lambdas[0].body["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(lambdas[0].body["requestPayload"]["Records"].as_array().unwrap().len(), 2);
    let item = stack.item("unprocessable.jpg", "FAILED").await;
    assert_eq!(item["failure"]["type"], "TooManyBytes");
}

/// Waits for Lambda's own letter about trip/a.jpg, after three tries that a service refused.
async fn expect_lambdas_letter(stack: &Stack, service: &Service, cause: &str) {
    let letters = stack.letters(1).await;
    let body = &letters[0].body;
    assert_eq!(body["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(body["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(body["requestPayload"]["Records"][0]["s3"]["object"]["key"], "trip/a.jpg");
    let message = body["responsePayload"]["errorMessage"].as_str().unwrap();
    assert!(message.contains(cause) && !message.contains('{'), "{message}");
    assert!(service.requests().len() >= 3, "each of three tries was refused");
    assert_eq!(stack.item_now("trip/a.jpg").await, None);
}

/// A service that answers every request alike.
async fn refusing(status: &str, body: &str) -> Service {
    Service::start(&[Answer::new(status, &[], body.as_bytes())]).await
}

/// A deployment whose function finds this service at the endpoint of an AWS one.
async fn deploy_instead_of(service: &Service, endpoint_variable: &str, name: &str) -> Stack {
    let endpoint = format!("{endpoint_variable}={}", service.endpoint);
    Stack::deploy_with(name, &["--environment", &endpoint]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ready_photo_stays_ready_although_it_could_not_be_rendered_any_more() {
    let stack = Stack::deploy("lowered").await;
    stack.upload("trip/a.jpg", &photos::reference()).await;
    let ready = stack.item("trip/a.jpg", "READY").await;
    let options = ["--parameter", "MaxPhotoBytes=1000000", "Renditions=small: scale=0.5"];
    let stack = Stack::deploy_with("lowered", &options).await;
    let mut job = stack.sample("batch-2.0");
    job["tasks"][0]["s3Key"] = "trip/a.jpg".into();
    let result = stack.invoke(&job).await.payload["results"][0].take();
    assert_eq!(result["resultCode"], "PermanentFailure", "{result}");
    assert!(result["resultString"].as_str().unwrap().starts_with("TooManyBytes"), "{result}");
    assert_eq!(stack.item("trip/a.jpg", "READY").await, ready);
    assert_eq!(stack.thumbnail_keys().await, ["thumbnail/trip/a.jpg"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rendition_that_is_refused_writes_no_item_and_the_next_try_stores_all() {
    let stack = Stack::silent("refused-rendition").await;
    let mut environment = stack.environment().await;
    environment.insert("RENDITIONS".to_owned(), FOUR_RENDITIONS.to_owned());
    for refused in ["thumbnail", "square"] {
        let key = format!("{refused}.jpg");
        let etag = stack.upload(&key, &photos::small()).await;
        let event = json!({"Records": [stack.record(&key, &etag, 1)]});
        let mut lambda = Lambda::start(&environment).await;
        lambda.invoke(&event);
        let error = loop {
            match lambda.next().await {
                Next::Call(call) if call.name == "PUT" && call.path.contains(refused) => {
                    let denied = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
                    call.answer(&Answer::new("403 Forbidden", &[], denied).bytes).await;
                }
                Next::Call(call) => call.forward().await,
                Next::End(end) => break end.unwrap_err(),
            }
        };
        assert!(error.contains("AccessDenied") && error.contains(refused), "{error}");
        assert_eq!(stack.item_now(&key).await, None, "{key}");
        assert!(stack.renditions_of(&key).await.len() < 4, "{key}");

        lambda.invoke(&event);
        assert_eq!(lambda.finish().await, Ok(()));
        let item = stack.expect_whole(&key, &etag).await;
        assert_eq!(item["renditions"].as_object().unwrap().len(), 4);
    }
    stack.letters(0).await;
}
