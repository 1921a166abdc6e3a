//! The request for upload URLs, checked before anything is signed.

use std::borrow::Cow;

use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use photo::HeicPolicy;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::problem::{Flaw, Problem};

/// Media types that the thumbnail function renders, and the extensions of their keys.
const CONTENT_TYPES: [(&str, &str); 8] = [
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("image/webp", "webp"),
    ("image/gif", "gif"),
    ("image/tiff", "tif"),
    ("image/bmp", "bmp"),
    HEIC,
    HEIF,
];
const HEIC: (&str, &str) = ("image/heic", "heic");
const HEIF: (&str, &str) = ("image/heif", "heif");

/// What clients write instead of these names: older browsers and Windows for JPEG, PNG and BMP, common
/// mistakes, and the registered names (IANA, "Media Types") of HEIC's sequences, such as an iPhone's live
/// stickers, of which the primary picture is shown.
const OTHER_NAMES: [(&str, &str); 7] = [
    ("image/jpg", "image/jpeg"),
    ("image/pjpeg", "image/jpeg"),
    ("image/x-png", "image/png"),
    ("image/tif", "image/tiff"),
    ("image/x-ms-bmp", "image/bmp"),
    ("image/heic-sequence", "image/heic"),
    ("image/heif-sequence", "image/heif"),
];

/// Names that say nothing: the extension of the file's name counts then. Clients send an empty one for a
/// type that they do not know (W3C File API section 4.1), as HEIC is to most browsers.
const UNTOLD: [&str; 2] = ["", "application/octet-stream"];

/// Extensions of files, and what they hold.
const EXTENSIONS: [(&str, &str); 15] = [
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("jpe", "image/jpeg"),
    ("jfif", "image/jpeg"),
    ("png", "image/png"),
    ("apng", "image/png"),
    ("webp", "image/webp"),
    ("gif", "image/gif"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("bmp", "image/bmp"),
    ("dib", "image/bmp"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("hif", "image/heif"), // of Canon's, Sony's and Fujifilm's cameras
];

/// Largest body of a request: twice that of a hundred files with the longest names and albums, all escaped.
const MAX_BODY_BYTES: usize = 1 << 21;
const MAX_FILES: usize = 100;
const MAX_FILE_NAME_BYTES: usize = 1024;
const MAX_ALBUM_BYTES: usize = 512;
/// Largest object in one PUT: 5 GB (Amazon S3 User Guide, "Uploading objects").
const MAX_PUT_BYTES: u64 = 5 << 30;

/// Which photos get a URL.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    /// Most bytes of a photo.
    pub(super) max_bytes: u64,
    pub(super) heic: HeicPolicy,
}

impl Allowed {
    fn content_types(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let is_allowed =
            move |row: &_| self.heic == HeicPolicy::Decode || ![HEIC, HEIF].contains(row);
        CONTENT_TYPES.into_iter().filter(is_allowed)
    }
}

/// A request for one URL or for a list of them. The answer has the form of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum UploadRequest {
    One(Upload),
    Many(Vec<Upload>),
}

/// A photo that is to be uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Upload {
    album: Option<String>,
    extension: &'static str,
    pub(super) content_type: &'static str,
    pub(super) content_length: u64,
    /// SHA-256 of the photo, in base64.
    pub(super) checksum_sha256: Option<String>,
}

/// A file of a request, as it came.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object about a file")]
struct File {
    /// Name of the file. Nothing of it goes anywhere but, where no other type is told, what its extension
    /// says: names are personal, and many are hostile.
    file_name: String,
    content_type: String,
    content_length: u64,
    album: Option<String>,
    checksum_sha256: Option<String>,
}

impl UploadRequest {
    /// The uploads of either form.
    pub(super) fn uploads(&self) -> &[Upload] {
        match self {
            UploadRequest::One(upload) => std::slice::from_ref(upload),
            UploadRequest::Many(uploads) => uploads,
        }
    }
}

