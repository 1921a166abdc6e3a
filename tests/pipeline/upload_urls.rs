//! URLs to which photos can be uploaded: who gets them for what, and what S3 takes by them.
//!
//! All by plain HTTP, as servers and browsers have it; S3's refusals are those of the local AWS, which
//! computes every signature anew.

use std::collections::HashMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use serde_json::{Value, json};
use turbojpeg::ScalingFactor;
use ureq::http::{HeaderValue, Request, Response, Uri};

use crate::caller::{Caller, send};
use crate::photos;
use crate::stack::{Stack, answer_for_urls, create_bucket, root};

/// What is asked for these bytes in an album.
fn jpeg(photo: &[u8], album: &str) -> Value {
    json!({
        "fileName": "IMG_0001.jpg",
        "contentType": "image/jpeg",
        "contentLength": photo.len(),
        "album": album,
    })
}

async fn ask(stack: &Stack, body: &Value) -> Response<String> {
    stack.ask_for_urls(&body.to_string()).await
}

/// What is answered to a request that is allowed.
async fn issue(stack: &Stack, body: &Value) -> Value {
    let response = ask(stack, body).await;
    assert_eq!(response.status(), 201, "{}", response.body());
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["cache-control"], "no-store");
    serde_json::from_str(response.body()).unwrap()
}

/// The request that an answer asks for. Of its headers only the length is left to the HTTP client.
fn request(issued: &Value, body: &[u8]) -> Request<Vec<u8>> {
    let mut request = Request::builder()
        .method(issued["method"].as_str().unwrap())
        .uri(issued["url"].as_str().unwrap());
    for (name, value) in issued["headers"].as_object().unwrap() {
        if name != "content-length" {
            request = request.header(name, value.as_str().unwrap());
        }
    }
    request.body(body.to_vec()).unwrap()
}

async fn put(issued: &Value, photo: &[u8]) -> Response<String> {
    send(request(issued, photo)).await
}

fn key(issued: &Value) -> &str {
    issued["photoKey"].as_str().unwrap()
}

