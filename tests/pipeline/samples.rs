//! Every sample of events/ through the built function.

use serde_json::{Value, json};

use crate::lambda::Lambda;
use crate::photos;
use crate::stack::{Stack, root};

/// A stack whose bucket is silent and holds the reference photo under `keys`.
async fn stack_with_photos(name: &str, keys: &[&str]) -> Stack {
    let stack = Stack::silent(name).await;
    for key in keys {
        stack.upload(key, &photos::reference()).await;
    }
    stack
}

async fn invoke_sample(stack: &Stack, sample: &str) {
    let answer = stack.invoke(&stack.sample(sample)).await;
    assert_eq!(answer.function_error, None, "{sample}: {answer:?}");
    assert_eq!(answer.payload, Value::Null, "{sample}");
}

#[tokio::test(flavor = "multi_thread")]
async fn put_then_overwrite_then_delete() {
    let key = "tokyo/ref-5323x8000.jpg";
    let stack = stack_with_photos("sample-put", &[key]).await;
    for (sample, sequencer) in [("put", "0066112F8D1A2B3C4D"), ("overwrite", "0066112FA1F00C2B19")]
    {
        invoke_sample(&stack, sample).await;
        assert_eq!(
            stack.item(key, "READY").await["sequencer"],
            format!("{sequencer:0>32}"),
            "{sample}"
        );
    }
    let before = stack.item_now(key).await;
    invoke_sample(&stack, "delete").await;
    let mut after = stack.item_now(key).await.unwrap();
    assert_eq!(after["sequencer"], format!("{:0>32}", "0066112FC4D1E2F301"), "of the removal");
    let before = before.unwrap();
    for name in ["sequencer", "processedAt"] {
        after[name] = before[name].clone();
    }
    assert_eq!(after, before, "the object is still there");
    stack.remove(key).await;
    let mut delete = stack.sample("delete");
    delete["Records"][0]["s3"]["object"]["sequencer"] = "0066112FC4D1E2F302".into();
    assert_eq!(stack.invoke(&delete).await.payload, Value::Null);
    stack.item(key, "DELETED").await;
    assert_eq!(stack.thumbnail_keys().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_spaces_plus_signs_korean_and_emoji() {
    let key = "서울 여행/a+b 100%/봄 🌸.jpg";
    let stack = stack_with_photos("sample-key", &[key]).await;
    invoke_sample(&stack, "put-special-key").await;
    let item = stack.item(key, "READY").await;
    assert_eq!(item["album"], "서울 여행/a+b 100%");
    assert_eq!(stack.thumbnail_keys().await, [format!("thumbnail/{key}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn post_copy_and_multipart() {
    let (posted, copied, in_parts) =
        ("tokyo/from-a-form.jpg", "tokyo/copy-of-ref.jpg", "tokyo/in-parts.jpg");
    let stack = stack_with_photos("sample-post", &[posted]).await;
    let copy = stack.s3.copy_object().bucket(&stack.originals).key(copied);
    copy.copy_source(format!("{}/{posted}", stack.originals)).send().await.unwrap();
    upload_in_parts(&stack, in_parts).await;
    for (sample, key) in [("post", posted), ("copy", copied), ("multipart", in_parts)] {
        invoke_sample(&stack, sample).await;
        stack.item(key, "READY").await;
    }
}

async fn upload_in_parts(stack: &Stack, key: &str) {
    use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
    let (s3, bucket) = (&stack.s3, &stack.originals);
    let upload = s3.create_multipart_upload().bucket(bucket).key(key).send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let part = s3.upload_part().bucket(bucket).key(key).upload_id(id).part_number(1);
    let part = part.body(photos::reference().into()).send().await.unwrap();
    let part = CompletedPart::builder().part_number(1).set_e_tag(part.e_tag).build();
    let parts = CompletedMultipartUpload::builder().parts(part).build();
    let complete = s3.complete_multipart_upload().bucket(bucket).key(key).upload_id(id);
    complete.multipart_upload(parts).send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_twenty_four_records() {
    let keys: Vec<String> = (1..=24).map(|number| format!("tokyo/{number:02}.jpg")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let stack = stack_with_photos("sample-batch", &keys).await;
    invoke_sample(&stack, "batch-24").await;
    let expected: Vec<String> = keys.iter().map(|key| format!("thumbnail/{key}")).collect();
    assert_eq!(stack.thumbnail_keys().await, expected);
    for key in keys {
        stack.item(key, "READY").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_event_is_ignored_and_a_broken_one_is_kept() {
    let stack = stack_with_photos("sample-broken", &[]).await;
    invoke_sample(&stack, "test-event").await;
    stack.letters(0).await;
    invoke_sample(&stack, "broken").await;
    let letter = stack.letters(1).await.remove(0);
    assert_eq!(letter.error_type.as_deref(), Some("UnknownEvent"));
    assert_eq!(letter.body["requestPayload"], stack.sample("broken"));
    let message = letter.body["responsePayload"]["errorMessage"].as_str().unwrap();
    assert!(message.contains("expects an S3 notification"), "{message}");
    assert_eq!(stack.item_count().await, 0);
}

const PHOTO: &str = "tokyo/ref-5323x8000.jpg";

#[tokio::test(flavor = "multi_thread")]
async fn events_by_way_of_eventbridge() {
    let stack = stack_with_photos("sample-bridge", &[PHOTO]).await;
    invoke_sample(&stack, "eventbridge-created").await;
    let item = stack.item(PHOTO, "READY").await;
    assert_eq!(item["original"]["uploadedAt"], "2024-04-06T08:24:00.000Z");
    stack.remove(PHOTO).await;
    invoke_sample(&stack, "eventbridge-deleted").await;
    stack.item(PHOTO, "DELETED").await;
    assert_eq!(stack.thumbnail_keys().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_in_an_sns_notification_and_two_other_ways_to_lose_a_photo() {
    for sample in ["delete-marker", "lifecycle-expiration"] {
        let stack = stack_with_photos(&format!("sample-{sample}"), &[PHOTO]).await;
        invoke_sample(&stack, "sns").await;
        stack.item(PHOTO, "READY").await;
        stack.remove(PHOTO).await;
        invoke_sample(&stack, sample).await;
        stack.item(PHOTO, "DELETED").await;
    }
}

/// What a broken EventBridge event becomes in the dead-letter queue: the event as it came.
#[tokio::test(flavor = "multi_thread")]
async fn the_letter_about_an_event_by_way_of_eventbridge_is_that_event() {
    let stack = stack_with_photos("sample-bridge-letter", &[]).await;
    let etag = stack.upload(PHOTO, b"no photo").await;
    let mut event = stack.sample("eventbridge-created");
    event["detail"]["object"]["etag"] = etag.into();
    assert_eq!(stack.invoke(&event).await.payload, Value::Null);
    let letter = stack.letters(1).await.remove(0);
    assert_eq!(letter.body["requestPayload"], event);
    assert_eq!(letter.photo_key.as_deref(), Some(PHOTO));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_a_queue_are_answered_one_by_one() {
    let stack = stack_with_photos("sample-queue", &[PHOTO, "tokyo/01.jpg"]).await;
    for sample in ["sqs", "sqs-sns", "sqs-dead-letter"] {
        let answer = stack.invoke(&stack.sample(sample)).await;
        assert_eq!(answer.function_error, None, "{sample}: {answer:?}");
        assert_eq!(answer.payload, json!({"batchItemFailures": []}), "{sample}");
        stack.item(PHOTO, "READY").await;
    }
    stack.item("tokyo/01.jpg", "READY").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_is_still_broken_stays_in_its_queue_and_sends_no_other() {
    let stack = stack_with_photos("sample-queue-broken", &["tokyo/01.jpg"]).await;
    let etag = stack.upload(PHOTO, b"no photo").await;
    let mut batch = stack.sample("sqs");
    let broken = json!({"Records": [stack.record(PHOTO, &etag, 1)]});
    batch["Records"][0]["body"] = broken.to_string().into();
    let (_, queue) = stack.queue_url.rsplit_once('/').unwrap();
    let arn = format!("arn:aws:sqs:us-east-1:000000000000:{queue}");
    batch["Records"][0]["eventSourceARN"] = arn.into();
    let id = batch["Records"][0]["messageId"].clone();
    let answer = stack.invoke(&batch).await;
    assert_eq!(answer.payload, json!({"batchItemFailures": [{"itemIdentifier": id}]}));
    assert_eq!(stack.item(PHOTO, "FAILED").await["failure"]["deadLetterId"], id);
    stack.item("tokyo/01.jpg", "READY").await;
    stack.letters(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_of_batch_operations_have_a_result_each() {
    let stack = stack_with_photos("sample-job", &[PHOTO]).await;
    let mut items = Vec::new();
    for (sample, version) in [("batch-1.0", "1.0"), ("batch-2.0", "2.0")] {
        let event = stack.sample(sample);
        let answer = stack.invoke(&event).await;
        assert_eq!(answer.function_error, None, "{sample}: {answer:?}");
        assert_eq!(answer.payload["invocationSchemaVersion"], version);
        assert_eq!(answer.payload["invocationId"], event["invocationId"]);
        let result = &answer.payload["results"][0];
        assert_eq!(result["taskId"], event["tasks"][0]["taskId"]);
        assert_eq!(result["resultCode"], "Succeeded", "{answer:?}");
        items.push(stack.item(PHOTO, "READY").await);
    }
    assert_eq!(items[0], items[1], "a photo that is READY is not made again");
    stack.upload("broken.jpg", b"no photo").await;
    let mut event = stack.sample("batch-2.0");
    let task = |id: &str, key: &str| json!({"taskId": id, "s3Key": key, "s3VersionId": null, "s3Bucket": stack.originals});
    event["tasks"] = json!([task("1", "broken.jpg"), task("2", "gone.jpg")]);
    let results = stack.invoke(&event).await.payload["results"].take();
    assert_eq!(results[0]["resultCode"], "PermanentFailure");
    let reason = results[0]["resultString"].as_str().unwrap();
    assert!(reason.starts_with("NotAPhoto: not a photo"), "{reason}");
    assert_eq!(results[1]["resultCode"], "Succeeded");
    let failure = stack.item("broken.jpg", "FAILED").await["failure"].take();
    assert_eq!(failure.get("deadLetterId"), None, "the job's report keeps it");
    stack.letters(0).await;
}

#[test]
fn every_sample_is_invoked_by_a_test() {
    let tests = include_str!("samples.rs");
    let mut names: Vec<String> = std::fs::read_dir(root().join("events"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert!(names.len() >= 20, "{names:?}");
    for name in names {
        assert!(tests.contains(&format!("\"{name}\"")), "no test invokes events/{name}.json");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_renders_the_photos_again_whose_settings_differ_and_no_others() {
    let stack = Stack::deploy("backfill").await;
    stack.upload(PHOTO, &photos::small()).await;
    let before = stack.item(PHOTO, "READY").await;
    let renditions = "Renditions=small: scale=0.5 quality=0.8";
    let stack = Stack::deploy_with("backfill", &["--parameter", renditions]).await;
    let job = stack.sample("batch-2.0");
    let mut versions = Vec::new();
    for _ in 0..2 {
        let result = stack.invoke(&job).await.payload["results"][0].take();
        assert_eq!(result["resultCode"], "Succeeded", "{result}");
        let item = stack.item(PHOTO, "READY").await;
        assert_eq!(item["sequencer"], before["sequencer"]);
        let small = &item["renditions"]["small"];
        assert_eq!(small["key"], format!("small/{PHOTO}"));
        assert_eq!(
            small["width"].as_f64(),
            Some(item["original"]["width"].as_f64().unwrap() / 2.0)
        );
        versions.push((small["version"].clone(), item["processedAt"].clone()));
    }
    assert_eq!(versions[0], versions[1], "it is not rendered twice");
    assert_ne!(versions[0].0, before["renditions"]["thumbnail"]["version"]);
    assert_eq!(stack.thumbnail_keys().await, [format!("small/{PHOTO}")], "the former one is gone");

    // A removed photo takes renditions along that other settings have made.
    let stack = Stack::deploy_with("backfill", &[]).await;
    stack.remove(PHOTO).await;
    stack.item(PHOTO, "DELETED").await;
    stack.log_line(PHOTO, "removed").await;
    assert_eq!(stack.thumbnail_keys().await, [""; 0]);
}

/// A change of the settings, and what the backfill after it must make anew.
struct Change {
    name: &'static str,
    prefix: &'static str,
    renditions: &'static str,
    /// Those whose version differs from that of the same name before.
    made_anew: &'static [&'static str],
}

fn changes() -> [Change; 7] {
    let change = |name, renditions, made_anew| Change { name, prefix: "", renditions, made_anew };
    let three = "thumbnail: scale=0.5; grid: fit=100 quality=0.5; screen: fit=200 format=webp";
    [
        change("two", "thumbnail: scale=0.25; grid: fit=100", &[]),
        change("scale", "thumbnail: scale=0.5; grid: fit=100", &["thumbnail"]),
        change("quality", "thumbnail: scale=0.5; grid: fit=100 quality=0.5", &["grid"]),
        change("one more", three, &["screen"]),
        change("one less", "thumbnail: scale=0.5; screen: fit=200 format=webp", &[]),
        change("format", "thumbnail: scale=0.5; screen: fit=200", &["screen"]),
        Change {
            prefix: "small/",
            ..change("prefix", "thumbnail: scale=0.5; screen: fit=200", &[])
        },
    ]
}

/// Sends the function tasks about these keys, under other settings than its stack has.
async fn backfill(stack: &Stack, change: &Change, keys: &[String]) {
    let mut environment = stack.environment().await;
    for (name, value) in [("RENDITIONS", change.renditions), ("THUMBNAILS_PREFIX", change.prefix)] {
        environment.insert(name.to_owned(), value.to_owned());
    }
    let mut job = stack.sample("batch-2.0");
    let task = job["tasks"][0].clone();
    let tasks = keys.iter().map(|key| {
        let mut task = task.clone();
        task["s3Key"] = key.replace(' ', "%20").into();
        task
    });
    job["tasks"] = tasks.collect();
    let mut lambda = Lambda::start(&environment).await;
    lambda.invoke(&job);
    assert_eq!(lambda.finish().await, Ok(()), "{}", change.name);
}

/// The names of the renditions whose version is not that of `before`, in order.
fn differing(before: &Value, after: &Value) -> Vec<String> {
    let version = |item: &Value, name: &str| item["renditions"][name]["version"].clone();
    let names = after["renditions"].as_object().unwrap().keys();
    let differ = names.filter(|name| version(before, name) != version(after, name));
    let mut differ: Vec<String> = differ.cloned().collect();
    differ.sort();
    differ
}

#[tokio::test(flavor = "multi_thread")]
async fn after_each_change_of_the_renditions_a_backfill_makes_what_differs_and_removes_what_is_former()
 {
    let stack = Stack::silent("changes").await;
    let mut photos: Vec<(String, String, Value)> = Vec::new();
    for change in changes() {
        // Photos that all changes before this one have reached, and one that has no renditions yet.
        let key = format!("{}.jpg", change.name);
        let etag = stack.upload(&key, &photos::small()).await;
        photos.push((key, etag, Value::Null));
        let keys: Vec<String> = photos.iter().map(|(key, ..)| key.clone()).collect();
        backfill(&stack, &change, &keys).await;
        for (key, etag, before) in &mut photos {
            let item = stack.expect_whole(key, etag).await;
            let renditions = item["renditions"].as_object().unwrap();
            assert_eq!(renditions.len(), change.renditions.split(';').count(), "{item}");
            let prefix = renditions.values().map(|made| made["key"].as_str().unwrap());
            assert!(prefix.clone().all(|key| key.starts_with(change.prefix)), "{item}");
            if !before.is_null() {
                assert_eq!(differing(before, &item), change.made_anew, "{}: {key}", change.name);
            }
            *before = item;
        }
        backfill(&stack, &change, &keys).await;
        for (key, _, item) in &photos {
            assert_eq!(stack.item_now(key).await.as_ref(), Some(item), "nothing is done twice");
        }
    }
}
