//! Checks the item and the thumbnail of every photo.

use std::collections::HashMap;

use aws_calls::answers::plain;
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use photo::Size;
use serde::Serialize;
use serde_json::Value;

use crate::cost;
use crate::interrupt::Interrupt;
use crate::photos::Photo;
use crate::progress::Progress;
use crate::run::Upload;
use crate::stack::{Item, Stack};

/// Thumbnails that are downloaded at once.
const AT_ONCE: usize = 8;

/// What became of a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// Item and thumbnail are correct.
    Ready,
    /// The item says READY, but it or the thumbnail is wrong.
    Wrong,
    /// The function rejected the photo.
    Failed,
    /// The photo was not done in time.
    Lost,
    /// The test was interrupted before the photo was done.
    Unfinished,
}

/// An uploaded photo, and what became of it.
pub struct Checked {
    pub upload: Upload,
    pub outcome: Outcome,
    /// Problems of the item and the thumbnail.
    pub problems: Vec<String>,
    /// Time when S3 had the photo, by S3's clock.
    pub uploaded_at: Option<DateTime<Utc>>,
    /// Time when its item was made, by Lambda's clock. The item was written a moment later.
    pub processed_at: Option<DateTime<Utc>>,
    /// Write units of its item.
    pub write_units: usize,
}

/// Checks the items and the thumbnails of all uploads.
pub async fn check(
    stack: &Stack,
    photos: &[Photo],
    uploads: Vec<Upload>,
    interrupt: &Interrupt,
    progress: &Progress,
) -> Result<Vec<Checked>, String> {
    let keys: Vec<String> = uploads.iter().map(|upload| upload.key.clone()).collect();
    let items = stack.items(&keys).await?;
    let key = |item: &Item| item.get("photoKey")?.as_s().ok().cloned();
    let mut items: HashMap<String, Item> =
        items.into_iter().filter_map(|item| Some((key(&item)?, item))).collect();
    let bar = progress.bar("items and thumbnails checked", uploads.len());
    let uploads = uploads.into_iter().map(|upload| (items.remove(&upload.key), upload));
    let checked = stream::iter(uploads.collect::<Vec<_>>()).map(async |(item, upload)| {
        let photo = &photos[upload.number % photos.len()];
        let checked = one(stack, photo, upload, item, interrupt).await;
        bar.advance();
        checked
    });
    Ok(checked.buffered(AT_ONCE).collect().await)
}

async fn one(
    stack: &Stack,
    photo: &Photo,
    upload: Upload,
    item: Option<Item>,
    interrupt: &Interrupt,
) -> Checked {
    let write_units = item.as_ref().map_or(0, cost::write_units);
    let item = item.map_or(Value::Null, |item| {
        item.into_iter().map(|(name, value)| (name, plain(value))).collect()
    });
    let time = |text: &Value| text.as_str()?.parse::<DateTime<Utc>>().ok();
    let uploaded_at = time(&item["original"]["uploadedAt"]);
    let processed_at = time(&item["processedAt"]);
    let mut problems = Vec::new();
    let outcome = match item["status"].as_str() {
        Some("READY") => {
            let expected = photo.thumbnail_size(stack.config.rendition.scale);
            problems.extend(item_problems(&item, &upload.etag, photo.size(), expected));
            problems.extend(thumbnail_problem(stack, &item, expected).await);
            if uploaded_at.is_none() || processed_at.is_none() {
                problems.push("the item lacks original.uploadedAt or processedAt".to_owned());
            }
            if problems.is_empty() { Outcome::Ready } else { Outcome::Wrong }
        }
        Some("FAILED") => {
            let text = |member: &str| item["failure"][member].as_str().unwrap_or_default();
            problems.push(format!("{}: {}", text("type"), text("message")));
            Outcome::Failed
        }
        _ if interrupt.came() => Outcome::Unfinished,
        status => {
            problems.push(match status {
                Some(status) => format!("at the timeout, the item's status is {status}"),
                None => "at the timeout, there is no item".to_owned(),
            });
            Outcome::Lost
        }
    };
    Checked { upload, outcome, problems, uploaded_at, processed_at, write_units }
}

