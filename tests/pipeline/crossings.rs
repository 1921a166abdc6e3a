//! Invocations about one key that cross at a chosen point: each crossing here would leave something behind
//! if one line of the function were missing. `tests/model` found them.

use std::collections::HashMap;

use exif::Tag;
use serde_json::{Value, json};

use crate::lambda::{Lambda, Next};
use crate::photos;
use crate::stack::{FOUR_RENDITIONS, Stack};

const BROKEN: &[u8] = b"no photo";

/// One key of a stack whose bucket sends no events: the test does.
struct Key<'a> {
    stack: &'a Stack,
    environment: HashMap<String, String>,
    /// How many renditions a photo has.
    renditions: usize,
    name: String,
    sequencer: u32,
}

/// How many renditions a photo has in turn.
const ONE_AND_FOUR: [usize; 2] = [1, 4];

impl Key<'_> {
    async fn new<'a>(stack: &'a Stack, renditions: usize, name: &str) -> Key<'a> {
        let mut environment = stack.environment().await;
        if renditions == 4 {
            environment.insert("RENDITIONS".to_owned(), FOUR_RENDITIONS.to_owned());
        }
        let name = format!("{renditions}/{name}.jpg");
        Key { stack, environment, renditions, name, sequencer: 0 }
    }

    /// Gives the event of an upload, and the photo's ETag.
    async fn upload(&mut self, photo: &[u8]) -> (Value, String) {
        let etag = self.stack.upload(&self.name, photo).await;
        self.sequencer += 1;
        (self.stack.record(&self.name, &etag, self.sequencer), etag)
    }

    /// Gives the event of a removal.
    async fn remove(&mut self) -> Value {
        self.stack.remove(&self.name).await;
        self.sequencer += 1;
        let mut record = self.stack.record(&self.name, "", self.sequencer);
        record["eventName"] = "ObjectRemoved:Delete".into();
        record
    }

    /// Uploads a photo whose invocation makes these calls, and then waits.
    async fn upload_until(&mut self, calls: &str, photo: &[u8]) -> (Lambda, String) {
        let (record, etag) = self.upload(photo).await;
        let mut lambda = self.begin(&record).await;
        self.go(&mut lambda, calls).await;
        (lambda, etag)
    }

    /// Uploads a photo that is handled at once.
    async fn upload_whole(&mut self, photo: &[u8]) -> String {
        let (record, etag) = self.upload(photo).await;
        finish(self.begin(&record).await).await;
        etag
    }

    /// An invocation about an event, before its first call.
    async fn begin(&self, record: &Value) -> Lambda {
        let mut lambda = Lambda::start(&self.environment).await;
        lambda.invoke(&json!({"Records": [record]}));
        lambda
    }

    /// Lets an invocation make these calls, and none after them. PUTS, HEADS and DELETES are one for each rendition.
    async fn go(&self, lambda: &mut Lambda, calls: &str) {
        for word in calls.split(' ') {
            let (call, times) = match word.strip_suffix('S') {
                Some(call) => (call, self.renditions),
                None => (word, 1),
            };
            for _ in 0..times {
                make(lambda, call).await;
            }
        }
    }

    /// Whether item and renditions are of the photo of this ETag.
    async fn expect(&self, etag: &str) {
        let item = self.stack.expect_whole(&self.name, etag).await;
        let renditions = item["renditions"].as_object().unwrap();
        assert_eq!(renditions.len(), self.renditions, "{}", self.name);
    }

    /// Whether the item has this status, and there is no rendition.
    async fn expect_bare(&self, status: &str) {
        let item = self.stack.item_now(&self.name).await.unwrap();
        assert_eq!(item["status"], status, "{}", self.name);
        let renditions = self.stack.renditions_of(&self.name).await;
        assert_eq!(renditions.into_keys().collect::<Vec<_>>(), [""; 0], "{}", self.name);
    }
}

/// The newer of two events that cross, up to the write of its item, and how the key must end.
struct Newer {
    name: &'static str,
    /// Bytes of an upload, or a removal.
    photo: Option<Vec<u8>>,
    calls: &'static str,
    /// The status where no photo stays.
    ends: Option<&'static str>,
}

