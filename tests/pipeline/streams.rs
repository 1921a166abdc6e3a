//! What the table's stream tells those who wait for photos.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use ureq::http::Request;

use crate::caller::Caller;
use crate::photos;
use crate::stack::Stack;

/// What DynamoDB Streams answers; no SDK here has a client for it.
async fn ask(operation: &str, body: &Value) -> Value {
    let request = Request::post(format!("{}/", std::env::var("AWS_ENDPOINT_URL").unwrap()))
        .header("x-amz-target", format!("DynamoDBStreams_20120810.{operation}"))
        .header("content-type", "application/x-amz-json-1.0")
        .body(body.to_string().into())
        .unwrap();
    let response = Caller::root().send("dynamodb", request).await;
    assert_eq!(response.status(), 200, "{}", response.body());
    serde_json::from_str(response.body()).unwrap()
}

/// Where the reading of the table's stream begins: at its first record.
async fn beginning(stack: &Stack) -> Value {
    let table = stack.dynamodb.describe_table().table_name(&stack.table).send().await.unwrap();
    let arn = table.table.unwrap().latest_stream_arn.expect("the table has a stream");
    let stream = ask("DescribeStream", &json!({"StreamArn": arn})).await;
    let shards = stream["StreamDescription"]["Shards"].as_array().unwrap();
    assert_eq!(shards.len(), 1, "{stream}");
    let shard = &shards[0]["ShardId"];
    let from = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
    ask("GetShardIterator", &from).await["ShardIterator"].clone()
}

/// The next record.
async fn next(position: &mut Value) -> Value {
    let started = Instant::now();
    loop {
        let read = json!({"ShardIterator": *position, "Limit": 1});
        let answer = ask("GetRecords", &read).await;
        *position = answer["NextShardIterator"].clone();
        if let Some(record) = answer["Records"].as_array().unwrap().first() {
            return record["dynamodb"].clone();
        }
        assert!(started.elapsed() < Duration::from_secs(60), "no record in the stream");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_the_stream_hears_that_a_photo_is_ready_or_failed_or_removed() {
    let stack = Stack::deploy("stream").await;
    let mut position = beginning(&stack).await;

    stack.upload("trip/good.jpg", &photos::small()).await;
    let ready = next(&mut position).await;
    let photo = &ready["NewImage"];
    assert_eq!(photo["photoKey"]["S"], "trip/good.jpg", "{ready}");
    assert_eq!(photo["status"]["S"], "READY");
    let thumbnail = &photo["renditions"]["M"]["thumbnail"]["M"];
    assert_eq!(thumbnail["key"]["S"], "thumbnail/trip/good.jpg");
    assert_eq!(ready.get("OldImage"), None);
    assert_eq!(stack.thumbnail_keys().await, ["thumbnail/trip/good.jpg"], "it is there by then");

    stack.upload("trip/bad.jpg", b"no photo at all").await;
    let failed = next(&mut position).await;
    assert_eq!(failed["NewImage"]["photoKey"]["S"], "trip/bad.jpg", "{failed}");
    assert_eq!(failed["NewImage"]["status"]["S"], "FAILED");
    assert_eq!(failed["NewImage"]["failure"]["M"]["type"]["S"], "NotAPhoto");

    stack.remove("trip/good.jpg").await;
    let removed = next(&mut position).await;
    assert_eq!(removed["NewImage"]["status"]["S"], "DELETED", "{removed}");
    assert_eq!(removed["OldImage"]["status"]["S"], "READY", "the listener knows what is gone");
}
