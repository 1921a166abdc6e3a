//! A queue between S3 and the function (the template's parameter Queue). The local AWS gives at most ten messages at a
//! time, and does not wait for a batch to fill up.

use std::collections::HashMap;
use std::slice;

use serde_json::{Value, json};

use crate::lambda::Lambda;
use crate::photos;
use crate::stack::Stack;

const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:delivery";
/// As in the template's redrive policy.
const MAX_RECEIVES: u32 = 5;

/// A batch of messages about these records, each received so often.
fn batch(records: &[Value], receives: u32) -> Value {
    let message = |(number, record): (usize, &Value)| {
        json!({
            "messageId": format!("message-{number}"),
            "eventSource": "aws:sqs",
            "eventSourceARN": QUEUE,
            "attributes": {"ApproximateReceiveCount": receives.to_string()},
            "body": json!({"Records": [record]}).to_string(),
        })
    };
    json!({"Records": records.iter().enumerate().map(message).collect::<Vec<Value>>()})
}

/// What the function answers to a batch.
async fn answer(environment: &HashMap<String, String>, event: &Value) -> Value {
    let mut lambda = Lambda::start(environment).await;
    lambda.invoke(event);
    assert_eq!(lambda.finish().await, Ok(()));
    lambda.answer.clone()
}

fn failed(answer: &Value) -> Vec<&str> {
    let failures = answer["batchItemFailures"].as_array().unwrap();
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_that_come_through_the_queue_are_processed_and_broken_ones_leave_a_letter() {
    let stack = Stack::deploy_with("queue", &["--parameter", "Queue=true"]).await;
    for number in 0..12 {
        stack.upload(&format!("trip/{number:02}.jpg"), &photos::small()).await;
    }
    stack.upload("trip/broken.jpg", b"no photo").await;
    for number in 0..12 {
        stack.item(&format!("trip/{number:02}.jpg"), "READY").await;
    }
    let item = stack.item("trip/broken.jpg", "FAILED").await;
    let letters = stack.letters(1).await;
    assert_eq!(letters[0].photo_key.as_deref(), Some("trip/broken.jpg"));
    assert_eq!(letters[0].error_type.as_deref(), Some("NotAPhoto"));
    assert_eq!(letters[0].body["requestContext"]["condition"], "NotRetryable");
    assert_eq!(item["failure"]["deadLetterId"], letters[0].id.as_str());

    stack.remove("trip/00.jpg").await;
    stack.item("trip/00.jpg", "DELETED").await;
    stack.no_thumbnail("trip/00.jpg").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_another_try_leaves_a_letter_with_its_reason() {
    let stack = Stack::silent("last-receive").await;
    let environment = stack.environment().await;
    let mut broken = environment.clone();
    broken.insert("PHOTOS_TABLE".to_owned(), "no-such-table".to_owned());
    let etag = stack.upload("a.jpg", &photos::small()).await;
    let record = stack.record("a.jpg", &etag, 1);

    let again = answer(&broken, &batch(slice::from_ref(&record), MAX_RECEIVES - 1)).await;
    assert_eq!(failed(&again), ["message-0"]);
    assert_eq!(stack.waiting_letters().await, 0, "it is tried again");

    let last = answer(&broken, &batch(slice::from_ref(&record), MAX_RECEIVES)).await;
    assert_eq!(failed(&last), Vec::<&str>::new());
    let letters = stack.letters(1).await;
    assert_eq!(letters[0].error_type.as_deref(), Some("DynamoDbCallFailed"));
    assert_eq!(letters[0].photo_key.as_deref(), Some("a.jpg"));
    assert_eq!(letters[0].body["requestContext"]["condition"], "RetriesExhausted");

    // The letter holds the event: with the table in place, it is all that a redrive needs.
    let event = letters[0].body["requestPayload"].clone();
    assert_eq!(event["Records"][0]["s3"], record["s3"]);
    answer(&environment, &event).await;
    assert_eq!(stack.item_now("a.jpg").await.unwrap()["status"], "READY");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_kept_as_a_letter_stays_in_its_queue() {
    let stack = Stack::silent("no-letter").await;
    let mut environment = stack.environment().await;
    let queue = environment["DEAD_LETTER_QUEUE_URL"].clone() + "-that-is-not-there";
    environment.insert("DEAD_LETTER_QUEUE_URL".to_owned(), queue);
    let good = stack.upload("good.jpg", &photos::small()).await;
    let bad = stack.upload("bad.jpg", b"no photo").await;
    let records = [stack.record("good.jpg", &good, 1), stack.record("bad.jpg", &bad, 1)];
    let mut event = batch(&records, MAX_RECEIVES);
    event["Records"].as_array_mut().unwrap().push(json!({
        "messageId": "message-2", "eventSource": "aws:sqs", "eventSourceARN": QUEUE, "body": "no JSON"
    }));
    let answered = answer(&environment, &event).await;
    assert_eq!(failed(&answered), ["message-1", "message-2"]);
    assert_eq!(stack.item_now("good.jpg").await.unwrap()["status"], "READY");
}
