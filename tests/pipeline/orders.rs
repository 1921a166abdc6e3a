//! Uploads and removals of the same keys, at the same time, in any order and more than once: whichever
//! way the invocations cross, the last of them has the last word.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use turbojpeg::Subsamp;

use crate::stack::Stack;

const KEYS: usize = 20;
const NEWS_OF_A_KEY: usize = 6;

/// A random number below `limit`: xorshift, from a seed that the test names where it fails.
fn random(state: &mut u64, limit: u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state % limit
}

/// A photo of a size of its own, so that each has another ETag; every other one takes long, so that
/// the next one overtakes it.
fn photo(number: usize) -> Vec<u8> {
    let (width, height) =
        if number.is_multiple_of(2) { (6000 + number, 4000) } else { (400 + number, 300) };
    let pixels = vec![number as u8; width * height];
    let format = turbojpeg::PixelFormat::GRAY;
    let image = turbojpeg::Image { pixels: &pixels[..], width, pitch: width, height, format };
    turbojpeg::compress(image, 90, Subsamp::Gray).unwrap().to_vec()
}

/// Sends an event after a while, and again until it is done, as Lambda would.
async fn send(stack: Arc<Stack>, record: Value, after: u64) {
    tokio::time::sleep(Duration::from_millis(after)).await;
    for _ in 0..3 {
        let answer = stack.invoke(&json!({"Records": [record]})).await;
        if answer.function_error.is_none() {
            return;
        }
    }
    panic!("three tries were not enough for {record}");
}

/// What happens to one key, and the ETag of the object that is there at the end.
async fn live(stack: &Arc<Stack>, key: &str, mut seed: u64) -> Option<String> {
    let mut sent = Vec::new();
    let mut last = None;
    for number in 0..NEWS_OF_A_KEY {
        let sequencer = number as u32 + 1;
        let is_removal = last.is_some() && random(&mut seed, 3) == 0;
        let mut record = stack.record(key, last.as_deref().unwrap_or_default(), sequencer);
        if is_removal {
            stack.remove(key).await;
            record["eventName"] = "ObjectRemoved:Delete".into();
            last = None;
        } else {
            let etag = stack.upload(key, &photo(number)).await;
            record = stack.record(key, &etag, sequencer);
            last = Some(etag);
        }
        for _ in 0..=random(&mut seed, 2) {
            let send = send(Arc::clone(stack), record.clone(), random(&mut seed, 60));
            sent.push(tokio::spawn(send));
        }
        // Some events cross, some do not.
        tokio::time::sleep(Duration::from_millis(random(&mut seed, 200))).await;
    }
    for sent in sent {
        sent.await.unwrap();
    }
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_way_events_about_a_key_cross_the_newest_has_the_last_word() {
    let stack = Arc::new(Stack::deploy("orders").await);
    stack.silence_bucket().await;
    let seed = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64 | 1;
    println!("seed {seed}");
    let keys: Vec<String> = (0..KEYS).map(|number| format!("{number}.jpg")).collect();
    let lives =
        keys.iter().zip(1..).map(|(key, number)| live(&stack, key, seed.rotate_left(number)));
    let ends: HashMap<&str, Option<String>> =
        keys.iter().map(String::as_str).zip(join_all(lives).await).collect();
    for (key, etag) in ends {
        let item = stack.item_now(key).await.unwrap();
        let thumbnail = stack.thumbnail_of(key).await;
        match etag {
            Some(etag) => {
                assert_eq!(
                    (&item["status"], &item["etag"]),
                    (&"READY".into(), &json!(etag)),
                    "{key}"
                );
                assert_eq!(thumbnail, Some(etag), "{key}: the thumbnail is the item's");
            }
            None => {
                assert_eq!(item["status"], "DELETED", "{key}");
                assert_eq!(thumbnail, None, "{key}: nothing is left");
            }
        }
    }
}
