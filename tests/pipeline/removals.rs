//! Photos that are removed, and events about one photo that come in any order.

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use serde_json::{Value, json};

use crate::photos;
use crate::stack::Stack;

/// Whether the item is the tombstone of a removed photo.
async fn expect_tombstone(stack: &Stack, key: &str) {
    let item = stack.item(key, "DELETED").await;
    let mut names: Vec<&str> = item.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort();
    assert_eq!(names, ["expiresAt", "photoKey", "processedAt", "sequencer", "status"]);
    assert!(item["expiresAt"].as_i64().unwrap() > chrono::Utc::now().timestamp() + 23 * 3600);
    stack.no_thumbnail(key).await;
}

fn no_failure(answer: &crate::stack::Answer) {
    assert_eq!(answer.function_error, None, "{:?}", answer.payload);
    assert_eq!(answer.payload, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_photo_takes_its_thumbnail_its_place_and_its_time_with_it() {
    let stack = Stack::deploy("remove").await;
    for key in ["trip/a b.jpg", "trip/b.jpg"] {
        stack.upload(key, &photos::reference()).await;
        stack.item(key, "READY").await;
    }
    stack.remove("trip/a b.jpg").await;
    expect_tombstone(&stack, "trip/a b.jpg").await;
    assert_eq!(stack.thumbnail_keys().await, ["thumbnail/trip/b.jpg"]);
    stack.upload("trip/a b.jpg", &photos::small()).await;
    let again = stack.item("trip/a b.jpg", "READY").await;
    assert_eq!(again.get("expiresAt"), None, "what is there again must not expire");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_photo_that_is_removed_is_forgotten_too() {
    let stack = Stack::deploy("remove-failed").await;
    stack.upload("a.jpg", b"no photo").await;
    stack.item("a.jpg", "FAILED").await;
    stack.remove("a.jpg").await;
    expect_tombstone(&stack, "a.jpg").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_photos_are_kept_nothing_is_removed() {
    let options = ["--parameter", "DeleteWithOriginal=false"];
    let stack = Stack::deploy_with("kept", &options).await;
    stack.upload("a.jpg", &photos::small()).await;
    stack.item("a.jpg", "READY").await;
    stack.remove("a.jpg").await;
    let line = stack.log_line("a.jpg", "ignored").await;
    assert_eq!(line["errorType"], "Kept");
    assert_eq!(stack.item("a.jpg", "READY").await["status"], "READY");
    assert_eq!(stack.thumbnail_keys().await, ["thumbnail/a.jpg"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_versioned_bucket_the_current_version_is_the_photo() {
    let stack = Stack::deploy("versions").await;
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled);
    let request = stack.s3.put_bucket_versioning().bucket(&stack.originals);
    request.versioning_configuration(enabled.build()).send().await.unwrap();

    stack.upload("a.jpg", &photos::small()).await;
    let first = stack.item("a.jpg", "READY").await;
    stack.remove("a.jpg").await;
    expect_tombstone(&stack, "a.jpg").await;

    // Without its delete marker, the version is current again.
    let versions = stack.s3.list_object_versions().bucket(&stack.originals).send().await.unwrap();
    let marker = versions.delete_markers()[0].version_id().unwrap();
    let delete = stack.s3.delete_object().bucket(&stack.originals).key("a.jpg");
    delete.version_id(marker).send().await.unwrap();
    let again = stack.item("a.jpg", "READY").await;
    assert_eq!(again["original"]["etag"], first["original"]["etag"]);
    assert!(again["sequencer"].as_str() > first["sequencer"].as_str());

    // A version that is not current is no photo, so that its removal changes nothing.
    stack.upload("a.jpg", &photos::reference()).await;
    stack.item_of("a.jpg", 5323).await;
    let old = versions.versions()[0].version_id().unwrap();
    let delete = stack.s3.delete_object().bucket(&stack.originals).key("a.jpg");
    delete.version_id(old).send().await.unwrap();
    let line = stack.log_line("a.jpg", "ignored").await;
    assert_eq!(line["errorType"], "StillThere");
    assert_eq!(stack.item("a.jpg", "READY").await["original"]["width"], 5323);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_comes_before_an_older_upload_has_the_last_word() {
    let stack = Stack::silent("crossed").await;
    let etag = stack.upload("a.jpg", &photos::small()).await;
    let upload = stack.record("a.jpg", &etag, 1);
    let mut removal = stack.record("a.jpg", &etag, 2);
    removal["eventName"] = "ObjectRemoved:Delete".into();

    // The photo is fetched, then removed, then its thumbnail is written: as if its bytes came late.
    no_failure(&stack.invoke(&json!({"Records": [upload]})).await);
    stack.remove("a.jpg").await;
    no_failure(&stack.invoke(&json!({"Records": [removal]})).await);
    expect_tombstone(&stack, "a.jpg").await;
    stack.put_thumbnail("a.jpg", &etag).await;
    no_failure(&stack.invoke(&json!({"Records": [upload]})).await);
    expect_tombstone(&stack, "a.jpg").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_removal_that_comes_late_leaves_the_newer_photo() {
    let stack = Stack::silent("late-removal").await;
    let etag = stack.upload("a.jpg", &photos::small()).await;
    no_failure(&stack.invoke(&json!({"Records": [stack.record("a.jpg", &etag, 3)]})).await);
    let mut removal = stack.record("a.jpg", &etag, 2);
    removal["eventName"] = "ObjectRemoved:Delete".into();
    no_failure(&stack.invoke(&json!({"Records": [removal]})).await);
    stack.item("a.jpg", "READY").await;
    assert_eq!(stack.thumbnail_keys().await, ["thumbnail/a.jpg"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_upload_that_died_over_the_newer_thumbnail_is_put_right_by_its_retry() {
    let stack = Stack::silent("overwritten").await;
    let old = stack.upload("a.jpg", &photos::reference()).await;
    let old_record = stack.record("a.jpg", &old, 1);
    let new = stack.upload("a.jpg", &photos::small()).await;
    no_failure(&stack.invoke(&json!({"Records": [stack.record("a.jpg", &new, 2)]})).await);
    let expected = stack.thumbnail("a.jpg").await;

    // The older invocation wrote its thumbnail and was killed before its commit.
    stack.put_thumbnail("a.jpg", &old).await;
    assert_ne!(stack.thumbnail("a.jpg").await, expected);
    no_failure(&stack.invoke(&json!({"Records": [old_record]})).await);
    assert_eq!(stack.thumbnail("a.jpg").await, expected);
    assert_eq!(stack.item("a.jpg", "READY").await["original"]["etag"], new);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_current_again_stays_although_the_event_of_the_removed_one_comes_late() {
    let stack = Stack::silent("current-again").await;
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled);
    let request = stack.s3.put_bucket_versioning().bucket(&stack.originals);
    request.versioning_configuration(enabled.build()).send().await.unwrap();

    let first = stack.upload("a.jpg", &photos::small()).await;
    no_failure(&stack.invoke(&json!({"Records": [stack.record("a.jpg", &first, 1)]})).await);
    let second = stack.upload("a.jpg", &photos::reference()).await;
    let versions = stack.s3.list_object_versions().bucket(&stack.originals).send().await.unwrap();
    let newest = versions.versions().iter().find(|version| version.is_latest() == Some(true));
    let delete = stack.s3.delete_object().bucket(&stack.originals).key("a.jpg");
    delete.version_id(newest.unwrap().version_id().unwrap()).send().await.unwrap();

    let mut removal = stack.record("a.jpg", &second, 3);
    removal["eventName"] = "ObjectRemoved:Delete".into();
    no_failure(&stack.invoke(&json!({"Records": [removal]})).await);
    let item = stack.item("a.jpg", "READY").await;
    assert_eq!(item["sequencer"], format!("{:032X}", 3), "the removal has taken it over");
    no_failure(&stack.invoke(&json!({"Records": [stack.record("a.jpg", &second, 2)]})).await);
    let item = stack.item("a.jpg", "READY").await;
    assert_eq!(
        (&item["original"]["etag"], &item["original"]["width"]),
        (&json!(first), &json!(640))
    );
    assert_eq!(stack.thumbnail_of("a.jpg").await, Some(first));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_removal_that_made_a_broken_version_current_keeps_its_letter_until_that_one_is_ready() {
    let stack = Stack::silent("broken-again").await;
    let etag = stack.upload("a.jpg", b"no photo").await;
    let mut removal = stack.record("a.jpg", &etag, 1);
    removal["eventName"] = "ObjectRemoved:Delete".into();
    let event = json!({"Records": [removal]});
    no_failure(&stack.invoke(&event).await);
    let letter = stack.letters(1).await.remove(0);
    assert_eq!(letter.body["requestPayload"], event);

    let message = json!({
        "eventSource": "aws:sqs", "messageId": "again", "body": letter.body.to_string()
    });
    let answer = stack.invoke(&json!({"Records": [message]})).await;
    assert_eq!(answer.payload, json!({"batchItemFailures": [{"itemIdentifier": "again"}]}));
    assert_eq!(stack.item("a.jpg", "FAILED").await["failure"]["deadLetterId"], letter.id);
}