impl Upload {
    /// The photo's key, below the prefix and in its album. The caller chooses no other part of it.
    pub(super) fn key(&self, prefix: &str, id: Uuid) -> String {
        let extension = self.extension;
        match &self.album {
            Some(album) => format!("{prefix}{album}/{id}.{extension}"),
            None => format!("{prefix}{id}.{extension}"),
        }
    }
}

/// Parses a request.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn parse(
    request: &LambdaFunctionUrlRequest,
    allowed: Allowed,
) -> Result<UploadRequest, Problem> {
    if request.request_context.http.method.as_deref() != Some("POST") {
        return Err(Problem::method_not_allowed());
    }
    let mut body: Value = serde_json::from_slice(&body(request)?)
        .map_err(|error| Problem::bad_request(format!("the body is not JSON: {error}")))?;
    let files = body.as_object_mut().and_then(|members| members.remove("files"));
    let mut flaws = Vec::new();
    let uploads = if let Some(files) = files {
        let others = body.as_object().and_then(|members| members.keys().next());
        if let Some(name) = others {
            let detail = format!("`files` must be the only member; remove `{name}`");
            return Err(Problem::flawed(vec![Flaw { pointer: "#".into(), detail }]));
        }
        many(files, allowed, &mut flaws).map(UploadRequest::Many)
    } else {
        one(body, "#", allowed, &mut flaws).map(UploadRequest::One)
    };
    uploads.filter(|_| flaws.is_empty()).ok_or_else(|| Problem::flawed(flaws))
}

/// The body as it was sent: Lambda encodes a body in base64 unless its Content-Type is one of texts.
fn body(request: &LambdaFunctionUrlRequest) -> Result<Cow<'_, [u8]>, Problem> {
    let text = request.body.as_deref().unwrap_or_default();
    if text.len() > MAX_BODY_BYTES {
        return Err(Problem::too_large(MAX_BODY_BYTES));
    }
    if !request.is_base64_encoded {
        return Ok(text.as_bytes().into());
    }
    let decoded = BASE64_STANDARD.decode(text);
    decoded.map(Cow::Owned).map_err(|_| Problem::bad_request("the body is not base64"))
}

fn many(files: Value, allowed: Allowed, flaws: &mut Vec<Flaw>) -> Option<Vec<Upload>> {
    let files = files.as_array().filter(|files| (1..=MAX_FILES).contains(&files.len()));
    let Some(files) = files else {
        let detail = format!("must be a list of 1 to {MAX_FILES} files");
        flaws.push(Flaw { pointer: "#/files".into(), detail });
        return None;
    };
    let parse = |(number, file): (usize, &Value)| {
        one(file.clone(), &format!("#/files/{number}"), allowed, flaws)
    };
    let uploads: Vec<Option<Upload>> = files.iter().enumerate().map(parse).collect();
    uploads.into_iter().collect()
}

fn one(file: Value, at: &str, allowed: Allowed, flaws: &mut Vec<Flaw>) -> Option<Upload> {
    let file: File = match serde_json::from_value(file) {
        Ok(file) => file,
        Err(error) => {
            flaws.push(Flaw { pointer: at.to_owned(), detail: error.to_string() });
            return None;
        }
    };
    let content_type = known_content_type(&file.content_type, &file.file_name, allowed);
    let checks = [
        ("fileName", check_file_name(&file.file_name)),
        ("contentType", content_type.map(drop).ok_or_else(|| allowed_content_types(allowed))),
        ("contentLength", check_content_length(file.content_length, allowed.max_bytes)),
        ("album", file.album.as_deref().map_or(Ok(()), check_album)),
        ("checksumSha256", file.checksum_sha256.as_deref().map_or(Ok(()), check_checksum)),
    ];
    for (member, check) in checks {
        if let Err(detail) = check {
            flaws.push(Flaw { pointer: format!("{at}/{member}"), detail });
        }
    }
    let (content_type, extension) = content_type?;
    Some(Upload {
        album: file.album,
        extension,
        content_type,
        content_length: file.content_length,
        checksum_sha256: file.checksum_sha256,
    })
}

