//! Files and events that are made to hurt, and files that are no photos: each ends, and no other suffers.

use std::time::Duration;

use exif::{Tag, Value as ExifValue};
use serde_json::{Value, json};

use crate::lambda::{Lambda, Next};
use crate::photos;
use crate::service::{Answer, Service};
use crate::stack::Stack;

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_dynamodb_does_not_take_cost_a_photo_nothing_but_themselves() {
    let stack = Stack::silent("wild-numbers").await;
    let fields = |wild: f64| {
        [
            (Tag::Model, photos::text("Camera")),
            (Tag::ExposureTime, ExifValue::Double(vec![wild])),
            (Tag::FNumber, ExifValue::Double(vec![wild])),
            (Tag::FocalLength, ExifValue::Rational(vec![(35, 1).into()])),
        ]
    };
    for (number, wild) in [1e-200, 1e200, 5e-324].into_iter().enumerate() {
        let key = format!("{number}.jpg");
        let photo = photos::with_exif(&photos::small(), &fields(wild));
        stack.process(&[(&key, photo)]).await;
        let item = stack.item(&key, "READY").await;
        assert_eq!(item["camera"]["model"], "Camera");
        assert_eq!(item["exposure"], json!({"focalLength": 35}), "{wild:e}");
    }
    stack.letters(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_the_application_has_made_too_large_is_written_without_the_facts() {
    let stack = Stack::silent("too-large").await;
    let exif = [Tag::Artist, Tag::ImageDescription, Tag::Copyright, Tag::Model];
    let photo =
        photos::with_exif(&photos::small(), &exif.map(|tag| (tag, photos::text(&"a".repeat(500)))));
    let etag = stack.upload("a.jpg", &photo).await;
    // DynamoDB takes 400 KB of an item (Developer Guide, "Service, account, and table quotas").
    stack.keep("a.jpg", 400 * 1024 - 1800).await;
    let answer = stack.invoke(&json!({"Records": [stack.record("a.jpg", &etag, 1)]})).await;
    assert_eq!(answer.function_error, None, "{answer:?}");
    let item = stack.item("a.jpg", "READY").await;
    assert_eq!((item.get("camera"), &item["original"]["width"]), (None, &json!(640)));
    assert!(item["renditions"]["thumbnail"]["key"].is_string(), "{item}");
    stack.letters(0).await;

    // Where not even that has room, the letter is all there is.
    stack.keep("b.jpg", 400 * 1024 - 100).await;
    let etag = stack.upload("b.jpg", &photo).await;
    let answer = stack.invoke(&json!({"Records": [stack.record("b.jpg", &etag, 1)]})).await;
    assert_eq!(answer.function_error, None, "{answer:?}");
    let letter = stack.letters(1).await.remove(0);
    assert_eq!(letter.error_type.as_deref(), Some("ItemRefused"));
    let message = letter.body["responsePayload"]["errorMessage"].as_str().unwrap();
    assert!(message.contains("size"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_characters_that_no_message_holds_is_kept_all_the_same() {
    let stack = Stack::silent("characters").await;
    for key in ["a/\u{FFFE}.jpg", "a/\u{FFFF}\u{1}.jpg"] {
        let etag = stack.upload(key, b"not a photo").await;
        let mut event = stack.sample("eventbridge-created");
        event["detail"]["object"] = json!({"key": key, "etag": etag, "size": 11, "sequencer": "1"});
        let answer = stack.invoke(&event).await;
        assert_eq!(answer.function_error, None, "{answer:?}");
        stack.item(key, "FAILED").await;
        let letter = stack.letters(1).await.remove(0);
        assert_eq!(letter.body["requestPayload"], event);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_of_a_job_are_judged_by_their_size_before_they_are_fetched() {
    let options = ["--parameter", "MaxPhotoBytes=2000000"];
    let stack = Stack::silent_with("tasks", &options).await;
    stack.upload("trip/", b"").await;
    stack.upload("trip/empty.jpg", b"").await;
    stack.upload("trip/large.jpg", &photos::reference()).await;
    let mut event = stack.sample("batch-2.0");
    let task = event["tasks"][0].clone();
    let tasks = ["trip/", "trip/empty.jpg", "trip/large.jpg"].map(|key| {
        let mut task = task.clone();
        (task["taskId"], task["s3Key"]) = (key.into(), key.into());
        task
    });
    event["tasks"] = json!(tasks);
    let answer = stack.invoke(&event).await;
    let result = |number: usize| {
        let result = &answer.payload["results"][number];
        let text = result["resultString"].as_str().unwrap();
        (result["resultCode"].as_str().unwrap(), text.split(':').next().unwrap())
    };
    assert_eq!(result(0), ("Succeeded", "Folder"));
    assert_eq!(result(1), ("PermanentFailure", "EmptyPhoto"));
    assert_eq!(result(2), ("PermanentFailure", "TooManyBytes"));
    assert_eq!(stack.item_count().await, 2, "a folder has no item");
    let line = stack.log_line("trip/large.jpg", "failed").await;
    assert_eq!(line.get("format"), None, "it was not downloaded: {line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_record_sends_one_letter_however_often_its_neighbour_is_tried() {
    let refusal = "<Error><Code>SlowDown</Code><Message>Slow down.</Message></Error>";
    let refusing = Answer::new("503 Slow Down", &[], refusal.as_bytes());
    let service = Service::start(&[refusing]).await;
    let endpoint = format!("AWS_ENDPOINT_URL_S3={}", service.endpoint);
    let stack = Stack::deploy_with("unreadable-twice", &["--environment", &endpoint]).await;
    let neighbour = stack.record("trip/a.jpg", "abc", 1);
    let mut unreadable = stack.record("trip/b.jpg", "abc", 1);
    unreadable["s3"]["object"]["key"] = "%FF.jpg".into();
    let event = json!({"Records": [unreadable, neighbour]});
    stack.invoke_later(&event).await;
    let letter = stack.letters(1).await.remove(0);
    assert_eq!(letter.body["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(letter.body["requestPayload"], event, "it has the unreadable record too");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_neither_is_a_photo_nor_claims_to_be_one_is_ignored() {
    let stack = Stack::deploy_with("no-photos", &["--parameter", "MaxPhotoBytes=1000000"]).await;
    let film = [b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", &[0; 100][..]].concat();
    for (key, content) in [
        ("trip/IMG_0001.MOV", &film[..]),
        ("trip/.DS_Store", b"\0\0\0\x01Bud1"),
        ("trip/IMG_0001.jpg.json", b"{\"title\": \"IMG_0001.jpg\"}"),
        ("trip/.nomedia", b""),
        ("trip/notes", b"Day 3"),
        ("trip/large.mp4", &[0; 1_000_001]),
    ] {
        stack.upload(key, content).await;
        let line = stack.log_line(key, "ignored").await;
        assert_eq!(line["errorType"], "NotAPhoto", "{line}");
    }
    assert_eq!(stack.item_count().await, 0);
    stack.letters(0).await;

    // What claims to be a picture, by its name or by its type, or nothing at all but is too large.
    stack.upload("trip/IMG_0002.HEIC", &film).await;
    stack.upload_as("trip/IMG_0003", b"Day 4", "image/jpeg").await;
    stack.upload("trip/large", &[0; 1_000_001]).await;
    for (key, error_type) in [
        ("trip/IMG_0002.HEIC", "NotAPhoto"),
        ("trip/IMG_0003", "NotAPhoto"),
        ("trip/large", "TooManyBytes"),
    ] {
        assert_eq!(stack.item(key, "FAILED").await["failure"]["type"], error_type, "{key}");
    }
    stack.letters(3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_taken_the_place_of_a_photo_is_not_ignored() {
    let stack = Stack::deploy("replaced").await;
    stack.upload("trip/a", &photos::small()).await;
    stack.item("trip/a", "READY").await;
    stack.upload("trip/a", b"Day 5").await;
    stack.item("trip/a", "FAILED").await;
    stack.no_thumbnail("trip/a").await;
    stack.letters(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_neighbours_of_photos_that_are_held_up_are_done_and_told_apart() {
    let stack = Stack::silent("stalled").await;
    // As many as are worked on at once, and before all others.
    let held = std::thread::available_parallelism().unwrap().get();
    let keys: Vec<String> = (0..held + 4)
        .map(|number| format!("{}-{number}.jpg", if number < held { "held" } else { "other" }))
        .collect();
    let mut records = Vec::new();
    for key in &keys {
        let etag = stack.upload(key, &photos::small()).await;
        records.push(stack.record(key, &etag, 1));
    }
    let mut lambda = Lambda::start(&stack.environment().await).await;
    lambda.invoke_within(Duration::from_secs(8), &json!({"Records": records}));
    let mut unanswered = Vec::new();
    let error = loop {
        match lambda.next().await {
            Next::Call(call) if call.path.contains("/held-") => unanswered.push(call),
            Next::Call(call) => call.forward().await,
            Next::End(end) => break end.unwrap_err(),
        }
    };
    assert!(error.contains("DeadlineNear"), "{error}");
    let photos = format!("{held} of the event's {} photos must be tried again", keys.len());
    assert!(error.contains(&photos), "{error}");
    for key in &keys {
        let item = stack.item_now(key).await;
        let status = item.as_ref().map(|item: &Value| item["status"].as_str().unwrap());
        assert_eq!(status, key.starts_with("other").then_some("READY"), "{key}");
    }
}
