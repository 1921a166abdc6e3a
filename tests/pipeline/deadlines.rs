//! Photos that take longer than the function has.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::lambda::Lambda;
use crate::photos;
use crate::stack::Stack;

/// An invocation of a new process: its end, and whether the process then asks for another event.
async fn invoke(
    environment: &HashMap<String, String>,
    event: &Value,
    timeout: Duration,
) -> (Result<(), String>, bool) {
    let mut lambda = Lambda::start(environment).await;
    lambda.invoke_within(timeout, event);
    (lambda.finish().await, lambda.goes_on().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_stopped_at_the_deadline_ends_with_its_process_after_a_clear_error() {
    let stack = Stack::silent("deadline").await;
    let environment = stack.environment().await;
    // libjpeg-turbo decodes its 426 megapixels in one call, of some seconds.
    let etag = stack.upload("slow.jpg", &photos::side_by_side(10, true)).await;
    let event = json!({"Records": [stack.record("slow.jpg", &etag, 1)]});
    let (end, goes_on) = invoke(&environment, &event, Duration::from_millis(1500)).await;
    let error = end.unwrap_err();
    assert!(error.contains("DeadlineNear"), "{error}");
    assert!(error.contains("slow.jpg was not finished 1 s before"), "{error}");
    assert!(!goes_on, "the next event would share its CPU and memory with this one");
    assert_eq!(stack.item_now("slow.jpg").await, None);

    let (end, goes_on) = invoke(&environment, &event, Duration::from_secs(60)).await;
    assert_eq!(end, Ok(()));
    assert!(goes_on, "with enough time the process lives on");
    assert_eq!(stack.item_now("slow.jpg").await.unwrap()["status"], "READY");
}
