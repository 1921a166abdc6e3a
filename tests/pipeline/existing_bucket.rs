//! A stack over a bucket that was there before it: EventBridge tells of its photos.

use crate::photos;
use crate::stack::{Stack, create_bucket};

const BUCKET: &str = "photos-of-before";

#[tokio::test(flavor = "multi_thread")]
async fn photos_of_a_bucket_that_was_there_before_are_processed_and_removed() {
    create_bucket(BUCKET).await;
    let parameters = [&format!("ExistingOriginalsBucket={BUCKET}"), "OriginalsPrefix=uploads/"];
    let stack = Stack::deploy_with("existing", &[&["--parameter"], &parameters[..]].concat()).await;
    assert_eq!(stack.originals, BUCKET);

    stack.upload("others/a.jpg", &photos::small()).await;
    stack.upload("uploads/trip/a b+c.jpg", &photos::reference()).await;
    stack.upload("uploads/broken.jpg", b"no photo").await;
    stack.item("uploads/trip/a b+c.jpg", "READY").await;
    stack.item("uploads/broken.jpg", "FAILED").await;
    assert_eq!(stack.thumbnail_keys().await, ["thumbnail/uploads/trip/a b+c.jpg"]);
    assert_eq!(stack.letters(1).await[0].photo_key.as_deref(), Some("uploads/broken.jpg"));

    stack.remove("uploads/trip/a b+c.jpg").await;
    stack.item("uploads/trip/a b+c.jpg", "DELETED").await;
    stack.no_thumbnail("uploads/trip/a b+c.jpg").await;
    assert_eq!(stack.item_now("others/a.jpg").await, None);
}
