//! A process that takes several events at a time, as those of Lambda Managed Instances do.

use std::time::Duration;

use serde_json::{Value, json};

use crate::lambda::Instance;
use crate::photos;
use crate::stack::Stack;

const AT_A_TIME: usize = 8;
const LONG: Duration = Duration::from_secs(60);

async fn event(stack: &Stack, key: &str, photo: &[u8]) -> Value {
    let etag = stack.upload(key, photo).await;
    json!({"Records": [stack.record(key, &etag, 1)]})
}

#[tokio::test(flavor = "multi_thread")]
async fn several_events_at_a_time_are_each_answered_once_and_the_process_goes_on() {
    let stack = Stack::silent("instance").await;
    let mut instance = Instance::start(&stack.environment().await, AT_A_TIME).await;
    let key = |number: usize| format!("{number:02}.jpg");
    for number in 0..3 * AT_A_TIME {
        let photo = photos::reference_number(number);
        instance.invoke(&event(&stack, &key(number), &photo).await, LONG);
    }
    // They are at work at the same time: six of them for each core.
    instance.serve_until(Some("PUT"), |instance| instance.held() >= 6).await;
    assert_eq!(instance.given(), AT_A_TIME);
    instance.release();
    instance.serve_until(None, |instance| instance.ends.len() == 3 * AT_A_TIME).await;
    for (number, ends) in &instance.ends {
        assert_eq!(ends.as_slice(), [Ok(())], "{number}");
    }
    for number in 0..3 * AT_A_TIME {
        assert_eq!(stack.item_now(&key(number)).await.unwrap()["status"], "READY");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_past_its_deadline_takes_only_its_own_event_with_it() {
    let stack = Stack::silent("instance-deadline").await;
    let mut instance = Instance::start(&stack.environment().await, AT_A_TIME).await;
    // libjpeg-turbo decodes its 426 megapixels in one call, of some seconds.
    let slow = event(&stack, "slow.jpg", &photos::side_by_side(10, true)).await;
    instance.invoke(&slow, Duration::from_millis(1500));
    for number in 1..AT_A_TIME {
        let key = format!("{number}.jpg");
        instance.invoke(&event(&stack, &key, &photos::small()).await, LONG);
    }
    // An event that comes later: it is not to begin beside the photo that cannot be stopped.
    instance.invoke(&json!({"Records": []}), LONG);

    instance.serve_until(Some("PUT"), |instance| instance.ends.contains_key(&1)).await;
    let error = instance.ends[&1][0].clone().unwrap_err();
    assert!(error.contains("DeadlineNear"), "{error}");
    instance.release();
    instance.serve_until(None, |instance| instance.ends.len() == AT_A_TIME).await;
    instance.ended().await;
    for (number, ends) in &instance.ends {
        assert_eq!(ends.len(), 1, "{number} is answered once");
        assert_eq!(ends[0].is_ok(), *number != 1, "{number}: {ends:?}");
    }
    assert_eq!(instance.given(), AT_A_TIME, "no further event began");
    for number in 1..AT_A_TIME {
        assert_eq!(stack.item_now(&format!("{number}.jpg")).await.unwrap()["status"], "READY");
    }
    assert_eq!(stack.item_now("slow.jpg").await, None);
}
