//! Invocations about one key that cross at a chosen point: the crossings of which nothing remains in the
//! end only because of one line of the function.

use serde_json::{Value, json};

use crate::lambda::{Lambda, Next};
use crate::photos;
use crate::stack::Stack;

const KEY: &str = "a.jpg";

/// A stack whose bucket sends no events about its one key: the test does.
struct Key {
    stack: Stack,
    sequencer: u32,
}

impl Key {
    async fn deploy(name: &str) -> Key {
        let stack = Stack::deploy(name).await;
        stack.silence_bucket().await;
        Key { stack, sequencer: 0 }
    }

    /// Gives the event of an upload, and the photo's ETag.
    async fn upload(&mut self, photo: &[u8]) -> (Value, String) {
        let etag = self.stack.upload(KEY, photo).await;
        self.sequencer += 1;
        (self.stack.record(KEY, &etag, self.sequencer), etag)
    }

    /// Gives the event of a removal.
    async fn remove(&mut self) -> Value {
        self.stack.remove(KEY).await;
        self.sequencer += 1;
        let mut record = self.stack.record(KEY, "", self.sequencer);
        record["eventName"] = "ObjectRemoved:Delete".into();
        record
    }

    /// Uploads a photo whose invocation makes these calls, and then waits.
    async fn upload_until(&mut self, calls: &str, photo: &[u8]) -> (Lambda, String) {
        let (record, etag) = self.upload(photo).await;
        let mut lambda = self.begin(&record).await;
        go(&mut lambda, calls).await;
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
        let mut lambda = Lambda::start(&self.stack.environment().await).await;
        lambda.invoke(&json!({"Records": [record]}));
        lambda
    }

    /// Whether the photo of this ETag is what item and thumbnail are of.
    async fn expect(&self, etag: &str) {
        let item = self.stack.item_now(KEY).await.unwrap();
        assert_eq!((&item["status"], &item["original"]["etag"]), (&"READY".into(), &etag.into()));
        assert_eq!(self.stack.thumbnail_of(KEY).await.as_deref(), Some(etag), "of the thumbnail");
    }
}

/// Lets an invocation make these calls, and none after them.
async fn go(lambda: &mut Lambda, calls: &str) {
    for expected in calls.split(' ') {
        match lambda.next().await {
            Next::Call(call) => {
                assert_eq!(call.name, expected);
                call.forward().await;
            }
            Next::End(end) => panic!("{end:?} before {expected}"),
        }
    }
}

/// Lets an invocation make all calls that it has still to make.
async fn finish(mut lambda: Lambda) {
    assert_eq!(lambda.finish().await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_upload_that_is_written_between_the_two_writes_of_a_newer_one_is_overwritten() {
    let mut key = Key::deploy("between").await;
    let (older, _) = key.upload_until("GET", &photos::small()).await;
    let (newer, etag) = key.upload_until("GET PUT", &photos::small_stored_as(6)).await;
    finish(older).await;
    finish(newer).await;
    key.expect(&etag).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_upload_that_dies_between_its_two_writes_is_overwritten() {
    let mut key = Key::deploy("dies").await;
    let (older_record, _) = key.upload(&photos::small()).await;
    let mut older = key.begin(&older_record).await;
    go(&mut older, "GET").await;
    let (newer, etag) = key.upload_until("GET PUT", &photos::small_stored_as(6)).await;
    go(&mut older, "PUT").await;
    older.kill();
    // The retry finds neither its object nor an item, and leaves a tombstone.
    let mut retry = key.begin(&older_record).await;
    go(&mut retry, "GET UpdateItem").await;
    finish(retry).await;
    finish(newer).await;
    key.expect(&etag).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_photo_has_its_thumbnail_although_a_broken_one_took_it_away() {
    let mut key = Key::deploy("takes").await;
    key.upload_whole(&photos::small()).await;
    let (broken, _) = key.upload_until("GET GetItem SendMessage UpdateItem", b"no photo").await;
    let (newer, etag) = key.upload_until("GET PUT", &photos::small_stored_as(6)).await;
    finish(broken).await;
    finish(newer).await;
    key.expect(&etag).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_was_overtaken_takes_nothing_of_the_newer_photo_away() {
    let mut key = Key::deploy("overtaken").await;
    key.upload_whole(&photos::small()).await;
    let removal = key.remove().await;
    let mut removal = key.begin(&removal).await;
    go(&mut removal, "GetItem HEAD UpdateItem HEAD").await;
    let etag = key.upload_whole(&photos::small_stored_as(6)).await;
    go(&mut removal, "DELETE").await;
    key.expect(&etag).await;
    finish(removal).await;
    key.expect(&etag).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_took_the_thumbnail_of_the_photo_uploaded_anew_puts_it_back() {
    let mut key = Key::deploy("anew").await;
    let etag = key.upload_whole(&photos::small()).await;
    let removal_record = key.remove().await;
    let mut removal = key.begin(&removal_record).await;
    go(&mut removal, "GetItem HEAD UpdateItem").await;
    let (again, _) = key.upload_until("GET PUT", &photos::small()).await;
    go(&mut removal, "HEAD").await;
    finish(again).await;
    // The same bytes give a thumbnail of the same ETag.
    go(&mut removal, "DELETE").await;
    removal.kill();
    finish(key.begin(&removal_record).await).await;
    key.expect(&etag).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_without_a_sequencer_removes_nothing_that_came_after_it_looked() {
    let mut key = Key::deploy("looked").await;
    key.upload_whole(&photos::small()).await;
    let mut removal = key.remove().await;
    removal["s3"]["object"].as_object_mut().unwrap().remove("sequencer");
    let mut removal = key.begin(&removal).await;
    go(&mut removal, "GetItem HEAD").await;
    let etag = key.upload_whole(&photos::small_stored_as(6)).await;
    finish(removal).await;
    key.expect(&etag).await;
}