fn newer_events() -> [Newer; 4] {
    let rejected = "GET GetItem SendMessage";
    let same_pixels = photos::with_exif(&photos::small(), &[(Tag::Artist, photos::text("else"))]);
    let newer = |name, photo, calls, ends| Newer { name, photo, calls, ends };
    [
        newer("other", Some(photos::small_stored_as(6)), "GET PUTS", None),
        newer("same-pixels", Some(same_pixels), "GET PUTS", None),
        newer("broken", Some(BROKEN.to_vec()), rejected, Some("FAILED")),
        newer("removed", None, "GetItem HEAD", Some("DELETED")),
    ]
}

/// All of them, of photos with one rendition and with four.
fn events_of_one_and_four() -> impl Iterator<Item = (usize, Newer)> {
    let with = |renditions| newer_events().into_iter().map(move |newer| (renditions, newer));
    ONE_AND_FOUR.into_iter().flat_map(with)
}

impl Newer {
    /// Begins the newer event, up to the write of its item. Gives the ETag that the key then has.
    async fn begin(&self, key: &mut Key<'_>) -> (Lambda, String) {
        match &self.photo {
            Some(photo) => key.upload_until(self.calls, photo).await,
            None => {
                let removal = key.remove().await;
                let mut lambda = key.begin(&removal).await;
                key.go(&mut lambda, self.calls).await;
                (lambda, String::new())
            }
        }
    }

    async fn expect_end(&self, key: &Key<'_>, etag: &str) {
        match self.ends {
            None => key.expect(etag).await,
            Some(status) => key.expect_bare(status).await,
        }
    }
}

/// Lets an invocation make its next call.
async fn make(lambda: &mut Lambda, expected: &str) {
    match lambda.next().await {
        Next::Call(call) => {
            assert_eq!(call.name, expected);
            call.forward().await;
        }
        Next::End(end) => panic!("{end:?} before {expected}"),
    }
}

