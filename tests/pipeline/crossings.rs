//! Invocations about one key that cross at a chosen point: each crossing here would leave something behind
//! if one line of the function were missing. `tests/model` found them.

use exif::Tag;
use serde_json::{Value, json};

use crate::lambda::{Lambda, Next};
use crate::photos;
use crate::stack::Stack;

const BROKEN: &[u8] = b"no photo";

/// One key of a stack whose bucket sends no events: the test does.
struct Key<'a> {
    stack: &'a Stack,
    name: String,
    sequencer: u32,
}

async fn silent_stack(name: &str) -> Stack {
    let stack = Stack::deploy(name).await;
    stack.silence_bucket().await;
    stack
}

impl Key<'_> {
    fn new<'a>(stack: &'a Stack, name: &str) -> Key<'a> {
        Key { stack, name: format!("{name}.jpg"), sequencer: 0 }
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

    /// Whether item and thumbnail are of the photo of this ETag.
    async fn expect(&self, etag: &str) {
        let item = self.stack.item_now(&self.name).await.unwrap();
        let found = (&item["status"], &item["original"]["etag"]);
        assert_eq!(found, (&"READY".into(), &etag.into()), "{}", self.name);
        let thumbnail_of = self.stack.thumbnail_of(&self.name).await;
        assert_eq!(thumbnail_of.as_deref(), Some(etag), "the thumbnail of {}", self.name);
    }

    /// Whether the item has this status, and there is no thumbnail.
    async fn expect_bare(&self, status: &str) {
        let item = self.stack.item_now(&self.name).await.unwrap();
        assert_eq!(item["status"], status, "{}", self.name);
        assert_eq!(self.stack.thumbnail_of(&self.name).await, None, "{}", self.name);
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
        newer("other", Some(photos::small_stored_as(6)), "GET PUT", None),
        newer("same-pixels", Some(same_pixels), "GET PUT", None),
        newer("broken", Some(BROKEN.to_vec()), rejected, Some("FAILED")),
        newer("removed", None, "GetItem HEAD", Some("DELETED")),
    ]
}

impl Newer {
    /// Begins the newer event, up to the write of its item. Gives the ETag that the key then has.
    async fn begin(&self, key: &mut Key<'_>) -> (Lambda, String) {
        match &self.photo {
            Some(photo) => key.upload_until(self.calls, photo).await,
            None => {
                let removal = key.remove().await;
                let mut lambda = key.begin(&removal).await;
                go(&mut lambda, self.calls).await;
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
async fn an_older_upload_that_is_written_between_the_two_writes_of_a_newer_event_leaves_nothing() {
    let stack = silent_stack("between").await;
    for newer in newer_events() {
        let mut key = Key::new(&stack, newer.name);
        let (older, _) = key.upload_until("GET", &photos::small()).await;
        let (lambda, etag) = newer.begin(&mut key).await;
        finish(older).await;
        finish(lambda).await;
        newer.expect_end(&key, &etag).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_upload_that_dies_between_its_two_writes_leaves_nothing() {
    let stack = silent_stack("dies").await;
    for newer in newer_events() {
        let mut key = Key::new(&stack, newer.name);
        let (older_record, _) = key.upload(&photos::small()).await;
        let mut older = key.begin(&older_record).await;
        go(&mut older, "GET").await;
        let (lambda, etag) = newer.begin(&mut key).await;
        go(&mut older, "PUT").await;
        older.kill();
        // The retry finds neither its object nor an item, and leaves a tombstone.
        let mut retry = key.begin(&older_record).await;
        go(&mut retry, "GET UpdateItem").await;
        finish(retry).await;
        finish(lambda).await;
        newer.expect_end(&key, &etag).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_photo_that_ends_late_leaves_the_newer_one() {
    let stack = silent_stack("ends-late").await;
    let mut key = Key::new(&stack, "a");
    let (broken, _) = key.upload_until("GET GetItem SendMessage", BROKEN).await;
    let (newer, etag) = key.upload_until("GET PUT", &photos::small()).await;
    finish(broken).await;
    finish(newer).await;
    key.expect(&etag).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_that_loses_to_a_write_begins_anew() {
    let stack = silent_stack("begins-anew").await;
    let mut key = Key::new(&stack, "a");
    let (older, _) = key.upload_until("GET", &photos::small()).await;
    let mut environment = stack.environment().await;
    environment.insert("RENDITIONS".to_owned(), "thumbnail: scale=0.5".to_owned());
    let mut job = stack.sample("batch-2.0");
    job["tasks"][0]["s3Key"] = key.name.as_str().into();
    let mut backfill = Lambda::start(&environment).await;
    backfill.invoke(&job);
    go(&mut backfill, "HEAD GetItem GET PUT").await;
    finish(older).await;
    go(&mut backfill, "UpdateItem HEAD GetItem GET PUT UpdateItem HEAD").await;
    finish(backfill).await;
    let item = stack.item_now(&key.name).await.unwrap();
    assert_eq!(item["renditions"]["thumbnail"]["width"], 320, "with the settings of the backfill");
    assert_eq!(item["sequencer"], format!("{:032X}", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_photo_has_its_thumbnail_although_a_broken_one_took_it_away() {
    let stack = silent_stack("takes").await;
    let mut key = Key::new(&stack, "a");
    key.upload_whole(&photos::small()).await;
    let (broken, _) = key.upload_until("GET GetItem SendMessage UpdateItem", BROKEN).await;
    let (newer, etag) = key.upload_until("GET PUT", &photos::small_stored_as(6)).await;
    finish(broken).await;
    finish(newer).await;
    key.expect(&etag).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superseded_removal_takes_nothing_of_the_newer_photo_away() {
    let stack = silent_stack("superseded").await;
    let mut key = Key::new(&stack, "a");
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
    let stack = silent_stack("anew").await;
    let mut key = Key::new(&stack, "a");
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
    let stack = silent_stack("looked").await;
    let mut key = Key::new(&stack, "a");
    key.upload_whole(&photos::small()).await;
    let mut removal = key.remove().await;
    removal["s3"]["object"].as_object_mut().unwrap().remove("sequencer");
    let mut removal = key.begin(&removal).await;
    go(&mut removal, "GetItem HEAD").await;
    let etag = key.upload_whole(&photos::small_stored_as(6)).await;
    finish(removal).await;
    key.expect(&etag).await;
}