/// The headers that a URL says are signed.
fn signed_headers(issued: &Value) -> Vec<&str> {
    let (_, rest) = issued["url"].as_str().unwrap().split_once("X-Amz-SignedHeaders=").unwrap();
    rest.split('&').next().unwrap().split("%3B").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_put_to_the_url_that_a_server_got_becomes_a_thumbnail_and_an_item() {
    let stack = Stack::deploy_with("way", &["--parameter", "OriginalsPrefix=uploads/"]).await;
    let server = stack.new_user("server", Some(&stack.callers_policy)).await;
    let photo = photos::reference();
    let before = Utc::now();
    let body = jpeg(&photo, "seoul trip/day 1").to_string();
    let response = server.send("lambda", stack.to_function_url("POST", body)).await;
    assert_eq!(response.status(), 201, "{}", response.body());
    let issued: Value = serde_json::from_str(response.body()).unwrap();

    let names: Vec<&String> = issued.as_object().unwrap().keys().collect();
    assert_eq!(names, ["url", "method", "headers", "photoKey", "expiresAt"]);
    assert_eq!(issued["method"], "PUT");
    let expires: DateTime<Utc> = issued["expiresAt"].as_str().unwrap().parse().unwrap();
    let lifetime = TimeDelta::seconds(900);
    assert!(expires >= before - TimeDelta::seconds(1) + lifetime, "{expires}");
    assert!(expires <= Utc::now() + lifetime, "{expires}");
    let id = key(&issued).strip_prefix("uploads/seoul trip/day 1/").unwrap();
    let id: uuid::Uuid = id.strip_suffix(".jpg").unwrap().parse().unwrap();
    assert_eq!(id.get_version_num(), 7);

    let uploaded = put(&issued, &photo).await;
    assert_eq!(uploaded.status(), 200, "{}", uploaded.body());
    let item = stack.item(key(&issued), "READY").await;
    assert_eq!(item["album"], "uploads/seoul trip/day 1");
    assert_eq!(item["takenAt"], "2024-04-06T17:23:41.123+09:00");
    let thumbnail = photos::decode(&stack.thumbnail(key(&issued)).await, ScalingFactor::ONE);
    assert_eq!((thumbnail.width, thumbnail.height), (1331, 2000));
}

/// What is asked for the HEIC by a browser that does not know its type.
fn heic() -> Value {
    json!({
        "fileName": "IMG_0001.HEIC",
        "contentType": "",
        "contentLength": photos::heic().len(),
        "album": "trip",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heic_put_to_its_url_becomes_an_upright_jpeg_and_an_item() {
    let stack = Stack::deploy("heic").await;
    let issued = issue(&stack, &heic()).await;
    assert_eq!(issued["headers"]["content-type"], "image/heic");
    assert!(key(&issued).ends_with(".heic"), "{issued}");
    assert_eq!(put(&issued, &photos::heic()).await.status(), 200);

    let item = stack.item(key(&issued), "READY").await;
    let original = &item["original"];
    assert_eq!(original["format"], "HEIC");
    assert_eq!((&original["width"], &original["height"]), (&json!(360), &json!(480)));
    assert_eq!(item["camera"], json!({"make": "Seed", "model": "Quadrants"}));
    assert_eq!(item["takenAt"], "2026-11-26T10:20:30");
    let rendition = &item["renditions"]["thumbnail"];
    assert_eq!(rendition["contentType"], "image/jpeg");
    assert_eq!((&rendition["width"], &rendition["height"]), (&json!(90), &json!(120)));

    let jpeg = stack.thumbnail(key(&issued)).await;
    assert!(photos::segments(&jpeg).iter().all(|(marker, _)| *marker != 0xE1), "it has EXIF");
    let thumbnail = photos::decode(&jpeg, ScalingFactor::ONE);
    assert_eq!((thumbnail.width, thumbnail.height), (90, 120));
    let middles = [(22, 30), (67, 30), (22, 90), (67, 90)];
    for ((x, y), expected) in middles.into_iter().zip(photos::QUARTERS) {
        let found = &thumbnail.pixels[(y * 90 + x) * 3..][..3];
        let differs = |(found, expected): (&u8, u8)| found.abs_diff(expected) > 6;
        assert!(!found.iter().zip(expected).any(differs), "{x} {y}: {found:?}, not {expected:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_heic_is_refused_it_gets_no_url_and_its_facts_are_kept() {
    let stack = Stack::deploy_with("no-heic", &["--parameter", "Heic=refuse"]).await;
    let refused = ask(&stack, &heic()).await;
    let problem = problem(&refused, 400, "Bad Request");
    assert_eq!(problem["errors"][0]["pointer"], "#/contentType");
    let detail = problem["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("HEIC=refuse"), "{detail}");

    stack.upload("trip/a.heic", &photos::heic()).await;
    let item = stack.item("trip/a.heic", "FAILED").await;
    assert_eq!(item["failure"]["type"], "UnsupportedFormat");
    let message = item["failure"]["message"].as_str().unwrap();
    assert!(message.contains("HEIC=refuse"), "{message}");
    assert_eq!(item["original"]["format"], "HEIC");
    assert_eq!(
        (&item["original"]["width"], &item["original"]["height"]),
        (&json!(360), &json!(480))
    );
    assert_eq!(item["camera"], json!({"make": "Seed", "model": "Quadrants"}));
    assert_eq!(item["takenAt"], "2026-11-26T10:20:30");
    let letter = stack.letters(1).await.remove(0);
    assert_eq!(letter.error_type.as_deref(), Some("UnsupportedFormat"));
    assert_eq!(stack.thumbnail_keys().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_gives_the_urls_of_twenty_four_photos_put_at_once() {
    let stack = Stack::deploy("way24").await;
    let photos: Vec<Vec<u8>> = (0..24).map(photos::reference_number).collect();
    let files: Vec<Value> = photos.iter().map(|photo| jpeg(photo, "batch")).collect();
    let issued = issue(&stack, &json!({"files": files})).await;
    let uploads = issued["uploads"].as_array().unwrap();
    assert_eq!(uploads.len(), 24);

    let puts = uploads.iter().zip(&photos).map(|(upload, photo)| put(upload, photo));
    for uploaded in join_all(puts).await {
        assert_eq!(uploaded.status(), 200, "{}", uploaded.body());
    }
    let mut expected = Vec::new();
    for upload in uploads {
        stack.item(key(upload), "READY").await;
        expected.push(format!("thumbnail/{}", key(upload)));
    }
    expected.sort();
    assert_eq!(stack.thumbnail_keys().await, expected, "24 of them, and no key twice");
    stack.letters(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_takes_nothing_but_what_was_signed() {
    let stack = Stack::silent("signed").await;
    let photo = photos::small();
    let issued = issue(&stack, &jpeg(&photo, "trip")).await;
    let url = issued["url"].as_str().unwrap().to_owned();
    assert_eq!(
        signed_headers(&issued),
        ["content-length", "content-type", "host", "if-none-match"],
        "{url}"
    );
    assert_eq!(
        issued["headers"],
        json!({
            "content-length": photo.len().to_string(),
            "content-type": "image/jpeg",
            "if-none-match": "*",
        })
    );
    let lower = url.to_lowercase();
    assert!(!lower.contains("checksum") && !lower.contains("crc"), "{url}");

    let longer = [&photo[..], b"!"].concat();
    let with = |name: &'static str, value: &'static str| {
        let mut request = request(&issued, &photo);
        request.headers_mut().insert(name, HeaderValue::from_static(value));
        request
    };
    let without = |name: &str| {
        let mut request = request(&issued, &photo);
        request.headers_mut().remove(name).unwrap();
        request
    };
    let at = |changed: String| {
        assert_ne!(changed, url);
        let mut request = request(&issued, &photo);
        *request.uri_mut() = changed.parse::<Uri>().unwrap();
        request
    };
    let by = |method: &str, body: &[u8]| {
        let mut request = request(&issued, body);
        *request.method_mut() = method.parse().unwrap();
        request
    };
    let (start, signature) = url.split_once("X-Amz-Signature=").unwrap();
    let other_digit = if signature.starts_with('0') { '1' } else { '0' };
    let other_signature = format!("{start}X-Amz-Signature={other_digit}{}", &signature[1..]);
    let (mismatch, no_right) = ("SignatureDoesNotMatch", "AccessDenied");
    for (what, request, code) in [
        ("a shorter body", request(&issued, &photo[1..]), mismatch),
        ("a longer body", request(&issued, &longer), mismatch),
        ("an empty body", request(&issued, b""), mismatch),
        ("a body of untold length", with("transfer-encoding", "chunked"), mismatch),
        ("another type", with("content-type", "image/png"), mismatch),
        ("a web page", with("content-type", "text/html"), mismatch),
        ("no type", without("content-type"), mismatch),
        ("an overwriting PUT", without("if-none-match"), mismatch),
        ("another condition", with("if-none-match", "\"abc\""), mismatch),
        ("another key", at(url.replacen("/trip/", "/other/", 1)), mismatch),
        ("a longer life", at(url.replace("Expires=900", "Expires=43200")), mismatch),
        ("fewer signed headers", at(url.replace("content-length%3B", "")), mismatch),
        ("another signature", at(other_signature), mismatch),
        // What the role may not do is refused before the signature is looked at.
        ("another bucket", at(url.replacen(&stack.originals, &stack.thumbnails, 1)), no_right),
        ("a download", by("GET", b""), no_right),
        ("a removal", by("DELETE", b""), no_right),
    ] {
        let refused = send(request).await;
        assert_eq!(refused.status(), 403, "{what}: {}", refused.body());
        let code = format!("<Code>{code}</Code>");
        assert!(refused.body().contains(&code), "{what}: {}", refused.body());
    }
    assert_eq!(stack.original_keys().await, [""; 0]);
    assert_eq!(put(&issued, &photo).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_takes_one_photo_by_a_url_and_none_over_it() {
    let stack = Stack::silent("once").await;
    let photo = photos::small();
    let issued = issue(&stack, &jpeg(&photo, "trip")).await;
    assert_eq!(put(&issued, &photo).await.status(), 200);
    let mut other = photo.clone();
    other.reverse();
    for again in [&photo, &other] {
        let refused = put(&issued, again).await;
        assert_eq!(refused.status(), 412, "{}", refused.body());
        assert!(refused.body().contains("<Code>PreconditionFailed</Code>"), "{}", refused.body());
    }
    assert_eq!(stack.original_keys().await, [key(&issued)]);
    assert_eq!(stack.original(key(&issued)).await, photo);
}

/// The URLs of the same requests, keys, times and lifetimes as botocore signs them.
fn signed_by_botocore(issued: &[Value], environment: &HashMap<String, String>) -> Vec<String> {
    let mut python = Command::new(root().join(".venv/bin/python"));
    python.arg(root().join("tests/pipeline/presign.py")).envs(environment);
    let mut signer = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    serde_json::to_writer(signer.stdin.take().unwrap(), issued).unwrap();
    let output = signer.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A URL up to its query, and what is in that, in order.
fn parts(url: &str) -> (&str, Vec<&str>) {
    let (place, query) = url.split_once('?').unwrap();
    let mut query: Vec<&str> = query.split('&').collect();
    query.sort_unstable();
    (place, query)
}

/// Another signer than that of the function, by AWS itself: no emulator has a say in what a right signature is.
#[tokio::test(flavor = "multi_thread")]
async fn a_url_is_what_awss_sdk_for_python_signs_too() {
    let variables = [
        ("ORIGINALS_BUCKET", "photos-originals"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        ("AWS_SESSION_TOKEN", "IQoJb3JpZ2luX2VjEXAMPLE//////////+token=="),
        ("AWS_ENDPOINT_URL", "that of the test's process"),
    ];
    let environment = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let photo = photos::small();
    let files =
        ["trip", "", "서울 여행 🌸/día 1", "a+b 100%25 & c=d?e#f;'\"<g>~*(x)!"].map(|album| {
            let mut file = jpeg(&photo, album);
            if album.is_empty() {
                file.as_object_mut().unwrap().remove("album");
                file["checksumSha256"] = sha256(&photo).into();
            }
            file
        });
    let response = answer_for_urls(&environment, &json!({"files": files}).to_string()).await;
    assert_eq!(response.status(), 201, "{}", response.body());
    let answer: Value = serde_json::from_str(response.body()).unwrap();
    let issued = answer["uploads"].as_array().unwrap();
    let signed = signed_by_botocore(issued, &environment);
    assert_eq!(signed.len(), files.len());
    for (issued, signed) in issued.iter().zip(&signed) {
        assert_eq!(parts(issued["url"].as_str().unwrap()), parts(signed), "{issued}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_is_of_no_use_after_its_time() {
    let stack = Stack::silent_with("expired", &["--parameter", "UploadUrlTtlSeconds=1"]).await;
    let photo = photos::small();
    let issued = issue(&stack, &jpeg(&photo, "trip")).await;
    let expires: DateTime<Utc> = issued["expiresAt"].as_str().unwrap().parse().unwrap();
    let wait = (expires - Utc::now()).to_std().unwrap_or_default();
    tokio::time::sleep(wait + Duration::from_millis(100)).await;
    let refused = put(&issued, &photo).await;
    assert_eq!(refused.status(), 403, "{}", refused.body());
    assert!(refused.body().contains("Request has expired"), "{}", refused.body());
    assert_eq!(stack.original_keys().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_checksum_is_asked_for_s3_takes_no_other_photo() {
    let stack = Stack::silent("checksum").await;
    let photo = photos::small();
    let mut asked = jpeg(&photo, "trip");
    asked["checksumSha256"] = sha256(&photo).into();
    let issued = issue(&stack, &asked).await;
    assert!(signed_headers(&issued).contains(&"x-amz-checksum-sha256"), "{issued}");
    assert_eq!(issued["headers"]["x-amz-checksum-sha256"], asked["checksumSha256"]);

    let mut other = photo.clone();
    *other.last_mut().unwrap() ^= 1;
    let refused = put(&issued, &other).await;
    assert_eq!(refused.status(), 400, "{}", refused.body());
    assert!(refused.body().contains("<Code>BadDigest</Code>"), "{}", refused.body());
    let mut with_its_own = request(&issued, &other);
    let digest = HeaderValue::from_str(&sha256(&other)).unwrap();
    with_its_own.headers_mut().insert("x-amz-checksum-sha256", digest);
    let mut without = request(&issued, &other);
    without.headers_mut().remove("x-amz-checksum-sha256");
    for request in [with_its_own, without] {
        let refused = send(request).await;
        assert_eq!(refused.status(), 403, "{}", refused.body());
        assert!(refused.body().contains("SignatureDoesNotMatch"), "{}", refused.body());
    }
    assert_eq!(stack.original_keys().await, [""; 0]);
    assert_eq!(put(&issued, &photo).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_again_with_an_upload_id_gives_the_key_of_the_photo_that_is_there() {
    let stack = Stack::deploy("upload-id").await;
    let photo = photos::small();
    let mut asked = jpeg(&photo, "trip");
    asked["uploadId"] = "IMG_0001-3fa8".into();
    let first = issue(&stack, &asked).await;
    assert_eq!(key(&first), "trip/IMG_0001-3fa8.jpg");
    assert_eq!(put(&first, &photo).await.status(), 200);
    let again = issue(&stack, &asked).await;
    assert_eq!(key(&again), key(&first));
    let refused = put(&again, &photo).await;
    assert_eq!(refused.status(), 412, "{}", refused.body());
    stack.item(key(&first), "READY").await;
    assert_eq!(stack.original_keys().await, [key(&first)]);
}

/// The test photo with bytes behind its end, 17 MiB in all: three parts.
fn large() -> Vec<u8> {
    let mut photo = photos::reference();
    photo.resize(17 << 20, 0);
    photo
}

/// Uploads these parts, and gives their ETags.
async fn put_parts(issued: &Value, photo: &[u8]) -> Vec<(u64, String)> {
    let part_bytes = issued["multipart"]["partBytes"].as_u64().unwrap() as usize;
    let mut etags = Vec::new();
    for part in issued["multipart"]["parts"].as_array().unwrap() {
        let number = part["partNumber"].as_u64().unwrap();
        let bytes = photo.chunks(part_bytes).nth(number as usize - 1).unwrap();
        let uploaded = put(part, bytes).await;
        assert_eq!(uploaded.status(), 200, "{}", uploaded.body());
        etags.push((number, uploaded.headers()["etag"].to_str().unwrap().to_owned()));
    }
    etags
}

async fn complete(issued: &Value, etags: &[(u64, String)]) -> Response<String> {
    let part = |(number, etag): &(u64, String)| {
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
    };
    let parts: String = etags.iter().map(part).collect();
    let namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
    let body =
        format!("<CompleteMultipartUpload xmlns=\"{namespace}\">{parts}</CompleteMultipartUpload>");
    put(&issued["multipart"]["complete"], body.as_bytes()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_photo_is_uploaded_in_parts_and_goes_on_where_it_was_broken_off() {
    let stack =
        Stack::deploy_with("parts", &["--parameter", "OriginalsStorageClass=INTELLIGENT_TIERING"])
            .await;
    let photo = large();
    let mut asked = jpeg(&photo, "trip");
    (asked["uploadId"], asked["multipart"]) = ("a".into(), true.into());
    let issued = issue(&stack, &asked).await;
    assert_eq!(key(&issued), "trip/a.jpg");
    assert_eq!(issued["multipart"]["parts"].as_array().unwrap().len(), 3);
    let shorter = put(&issued["multipart"]["parts"][2], &photo[..1000]).await;
    assert_eq!(shorter.status(), 403, "the length of a part is signed");

    let mut first = issued.clone();
    first["multipart"]["parts"].as_array_mut().unwrap().truncate(1);
    let mut etags = put_parts(&first, &photo).await;
    let id = &issued["multipart"]["uploadId"];
    asked["multipart"] = json!({"uploadId": id, "partNumbers": [2, 3]});
    let rest = issue(&stack, &asked).await;
    assert_eq!((key(&rest), &rest["multipart"]["uploadId"]), (key(&issued), id));
    etags.extend(put_parts(&rest, &photo).await);
    let completed = complete(&rest, &etags).await;
    assert!(completed.status() == 200 && completed.body().contains("<ETag>"), "{completed:?}");

    let item = stack.item("trip/a.jpg", "READY").await;
    assert_eq!(item["original"]["bytes"], 17 << 20);
    assert_eq!(item["original"]["contentSha256"], sha256(&photo));
    let head =
        stack.s3.head_object().bucket(&stack.originals).key("trip/a.jpg").send().await.unwrap();
    assert_eq!(head.content_type(), Some("image/jpeg"));
    assert_eq!(head.storage_class().unwrap().as_str(), "INTELLIGENT_TIERING");
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_never_overwrite_a_photo_and_leave_nothing_when_they_are_given_up() {
    let stack = Stack::deploy("parts-end").await;
    stack.silence_bucket().await;
    let photo = large();
    let mut asked = jpeg(&photo, "trip");
    (asked["uploadId"], asked["multipart"]) = ("a".into(), true.into());
    let issued = issue(&stack, &asked).await;
    let etags = put_parts(&issued, &photo).await;
    stack.upload("trip/a.jpg", &photos::small()).await;
    let refused = complete(&issued, &etags).await;
    assert_eq!(refused.status(), 412, "{}", refused.body());
    assert_eq!(stack.original("trip/a.jpg").await, photos::small());

    let mut without = request(&issued["multipart"]["complete"], b"");
    without.headers_mut().remove("if-none-match");
    assert_eq!(send(without).await.status(), 403, "the condition is signed");

    let uploads = async || {
        let list = stack.s3.list_multipart_uploads().bucket(&stack.originals).send().await.unwrap();
        list.uploads().len()
    };
    assert_eq!(uploads().await, 1);
    assert_eq!(put(&issued["multipart"]["abort"], b"").await.status(), 204);
    assert_eq!(uploads().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_that_is_there_is_named_instead_of_uploaded_again_below_the_same_root_alone() {
    let stack = Stack::deploy_with("if-new", &["--parameter", "FindDuplicates=true"]).await;
    let photo = photos::small();
    let ask_for = |album: &str| {
        let mut asked = jpeg(&photo, album);
        asked["checksumSha256"] = sha256(&photo).into();
        asked["ifNew"] = true.into();
        asked
    };
    let issued = issue(&stack, &ask_for("erika/tokyo")).await;
    assert_eq!(put(&issued, &photo).await.status(), 200);
    let item = stack.item(key(&issued), "READY").await;
    assert_eq!(item["original"]["contentSha256"], sha256(&photo));
    assert_eq!(item["contentKey"], format!("erika/{}", sha256(&photo)));

    let there = json!({"photoKey": key(&issued), "exists": true});
    for album in ["erika/tokyo", "erika/seoul", "erika"] {
        let response = ask(&stack, &ask_for(album)).await;
        assert_eq!(response.status(), 200, "{}", response.body());
        assert_eq!(serde_json::from_str::<Value>(response.body()).unwrap(), there, "{album}");
    }
    let list = json!({"files": [ask_for("erika"), jpeg(&photo, "erika"), ask_for("max")]});
    let answers = issue(&stack, &list).await["uploads"].take();
    assert_eq!(answers[0], there);
    assert!(answers[1]["url"].is_string() && answers[2]["url"].is_string(), "{answers}");
    for other in ["max", "erika2/tokyo"] {
        issue(&stack, &ask_for(other)).await;
    }

    // Neither a removed photo is there, nor one that was overwritten by another.
    stack.remove(key(&issued)).await;
    stack.item(key(&issued), "DELETED").await;
    issue(&stack, &ask_for("erika/tokyo")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_up_that_fails_refuses_no_upload() {
    let stack = Stack::deploy_with("if-new-fails", &["--parameter", "FindDuplicates=true"]).await;
    stack.dynamodb.delete_table().table_name(&stack.table).send().await.unwrap();
    let photo = photos::small();
    let mut asked = jpeg(&photo, "trip");
    (asked["checksumSha256"], asked["ifNew"]) = (sha256(&photo).into(), true.into());
    let issued = issue(&stack, &asked).await;
    assert_eq!(put(&issued, &photo).await.status(), 200);
}

/// In base64.
fn sha256(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(<sha2::Sha256 as sha2::Digest>::digest(bytes))
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_has_the_policy_may_ask_and_only_by_the_url() {
    let stack = Stack::deploy("callers").await;
    let body = jpeg(&photos::small(), "trip");
    let request = || stack.to_function_url("POST", body.to_string());
    let server = stack.new_user("server", Some(&stack.callers_policy)).await;
    let stranger = stack.new_user("stranger", None).await;
    let impostor = Caller::new(server.access_key_id(), "a guess");

    assert_eq!(server.send("lambda", request()).await.status(), 201);
    for (who, refused) in [
        ("nobody", send(request()).await),
        ("a stranger", stranger.send("lambda", request()).await),
        ("an impostor", impostor.send("lambda", request()).await),
    ] {
        assert_eq!(refused.status(), 403, "{who}: {}", refused.body());
        assert!(!refused.body().contains("X-Amz-Signature"), "{who}: {}", refused.body());
    }
    let event = json!({"requestContext": {"http": {"method": "POST"}}, "body": body.to_string()});
    let direct = stack.invocation(&stack.upload_function, &event, "RequestResponse");
    let refused = server.send("lambda", direct).await;
    assert_eq!(refused.status(), 403, "{}", refused.body());

    // AWS asks for both rights, the local AWS for the first only.
    let function =
        format!("arn:aws:lambda:us-east-1:000000000000:function:{}", stack.upload_function);
    let mut statements = stack.policy(&stack.callers_policy).await["Statement"].take();
    for statement in statements.as_array_mut().unwrap() {
        statement.as_object_mut().unwrap().remove("Sid");
    }
    assert_eq!(
        statements,
        json!([
            {
                "Effect": "Allow",
                "Action": "lambda:InvokeFunctionUrl",
                "Resource": function,
                "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}},
            },
            {
                "Effect": "Allow",
                "Action": "lambda:InvokeFunction",
                "Resource": function,
                "Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
            },
        ])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_function_may_put_below_the_prefix_and_nothing_else() {
    // The function is made to sign for keys that its role does not have.
    let options =
        ["--parameter", "OriginalsPrefix=uploads/", "--environment", "ORIGINALS_PREFIX=upload"];
    let stack = Stack::deploy_with("role", &options).await;
    let photo = photos::small();
    let issued = issue(&stack, &jpeg(&photo, "s")).await;
    assert!(key(&issued).starts_with("uploads/"), "{issued}");
    assert_eq!(put(&issued, &photo).await.status(), 200);
    let issued = issue(&stack, &jpeg(&photo, "ed")).await;
    assert!(key(&issued).starts_with("uploaded/"), "{issued}");
    let refused = put(&issued, &photo).await;
    assert_eq!(refused.status(), 403, "{}", refused.body());
    assert!(refused.body().contains("<Code>AccessDenied</Code>"), "{}", refused.body());

    let role = stack.configuration(&stack.upload_function).await["Role"].take();
    let role = role.as_str().unwrap();
    let (originals, thumbnails) = (&stack.originals, &stack.thumbnails);
    let photo = format!("arn:aws:s3:::{originals}/uploads/a.jpg");
    assert_eq!(stack.decision(role, "s3:PutObject", &photo).await, "allowed");
    for (action, resource) in [
        ("s3:PutObject", format!("arn:aws:s3:::{originals}/a.jpg")),
        ("s3:PutObject", format!("arn:aws:s3:::{thumbnails}/uploads/a.jpg")),
        ("s3:GetObject", photo.clone()),
        ("s3:DeleteObject", photo.clone()),
        ("s3:PutObjectAcl", photo.clone()),
        ("s3:ListBucket", format!("arn:aws:s3:::{originals}")),
        (
            "dynamodb:GetItem",
            format!("arn:aws:dynamodb:us-east-1:000000000000:table/{}", stack.table),
        ),
        ("sqs:SendMessage", "arn:aws:sqs:us-east-1:000000000000:any".into()),
        ("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:000000000000:function:any".into()),
    ] {
        let decision = stack.decision(role, action, &resource).await;
        assert_eq!(decision, "implicitDeny", "{action} {resource}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_a_problem_that_says_what_is_wrong_with_which_file() {
    let stack = Stack::silent("refusals").await;
    let root = Caller::root();
    let good = jpeg(b"photo", "trip");
    let changed = |member: &str, value: Value| {
        let mut file = good.clone();
        file[member] = value;
        file
    };
    let all = |number: usize| json!({"files": vec![good.clone(); number]});
    for (body, pointers) in [
        (changed("contentType", "image/svg+xml".into()), vec!["#/contentType"]),
        (changed("contentType", "text/html".into()), vec!["#/contentType"]),
        (changed("contentType", "image/avif".into()), vec!["#/contentType"]),
        (changed("contentLength", 104_857_601.into()), vec!["#/contentLength"]),
        (changed("album", "../../etc".into()), vec!["#/album"]),
        (changed("album", "a\u{202E}gpj".into()), vec!["#/album"]),
        (changed("fileName", "a".repeat(10_000).into()), vec!["#/fileName"]),
        (changed("checksumSha256", "abc".into()), vec!["#/checksumSha256"]),
        (changed("photoKey", "mine.jpg".into()), vec!["#"]),
        (json!({}), vec!["#"]),
        (json!([good]), vec!["#"]),
        (all(0), vec!["#/files"]),
        (all(101), vec!["#/files"]),
        (
            json!({"files": [
                good,
                changed("album", "a//b".into()),
                good,
                json!({"fileName": "", "contentType": "", "contentLength": 0, "album": ""}),
            ]}),
            vec![
                "#/files/1/album",
                "#/files/3/fileName",
                "#/files/3/contentType",
                "#/files/3/contentLength",
                "#/files/3/album",
            ],
        ),
    ] {
        let refused = ask(&stack, &body).await;
        let problem = problem(&refused, 400, "Bad Request");
        let errors = problem["errors"].as_array().unwrap();
        let found: Vec<&str> =
            errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        assert_eq!(found, pointers, "{problem}");
        assert!(
            errors.iter().all(|error| error["detail"].as_str().unwrap().len() > 10),
            "{problem}"
        );
    }
    for body in ["", "no JSON", "{\"fileName\": \"\\ud800\"}"] {
        let refused = root.send("lambda", stack.to_function_url("POST", body)).await;
        problem(&refused, 400, "Bad Request");
    }
    let large = root.send("lambda", stack.to_function_url("POST", " ".repeat(2_097_153))).await;
    problem(&large, 413, "Content Too Large");
    for method in ["GET", "PUT", "DELETE"] {
        let refused = root.send("lambda", stack.to_function_url(method, "")).await;
        problem(&refused, 405, "Method Not Allowed");
        assert_eq!(refused.headers()["allow"], "POST");
    }
    // What is not declared to be text reaches the function in base64.
    let mut binary = stack.to_function_url("POST", all(100).to_string());
    binary
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("application/octet-stream"));
    let response = root.send("lambda", binary).await;
    assert_eq!(response.status(), 201, "{}", response.body());
}

/// A refusal as RFC 9457 has it.
fn problem(refused: &Response<String>, status: u16, title: &str) -> Value {
    assert_eq!(refused.status(), status, "{}", refused.body());
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    let problem: Value = serde_json::from_str(refused.body()).unwrap();
    assert_eq!((&problem["status"], &problem["title"]), (&status.into(), &title.into()));
    assert!(problem["detail"].as_str().unwrap().len() > 10, "{problem}");
    problem
}

#[tokio::test(flavor = "multi_thread")]
async fn albums_of_any_script_arrive_as_they_are_and_names_of_files_nowhere() {
    let stack = Stack::deploy("names").await;
    let photo = photos::small();
    for (album, name) in [
        ("서울 여행 🌸/día 1", "../../../etc/passwd"),
        ("a+b 100%25 & c=d?e#f;'\"<g>", "..\\..\\boot.ini"),
        ("%2e%2e%2f%2e%2e/x..y", "photo.jpg\u{0}.html"),
        ("👩\u{200D}👩\u{200D}👧/می\u{200C}خواهم", "\u{202E}gpj.exe"),
        ("...", "<script>alert(1)</script>.svg"),
    ] {
        let mut asked = jpeg(&photo, album);
        asked["fileName"] = name.into();
        let issued = issue(&stack, &asked).await;
        let id = key(&issued).strip_prefix(&format!("{album}/")).unwrap();
        assert!(id.len() == 40 && id.ends_with(".jpg") && !id.contains('/'), "{id}");
        let uploaded = put(&issued, &photo).await;
        assert_eq!(uploaded.status(), 200, "{album}: {}", uploaded.body());
        assert_eq!(stack.item(key(&issued), "READY").await["album"], album);
    }
    let mut keys = stack.original_keys().await;
    keys.retain(|key| {
        ["etc", "boot", "html", "exe", "script"].iter().any(|part| key.contains(part))
    });
    assert_eq!(keys, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_counts_what_was_asked_for_and_holds_no_url_and_no_name() {
    // What the function's dependencies would log of a request at this level is the whole request.
    let stack = Stack::deploy_with("issued", &["--environment", "RUST_LOG=trace"]).await;
    let file = |length: u64| json!({"fileName": "Erika.jpg", "contentType": "image/png", "contentLength": length, "album": "Max"});
    issue(&stack, &json!({"files": [file(1000), file(234)]})).await;
    let mut wrong = file(5);
    wrong["album"] = "Erika\\Max".into();
    ask(&stack, &wrong).await;

    let mut lines = Vec::new();
    while lines.len() < 2 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        lines = stack.log_lines(&stack.upload_function).await;
    }
    assert_eq!((&lines[0]["level"], &lines[0]["outcome"]), (&json!("INFO"), &json!("issued")));
    assert_eq!((&lines[0]["uploads"], &lines[0]["bytes"]), (&json!(2), &json!(1234)));
    assert_eq!((&lines[1]["level"], &lines[1]["outcome"]), (&json!("WARN"), &json!("refused")));
    assert_eq!((&lines[1]["status"], &lines[1]["at"]), (&json!(400), &json!("#/album")));
    let text = format!("{lines:?}");
    for secret in ["Signature", "X-Amz", "http", "Erika", "Max"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_may_upload_from_the_pages_that_are_allowed_and_do_nothing_else() {
    let options =
        ["--parameter", "UploadOrigins=https://journal.example,https://www.journal.example"];
    let stack = Stack::deploy_with("cors", &options).await;
    let photo = photos::small();
    let issued = issue(&stack, &jpeg(&photo, "trip")).await;
    let preflight = |origin: &str, method: &str, headers: &str| {
        let request = Request::builder().method("OPTIONS").uri(issued["url"].as_str().unwrap());
        let request = request
            .header("origin", origin)
            .header("access-control-request-method", method)
            .header("access-control-request-headers", headers);
        send(request.body(vec![]).unwrap())
    };
    let page = "https://journal.example";
    let all = "content-type, if-none-match, x-amz-checksum-sha256, x-amz-storage-class";
    for origin in [page, "https://www.journal.example"] {
        for method in ["PUT", "POST", "DELETE"] {
            let allowed = preflight(origin, method, all).await;
            assert_eq!(allowed.status(), 200, "{}", allowed.body());
            assert_eq!(allowed.headers()["access-control-allow-origin"], origin);
        }
    }
    for refused in [
        preflight("https://evil.example", "PUT", all).await,
        preflight("http://journal.example", "PUT", all).await,
        preflight(page, "GET", all).await,
        preflight(page, "PUT", "x-amz-acl").await,
    ] {
        assert_eq!(refused.status(), 403, "{}", refused.body());
    }
    let mut request = request(&issued, &photo);
    request.headers_mut().insert("origin", HeaderValue::from_static(page));
    let uploaded = send(request).await;
    assert_eq!(uploaded.status(), 200, "{}", uploaded.body());
    assert_eq!(uploaded.headers()["access-control-allow-origin"], page);
    assert_eq!(uploaded.headers()["access-control-expose-headers"], "ETag");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_is_of_the_bucket_that_was_there_before_the_stack() {
    let bucket = "photos-of-before-by-url";
    create_bucket(bucket).await;
    let parameter = format!("ExistingOriginalsBucket={bucket}");
    let stack = Stack::deploy_with("existing-url", &["--parameter", &parameter]).await;
    let photo = photos::small();
    let issued = issue(&stack, &jpeg(&photo, "trip")).await;
    assert_eq!(put(&issued, &photo).await.status(), 200);
    assert_eq!(stack.item(key(&issued), "READY").await["original"]["bucket"], bucket);
}