/// The row of the table. Case, parameters and the spaces around them do not matter (RFC 9110 section
/// 8.3.1): none of them changes what a picture is.
fn known_content_type(
    content_type: &str,
    file_name: &str,
    allowed: Allowed,
) -> Option<(&'static str, &'static str)> {
    let name = content_type.split(';').next().unwrap_or_default();
    let name = name.trim_matches([' ', '\t']).to_ascii_lowercase();
    let name = match UNTOLD.contains(&name.as_str()) {
        true => type_of_extension(file_name)?,
        false => OTHER_NAMES
            .into_iter()
            .find(|(other, _)| *other == name)
            .map_or(name.as_str(), |(_, registered)| registered),
    };
    allowed.content_types().find(|(known, _)| *known == name)
}

fn type_of_extension(file_name: &str) -> Option<&'static str> {
    let (_, extension) = file_name.rsplit_once('.')?;
    let mut extensions = EXTENSIONS.into_iter();
    extensions.find(|(known, _)| extension.eq_ignore_ascii_case(known)).map(|(_, name)| name)
}

fn allowed_content_types(allowed: Allowed) -> String {
    let names: Vec<&str> = allowed.content_types().map(|(name, _)| name).collect();
    let names = names.join(", ");
    let others = match allowed.heic {
        HeicPolicy::Decode => "other formats, AVIF among them, get no thumbnail",
        HeicPolicy::Refuse => {
            "other formats, AVIF among them, get no thumbnail, nor does HEIC, which is switched off by the \
             setting HEIC=refuse"
        }
    };
    format!("must be one of {names}, or empty if fileName ends like one of them; {others}")
}

fn check_file_name(name: &str) -> Result<(), String> {
    match name.len() {
        1..=MAX_FILE_NAME_BYTES => Ok(()),
        length => Err(format!("must have 1 to {MAX_FILE_NAME_BYTES} bytes, not {length}")),
    }
}

fn check_content_length(length: u64, max_bytes: u64) -> Result<(), String> {
    let most = max_bytes.min(MAX_PUT_BYTES);
    if (1..=most).contains(&length) {
        Ok(())
    } else {
        Err(format!("must be 1 to {most} bytes, not {length}"))
    }
}

fn check_album(album: &str) -> Result<(), String> {
    if album.len() > MAX_ALBUM_BYTES {
        return Err(format!("must have at most {MAX_ALBUM_BYTES} bytes, not {}", album.len()));
    }
    if let Some(character) = album.chars().find(|character| is_hostile(*character)) {
        return Err(format!("must not have the character U+{:04X}", u32::from(character)));
    }
    if album.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return Err("must not have a segment, between slashes, that is empty, `.` or `..`".into());
    }
    Ok(())
}

/// Whether no album needs the character: a backslash, which separates paths elsewhere; a character that
/// ends a line or controls a terminal; one that XML 1.0 cannot carry, and so neither S3's lists nor SQS's
/// messages; and one of Unicode's Bidi_Control characters, which change the order in which the names around
/// them are shown. Joiners of letters and emoji are needed.
fn is_hostile(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\\' | '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2066}'..='\u{2069}' | '\u{FFFE}' | '\u{FFFF}')
}