/// Lets an invocation make all calls that it has still to make.
async fn finish(mut lambda: Lambda) {
    assert_eq!(lambda.finish().await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_upload_that_is_written_between_the_two_writes_of_a_newer_event_leaves_nothing() {
    let stack = Stack::silent("between").await;
    for (renditions, newer) in events_of_one_and_four() {
        let mut key = Key::new(&stack, renditions, newer.name).await;
        let (older, _) = key.upload_until("GET", &photos::small()).await;
        let (lambda, etag) = newer.begin(&mut key).await;
        finish(older).await;
        finish(lambda).await;
        newer.expect_end(&key, &etag).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_upload_that_dies_between_its_two_writes_leaves_nothing() {
    let stack = Stack::silent("dies").await;
    for (renditions, newer) in events_of_one_and_four() {
        let mut key = Key::new(&stack, renditions, newer.name).await;
        let (older_record, _) = key.upload(&photos::small()).await;
        let mut older = key.begin(&older_record).await;
        key.go(&mut older, "GET").await;
        let (lambda, etag) = newer.begin(&mut key).await;
        // Of four renditions, two.
        for _ in 0..renditions.div_ceil(2) {
            key.go(&mut older, "PUT").await;
        }
        older.kill();
        // The retry finds neither its object nor an item, and leaves a tombstone.
        let mut retry = key.begin(&older_record).await;
        key.go(&mut retry, "GET UpdateItem").await;
        finish(retry).await;
        finish(lambda).await;
        newer.expect_end(&key, &etag).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn renditions_of_two_photos_that_are_stored_in_turn_end_as_those_of_the_newer() {
    let stack = Stack::silent("in-turn").await;
    for is_older_first in [true, false] {
        let mut key = Key::new(&stack, 4, &format!("older-first-{is_older_first}")).await;
        let (mut older, _) = key.upload_until("GET", &photos::small()).await;
        let (mut newer, etag) = key.upload_until("GET", &photos::small_stored_as(6)).await;
        for _ in 0..4 {
            key.go(&mut older, "PUT").await;
            key.go(&mut newer, "PUT").await;
        }
        let (first, last) = if is_older_first { (older, newer) } else { (newer, older) };
        finish(first).await;
        finish(last).await;
        key.expect(&etag).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_photo_that_ends_late_leaves_the_newer_one() {
    let stack = Stack::silent("ends-late").await;
    for renditions in ONE_AND_FOUR {
        let mut key = Key::new(&stack, renditions, "a").await;
        let (broken, _) = key.upload_until("GET GetItem SendMessage", BROKEN).await;
        let (newer, etag) = key.upload_until("GET PUTS", &photos::small()).await;
        finish(broken).await;
        finish(newer).await;
        key.expect(&etag).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_that_loses_to_a_write_begins_anew() {
    let stack = Stack::silent("begins-anew").await;
    let mut key = Key::new(&stack, 1, "a").await;
    let (older, _) = key.upload_until("GET", &photos::small()).await;
    let mut environment = stack.environment().await;
    environment.insert("RENDITIONS".to_owned(), "thumbnail: scale=0.5".to_owned());
    let mut job = stack.sample("batch-2.0");
    job["tasks"][0]["s3Key"] = key.name.as_str().into();
    let mut backfill = Lambda::start(&environment).await;
    backfill.invoke(&job);
    key.go(&mut backfill, "HEAD GetItem GET PUT").await;
    finish(older).await;
    key.go(&mut backfill, "UpdateItem HEAD GetItem GET PUT UpdateItem HEAD").await;
    finish(backfill).await;
    let item = stack.item_now(&key.name).await.unwrap();
    assert_eq!(item["renditions"]["thumbnail"]["width"], 320, "with the settings of the backfill");
    assert_eq!(item["sequencer"], format!("{:032X}", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_photo_has_its_thumbnail_although_a_broken_one_took_it_away() {
    let stack = Stack::silent("takes").await;
    for renditions in ONE_AND_FOUR {
        let mut key = Key::new(&stack, renditions, "a").await;
        key.upload_whole(&photos::small()).await;
        let (broken, _) = key.upload_until("GET GetItem SendMessage UpdateItem", BROKEN).await;
        let (newer, etag) = key.upload_until("GET PUTS", &photos::small_stored_as(6)).await;
        finish(broken).await;
        finish(newer).await;
        key.expect(&etag).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superseded_removal_takes_nothing_of_the_newer_photo_away() {
    let stack = Stack::silent("superseded").await;
    for renditions in ONE_AND_FOUR {
        let mut key = Key::new(&stack, renditions, "a").await;
        key.upload_whole(&photos::small()).await;
        let removal = key.remove().await;
        let mut removal = key.begin(&removal).await;
        key.go(&mut removal, "GetItem HEAD UpdateItem HEADS").await;
        let etag = key.upload_whole(&photos::small_stored_as(6)).await;
        key.go(&mut removal, "DELETES").await;
        key.expect(&etag).await;
        finish(removal).await;
        key.expect(&etag).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_took_the_thumbnail_of_the_photo_uploaded_anew_puts_it_back() {
    let stack = Stack::silent("anew").await;
    for renditions in ONE_AND_FOUR {
        let mut key = Key::new(&stack, renditions, "a").await;
        let etag = key.upload_whole(&photos::small()).await;
        let removal_record = key.remove().await;
        let mut removal = key.begin(&removal_record).await;
        key.go(&mut removal, "GetItem HEAD UpdateItem").await;
        let (again, _) = key.upload_until("GET PUTS", &photos::small()).await;
        key.go(&mut removal, "HEADS").await;
        finish(again).await;
        // The same bytes give a thumbnail of the same ETag.
        key.go(&mut removal, "DELETES").await;
        removal.kill();
        finish(key.begin(&removal_record).await).await;
        key.expect(&etag).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_without_a_sequencer_removes_nothing_that_came_after_it_looked() {
    let stack = Stack::silent("looked").await;
    for renditions in ONE_AND_FOUR {
        let mut key = Key::new(&stack, renditions, "a").await;
        key.upload_whole(&photos::small()).await;
        let mut removal = key.remove().await;
        removal["s3"]["object"].as_object_mut().unwrap().remove("sequencer");
        let mut removal = key.begin(&removal).await;
        key.go(&mut removal, "GetItem HEAD").await;
        let etag = key.upload_whole(&photos::small_stored_as(6)).await;
        finish(removal).await;
        key.expect(&etag).await;
    }
}
