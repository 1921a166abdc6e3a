//! Several renditions of each photo: what S3 has of them, and what the item says.

use photo::{CancelFlag, Format, Policy, Size, inspect};
use serde_json::Value;

use crate::photos::{reference, small};
use crate::stack::Stack;

const RENDITIONS: &str = "Renditions=thumbnail: scale=0.25; grid: fit=400 format=webp; \
    square: cover=200x100; share: format=original strip=location";

/// The format, the size and whether there is a place, as the file itself tells.
fn told(file: &[u8]) -> (Option<Format>, Option<Size>, bool) {
    let inspected = inspect(file, Policy::default(), &CancelFlag::default());
    (inspected.format, inspected.size(), inspected.facts.location.is_some())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_rendition_is_stored_as_its_setting_says_and_named_in_the_item() {
    let stack = Stack::silent_with("renditions", &["--parameter", RENDITIONS]).await;
    let key = "trip/a b.jpg";
    stack.process(&[(key, reference())]).await;
    let item = stack.item(key, "READY").await;
    assert!(item["location"].is_object(), "the original has a place: {item}");
    let files = stack.renditions_of(key).await;
    assert_eq!(files.len(), 4);
    for (name, prefix, suffix, format, width, height) in [
        ("thumbnail", "thumbnail/", "", Format::Jpeg, 1331, 2000),
        ("grid", "grid/", ".webp", Format::WebP, 266, 400),
        ("square", "square/", "", Format::Jpeg, 200, 100),
        ("share", "share/", "", Format::Jpeg, 5323, 8000),
    ] {
        let rendition = &item["renditions"][name];
        let key = format!("{prefix}{key}{suffix}");
        let file = &files[&key].bytes;
        assert_eq!(told(file), (Some(format), Some(Size { width, height }), false), "{name}");
        let media_type = format!("image/{}", format.name().to_lowercase());
        for (attribute, expected) in [
            ("key", Value::from(key.as_str())),
            ("width", width.into()),
            ("height", height.into()),
            ("bytes", file.len().into()),
            ("contentType", media_type.as_str().into()),
        ] {
            assert_eq!(rendition[attribute], expected, "{name} {attribute}");
        }
        let head = stack.s3.head_object().bucket(&stack.thumbnails).key(&key).send().await.unwrap();
        assert_eq!(head.content_type(), Some(&*media_type), "{name}");
        assert_eq!(rendition["thumbHash"].is_string(), name == "thumbnail", "{name}");
        assert!(rendition["version"].as_str().is_some_and(|version| version.len() == 8), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_cannot_be_made_says_why_and_the_photo_is_ready_all_the_same() {
    let stack = Stack::silent_with("absent-copies", &["--parameter", RENDITIONS]).await;
    let picture = image_of(&small());
    stack.process(&[("a.bmp", picture)]).await;
    let item = stack.item("a.bmp", "READY").await;
    let share = &item["renditions"]["share"];
    assert!(share["absent"].as_str().is_some_and(|why| !why.is_empty()), "{share}");
    assert!(share["version"].is_string() && share["key"].is_null(), "{share}");
    assert_eq!(stack.renditions_of("a.bmp").await.len(), 3);
    // It is finished: a task of Batch Operations has nothing to do.
    let mut task = stack.sample("batch-2.0");
    task["tasks"][0]["s3Key"] = "a.bmp".into();
    let before = item["processedAt"].clone();
    let answer = stack.invoke(&task).await;
    assert_eq!(answer.payload["results"][0]["resultCode"], "Succeeded", "{:?}", answer.payload);
    assert_eq!(stack.item_now("a.bmp").await.unwrap()["processedAt"], before);
}

/// A BMP of the picture (BITMAPINFOHEADER, 24 bits, from the bottom up).
fn image_of(jpeg: &[u8]) -> Vec<u8> {
    let decoded = turbojpeg::decompress(jpeg, turbojpeg::PixelFormat::BGR).unwrap();
    let (width, height) = (decoded.width, decoded.height);
    let row = (3 * width).next_multiple_of(4);
    let mut bmp = b"BM".to_vec();
    for number in [(54 + row * height) as u32, 0, 54, 40, width as u32, height as u32, 24 << 16 | 1]
    {
        bmp.extend(number.to_le_bytes());
    }
    bmp.extend([0; 24]);
    for pixels in decoded.pixels.chunks_exact(3 * width).rev() {
        bmp.extend_from_slice(pixels);
        bmp.resize(bmp.len() + row - 3 * width, 0);
    }
    bmp
}
