//! Every sample of events/ through the built function.

use serde_json::Value;

use crate::photos;
use crate::stack::{Stack, root};

/// A stack whose bucket is silent and holds the reference photo under `keys`.
async fn stack_with_photos(name: &str, keys: &[&str]) -> Stack {
    let stack = Stack::deploy(name).await;
    stack.silence_bucket().await;
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
    assert_eq!(stack.item_now(key).await, before, "a deletion is news of another kind");
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

#[test]
fn every_sample_is_invoked_by_a_test() {
    let tests = include_str!("samples.rs");
    let mut names: Vec<String> = std::fs::read_dir(root().join("events"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert!(names.len() >= 10, "{names:?}");
    for name in names {
        assert!(tests.contains(&format!("\"{name}\"")), "no test invokes events/{name}.json");
    }
}