/// Values of a READY item that are wrong.
fn item_problems(item: &Value, etag: &str, size: Size, thumbnail: Size) -> Vec<String> {
    let (original, rendition) = (&item["original"], &item["renditions"]["thumbnail"]);
    let found = [
        ("original.etag", &original["etag"], Value::from(etag)),
        ("original.width", &original["width"], size.width.into()),
        ("original.height", &original["height"], size.height.into()),
        ("renditions.thumbnail.width", &rendition["width"], thumbnail.width.into()),
        ("renditions.thumbnail.height", &rendition["height"], thumbnail.height.into()),
    ];
    let wrong = found.into_iter().filter(|(_, found, expected)| *found != expected);
    wrong.map(|(name, found, expected)| format!("{name} is {found}, not {expected}")).collect()
}

/// A problem of the thumbnail that an item names. Its size in pixels is that in its header.
async fn thumbnail_problem(stack: &Stack, item: &Value, expected: Size) -> Option<String> {
    let rendition = &item["renditions"]["thumbnail"];
    let (Some(bucket), Some(key)) = (rendition["bucket"].as_str(), rendition["key"].as_str())
    else {
        return Some("the item lacks the thumbnail's bucket or key".to_owned());
    };
    match stack.object(bucket, key).await {
        Ok(thumbnail) => jpeg_problem(&thumbnail, &rendition["bytes"], expected),
        Err(problem) => Some(problem),
    }
}

fn jpeg_problem(thumbnail: &[u8], bytes: &Value, expected: Size) -> Option<String> {
    if *bytes != thumbnail.len() {
        return Some(format!("the thumbnail has {} bytes, not {bytes}", thumbnail.len()));
    }
    match turbojpeg::read_header(thumbnail) {
        Ok(header) => {
            let (width, height) = (header.width, header.height);
            let is_right = width == expected.width as usize && height == expected.height as usize;
            let Size { width: right_width, height: right_height } = expected;
            let problem = || {
                format!(
                    "the thumbnail has {width}x{height} pixels, not {right_width}x{right_height}"
                )
            };
            (!is_right).then(problem)
        }
        Err(error) => Some(format!("the thumbnail is not a JPEG: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use turbojpeg::{Image, PixelFormat, Subsamp};

    use super::*;

    const SIZE: Size = Size { width: 532, height: 800 };
    const THUMBNAIL: Size = Size { width: 133, height: 200 };

    fn item() -> Value {
        json!({
            "original": {"etag": "abc", "width": 532, "height": 800},
            "renditions": {"thumbnail": {"width": 133, "height": 200}},
        })
    }

    #[test]
    fn an_item_has_to_be_of_the_photo_that_was_uploaded() {
        assert_eq!(item_problems(&item(), "abc", SIZE, THUMBNAIL), [""; 0]);
        for (pointer, wrong, problem) in [
            ("/original/etag", json!("abd"), "original.etag is \"abd\", not \"abc\""),
            ("/original/width", json!(800), "original.width is 800, not 532"),
            ("/original/height", Value::Null, "original.height is null, not 800"),
            (
                "/renditions/thumbnail/width",
                json!(132),
                "renditions.thumbnail.width is 132, not 133",
            ),
            (
                "/renditions/thumbnail/height",
                json!("200"),
                "renditions.thumbnail.height is \"200\", not 200",
            ),
        ] {
            let mut item = item();
            *item.pointer_mut(pointer).unwrap() = wrong;
            assert_eq!(item_problems(&item, "abc", SIZE, THUMBNAIL), [problem]);
        }
        assert_eq!(item_problems(&json!({}), "abc", SIZE, THUMBNAIL).len(), 5);
    }

    #[test]
    fn a_thumbnail_has_to_have_its_pixels_and_its_bytes() {
        let pixels = vec![0; 133 * 200];
        let image =
            Image { pixels, width: 133, pitch: 133, height: 200, format: PixelFormat::GRAY };
        let jpeg = turbojpeg::compress(image.as_deref(), 90, Subsamp::Gray).unwrap();
        let bytes = json!(jpeg.len());
        assert_eq!(jpeg_problem(&jpeg, &bytes, THUMBNAIL), None);
        for problem in [
            jpeg_problem(&jpeg, &bytes, Size { width: 134, ..THUMBNAIL }),
            jpeg_problem(&jpeg, &bytes, THUMBNAIL.transposed()),
            jpeg_problem(&jpeg[1..], &bytes, THUMBNAIL),
            jpeg_problem(&jpeg, &Value::Null, THUMBNAIL),
            jpeg_problem(b"no JPEG", &json!(7), THUMBNAIL),
        ] {
            assert!(problem.is_some());
        }
    }
}