fn check_checksum(checksum: &str) -> Result<(), String> {
    match BASE64_STANDARD.decode(checksum) {
        Ok(digest) if digest.len() == 32 => Ok(()),
        _ => Err("must be the photo's SHA-256, 32 bytes, in base64".into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ALLOWED: Allowed = Allowed { max_bytes: 1000, heic: HeicPolicy::Decode };
    const ID: Uuid = Uuid::from_u128(0x01a2_0505_4dbb_7688_bd97_73dd_9253_fda2);

    fn photo(album: &str) -> Value {
        json!({
            "fileName": "IMG_0001.jpg",
            "contentType": "image/jpeg",
            "contentLength": 1000,
            "album": album,
        })
    }

    fn with(member: &str, value: impl Into<Value>) -> Value {
        let mut photo = photo("trip");
        photo[member] = value.into();
        photo
    }

    fn post(body: impl ToString) -> LambdaFunctionUrlRequest {
        let mut request = LambdaFunctionUrlRequest::default();
        request.request_context.http.method = Some("POST".into());
        request.body = Some(body.to_string());
        request
    }

    fn ask(body: &Value) -> Result<UploadRequest, Problem> {
        parse(&post(body), ALLOWED)
    }

    /// The one upload asked for, or what is wrong with which part of it.
    fn one(body: &Value) -> Result<Upload, Value> {
        match ask(body) {
            Ok(UploadRequest::One(upload)) => Ok(upload),
            Ok(UploadRequest::Many(uploads)) => panic!("{uploads:?}"),
            Err(problem) => Err(json!(problem)["errors"].take()),
        }
    }

    fn key(album: &str) -> Result<String, Value> {
        one(&photo(album)).map(|upload| upload.key("uploads/", ID))
    }

    #[test]
    fn a_key_is_the_prefix_the_album_an_id_and_an_extension_by_content_type() {
        let name = "01a20505-4dbb-7688-bd97-73dd9253fda2";
        assert_eq!(key("trip/day 1"), Ok(format!("uploads/trip/day 1/{name}.jpg")));
        let mut without = photo("");
        without.as_object_mut().unwrap().remove("album");
        for file in [without, with("album", Value::Null)] {
            assert_eq!(one(&file).unwrap().key("", ID), format!("{name}.jpg"));
            assert_eq!(one(&file).unwrap().key("p/", ID), format!("p/{name}.jpg"));
        }
        for (content_type, extension) in CONTENT_TYPES {
            let upload = one(&with("contentType", content_type.to_uppercase())).unwrap();
            assert_eq!(upload.content_type, content_type, "as it is signed");
            assert_eq!(upload.key("", ID), format!("trip/{name}.{extension}"));
        }
    }

    #[test]
    fn no_album_leaves_the_prefix_or_names_another_than_it_seems() {
        for album in [
            "",
            "/",
            "/trip",
            "trip/",
            "a//b",
            ".",
            "..",
            "../other",
            "a/../b",
            "a/..",
            "./a",
            "a/./b",
            "..\\other",
            "a\\b",
            "C:\\",
            "a\0",
            "a\nb",
            "a\r\nb",
            "a\tb",
            "\u{7F}",
            "\u{85}",
            "a\u{202E}gpj",
            "\u{200F}a",
            "a\u{2066}b",
            "a\u{2028}b",
            "a\u{FFFE}",
        ] {
            let errors = key(album).unwrap_err();
            assert_eq!(errors[0]["pointer"], "#/album", "{album:?}");
            assert_eq!(errors.as_array().unwrap().len(), 1, "{album:?}: {errors}");
        }
        for album in [
            "trip",
            "a b",
            " ",
            "...",
            "..a",
            "a..",
            ".hidden",
            "%2e%2e/%2F",
            "a+b",
            "~",
            "서울",
            "ירושלים",
            "می\u{200C}خواهم",
            "👩\u{200D}👧",
            "e\u{301}",
            "a;b&c=d?e#f",
            "<b>",
            "\u{10FFFF}",
        ] {
            assert_eq!(key(album), Ok(format!("uploads/{album}/{ID}.jpg")));
        }
    }

    #[test]
    fn every_character_is_either_refused_or_in_the_key_as_it_is() {
        let mut refused = Vec::new();
        for character in '\0'..=char::MAX {
            let album = format!("a{character}b");
            match check_album(&album) {
                Ok(()) => {
                    let upload = Upload { album: Some(album.clone()), ..one(&photo("a")).unwrap() };
                    let key = upload.key("uploads/", ID);
                    let (start, name) = key.rsplit_once('/').unwrap();
                    assert_eq!(start, format!("uploads/{album}"));
                    assert_eq!(name.len(), 40);
                }
                Err(_) => refused.push(u32::from(character)),
            }
        }
        let expected = [
            0x00..=0x1F,
            0x5C..=0x5C,
            0x7F..=0x9F,
            0x61C..=0x61C,
            0x200E..=0x200F,
            0x2028..=0x202E,
            0x2066..=0x2069,
            0xFFFE..=0xFFFF,
        ];
        assert_eq!(refused, expected.into_iter().flatten().collect::<Vec<u32>>());
    }

    #[test]
    fn the_longest_key_leaves_room_for_the_thumbnails_prefix() {
        for longest in ["a".repeat(512), "é".repeat(256), "🌸/".repeat(102) + "ab"] {
            assert_eq!(longest.len(), 512);
            let upload = one(&photo(&longest)).unwrap();
            let key = upload.key(&"p".repeat(200), ID);
            assert!(key.len() + 200 <= 1024, "{}", key.len());
            assert!(one(&photo(&(longest + "a"))).is_err());
        }
    }

    #[test]
    fn bounds_are_inclusive() {
        for (member, allowed, refused) in [
            ("contentLength", vec![json!(1), json!(1000)], vec![json!(0), json!(1001)]),
            (
                "fileName",
                vec![json!("a"), json!("a".repeat(1024))],
                vec![json!(""), json!("é".repeat(513))],
            ),
        ] {
            for value in allowed {
                assert!(one(&with(member, value.clone())).is_ok(), "{member} {value}");
            }
            for value in refused {
                let errors = one(&with(member, value.clone())).unwrap_err();
                assert_eq!(errors[0]["pointer"], format!("#/{member}"), "{value}");
            }
        }
        let any_size = Allowed { max_bytes: u64::MAX, ..ALLOWED };
        let five_gb = with("contentLength", 5_368_709_120_u64);
        assert!(parse(&post(&five_gb), any_size).is_ok());
        let more = with("contentLength", 5_368_709_121_u64);
        assert!(parse(&post(&more), any_size).is_err(), "S3 has no such PUT");
    }

    #[test]
    fn a_content_type_is_taken_as_people_send_it_and_signed_as_it_is_registered() {
        for (content_type, registered, extension) in [
            ("image/jpg", "image/jpeg", "jpg"),
            ("IMAGE/JPG", "image/jpeg", "jpg"),
            ("image/pjpeg", "image/jpeg", "jpg"),
            ("image/x-png", "image/png", "png"),
            ("image/tif", "image/tiff", "tif"),
            ("image/x-ms-bmp", "image/bmp", "bmp"),
            ("image/HEIC", "image/heic", "heic"),
            ("image/heic-sequence", "image/heic", "heic"),
            ("image/heif-sequence", "image/heif", "heif"),
            ("image/jpeg ", "image/jpeg", "jpg"),
            ("\timage/webp", "image/webp", "webp"),
            ("image/jpeg; charset=utf-8", "image/jpeg", "jpg"),
            ("image/jpg;q=0.8", "image/jpeg", "jpg"),
            ("image/png ; name=\"a;b.jpg\"", "image/png", "png"),
            ("image/gif;", "image/gif", "gif"),
        ] {
            let upload = one(&with("contentType", content_type)).unwrap();
            assert_eq!(upload.content_type, registered, "{content_type:?}");
            assert_eq!(upload.key("", ID), format!("trip/{ID}.{extension}"));
        }
    }

    #[test]
    fn a_type_that_is_not_told_is_that_of_the_files_extension() {
        let upload = |content_type: &str, file_name: &str| {
            let mut file = with("contentType", content_type);
            file["fileName"] = file_name.into();
            one(&file).map(|upload| upload.content_type)
        };
        for untold in ["", " ", "application/octet-stream", "Application/Octet-Stream; x=y"] {
            for (file_name, expected) in [
                ("IMG_0001.jpg", "image/jpeg"),
                ("IMG_0001.JPG", "image/jpeg"),
                ("a.b.jpeg", "image/jpeg"),
                ("a.jfif", "image/jpeg"),
                (".png", "image/png"),
                ("a.webp", "image/webp"),
                ("a.gif", "image/gif"),
                ("scan.TIF", "image/tiff"),
                ("scan.tiff", "image/tiff"),
                ("a.bmp", "image/bmp"),
                ("IMG_0001.HEIC", "image/heic"),
                ("a.heif", "image/heif"),
                ("DSC00001.HIF", "image/heif"),
            ] {
                assert_eq!(upload(untold, file_name), Ok(expected), "{untold:?} {file_name}");
            }
            for file_name in ["jpg", "a.", "a.jpg ", "a.avif", "a.jpg.json", "a.svg", "a.jpg/b"] {
                let errors = upload(untold, file_name).unwrap_err();
                assert_eq!(errors[0]["pointer"], "#/contentType", "{untold:?} {file_name}");
            }
        }
        assert!(upload("text/html", "a.jpg").is_err(), "a type that is told counts");
        assert_eq!(upload("image/png", "a.jpg"), Ok("image/png"));
    }

    #[test]
    fn types_of_which_no_thumbnail_is_made_are_refused() {
        for content_type in [
            "image/svg+xml",
            "text/html",
            "image/avif",
            "image/hei",
            "image/*",
            "image/",
            "image/jpe g",
            "image/jpeg, text/html",
            "image/jpeg\r\nx-evil: 1",
            "image/jpeg\n",
            "text/html; image/jpeg",
            "application/octet-streams",
        ] {
            let errors = one(&with("contentType", content_type)).unwrap_err();
            assert_eq!(errors[0]["pointer"], "#/contentType", "{content_type:?}");
            assert!(errors[0]["detail"].as_str().unwrap().contains("image/jpeg"), "{errors}");
        }
    }

    #[test]
    fn where_heic_is_refused_it_gets_no_url_under_any_name() {
        let allowed = Allowed { heic: HeicPolicy::Refuse, ..ALLOWED };
        for (content_type, file_name) in [
            ("image/heic", "a.heic"),
            ("image/heif", "a.heif"),
            ("Image/HEIC-sequence", "a.jpg"),
            ("image/heif-sequence", "a.heif"),
            ("", "IMG_0001.HEIC"),
            ("application/octet-stream", "DSC00001.HIF"),
        ] {
            let mut file = with("contentType", content_type);
            file["fileName"] = file_name.into();
            assert!(ask(&file).is_ok(), "elsewhere it gets one");
            let problem = json!(parse(&post(&file), allowed).unwrap_err());
            assert_eq!(problem["errors"][0]["pointer"], "#/contentType", "{content_type:?}");
            let detail = problem["errors"][0]["detail"].as_str().unwrap();
            assert!(detail.contains("HEIC=refuse") && !detail.contains("image/hei"), "{detail}");
        }
        assert!(parse(&post(photo("trip")), allowed).is_ok());
    }

    #[test]
    fn a_checksum_is_the_base64_of_32_bytes() {
        let digest = BASE64_STANDARD.encode([7; 32]);
        let upload = one(&with("checksumSha256", &*digest)).unwrap();
        assert_eq!(upload.checksum_sha256, Some(digest.clone()));
        let unpadded = digest.trim_end_matches('=');
        for wrong in ["", "abc", unpadded, &"07".repeat(32), &BASE64_STANDARD.encode([7; 31])] {
            assert!(one(&with("checksumSha256", wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_known_or_of_another_type_is_named() {
        for (file, named) in [
            (with("contentLength", "1000"), "u64"),
            (with("contentLength", -1), "u64"),
            (with("contentLength", 10.5), "u64"),
            (with("fileName", Value::Null), "string"),
            (with("checksumSHA256", "abc"), "checksumSha256"),
            (with("key", "mine.jpg"), "unknown field `key`"),
            (json!({"fileName": "a.jpg"}), "contentType"),
            (json!("a.jpg"), "an object"),
            (Value::Null, "an object"),
        ] {
            let errors = one(&file).unwrap_err();
            assert_eq!(errors[0]["pointer"], "#", "{errors}");
            assert!(errors[0]["detail"].as_str().unwrap().contains(named), "{errors}");
        }
        let beside = ask(&json!({"files": [photo("a")], "album": "b"})).unwrap_err();
        assert!(json!(beside)["errors"][0]["detail"].as_str().unwrap().contains("`album`"));
    }

    #[test]
    fn one_flaw_refuses_the_whole_list_and_all_flaws_are_told() {
        let list = |files: Vec<Value>| ask(&json!({"files": files}));
        let Ok(UploadRequest::Many(uploads)) = list(vec![photo("a"), photo("b")]) else { panic!() };
        let keys: Vec<String> = uploads.iter().map(|upload| upload.key("", ID)).collect();
        assert_eq!(keys, [format!("a/{ID}.jpg"), format!("b/{ID}.jpg")], "in their order");

        let mut worst = photo("..");
        worst["contentType"] = "text/html".into();
        let problem = list(vec![photo("a"), worst, photo("b"), Value::Null]).unwrap_err();
        let pointers = "#/files/1/contentType #/files/1/album #/files/3";
        assert_eq!((problem.status, problem.pointers()), (400, Some(pointers.into())));

        assert_eq!(list(vec![photo("a"); 100]).unwrap().uploads().len(), 100);
        for files in [json!([]), json!(vec![photo("a"); 101]), json!({}), Value::Null] {
            let problem = ask(&json!({"files": files})).unwrap_err();
            assert_eq!(problem.pointers().as_deref(), Some("#/files"));
        }
    }

    #[test]
    fn a_body_is_read_as_it_was_sent() {
        let text = photo("trip").to_string();
        let mut encoded = post(BASE64_STANDARD.encode(&text));
        encoded.is_base64_encoded = true;
        assert_eq!(parse(&encoded, ALLOWED), ask(&photo("trip")));
        encoded.body = Some(text);
        assert_eq!(parse(&encoded, ALLOWED).unwrap_err().status, 400);

        let status =
            |request: &LambdaFunctionUrlRequest| parse(request, ALLOWED).unwrap_err().status;
        for wrong in ["", "{", "IMG_0001.jpg", "{\"fileName\": \"\\ud800\"}", &"[".repeat(1000)] {
            assert_eq!(status(&post(wrong)), 400, "{wrong}");
        }
        assert_eq!(status(&post(" ".repeat(MAX_BODY_BYTES))), 400);
        assert_eq!(status(&post(" ".repeat(MAX_BODY_BYTES + 1))), 413);
        let mut without = post("");
        without.body = None;
        assert_eq!(status(&without), 400);
        for method in [Some("GET"), Some("post"), None] {
            without.request_context.http.method = method.map(str::to_owned);
            assert_eq!(status(&without), 405);
        }
    }

    #[test]
    fn the_largest_request_that_is_allowed_fits() {
        let escaped = |count: usize| "\\u0061".repeat(count);
        let file = format!(
            r#"{{"fileName": "{}", "contentType": "image/jpeg", "contentLength": 1000, "album": "{}"}}"#,
            escaped(MAX_FILE_NAME_BYTES),
            escaped(MAX_ALBUM_BYTES),
        );
        let body = format!(r#"{{"files": [{}]}}"#, vec![file; MAX_FILES].join(", "));
        let mut request = post(BASE64_STANDARD.encode(body));
        request.is_base64_encoded = true;
        assert_eq!(parse(&request, ALLOWED).unwrap().uploads().len(), MAX_FILES);
    }
}
