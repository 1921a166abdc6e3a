//! The template without SAM, as a release has it: its parameters say where the functions' code is.

use serde_json::json;

use crate::photos;
use crate::stack::Stack;

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_is_processed_by_a_stack_that_was_deployed_without_sam() {
    let parameters = ["--plain", "--parameter", "OriginalsPrefix=uploads/"];
    let stack = Stack::deploy_with("plain", &parameters).await;
    stack.upload("uploads/trip/a b+c.jpg", &photos::reference()).await;
    let item = stack.item("uploads/trip/a b+c.jpg", "READY").await;
    assert_eq!(item["renditions"]["thumbnail"]["width"], json!(1331));
    assert_eq!(stack.thumbnail_keys().await, ["thumbnail/uploads/trip/a b+c.jpg"]);

    stack.remove("uploads/trip/a b+c.jpg").await;
    stack.item("uploads/trip/a b+c.jpg", "DELETED").await;
    stack.no_thumbnail("uploads/trip/a b+c.jpg").await;
}
