//! The request for upload URLs, checked before anything is signed.

use std::borrow::Cow;
use std::collections::HashSet;

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
const MAX_UPLOAD_ID_BYTES: usize = 64;
/// Largest object in one PUT: 5 GB (Amazon S3 User Guide, "Uploading objects").
const MAX_PUT_BYTES: u64 = 5 << 30;
/// Photos of more bytes than these are uploaded in parts, if the request wants that: one that breaks off costs little.
const MULTIPART_ABOVE_BYTES: u64 = 16 << 20;
/// Bytes of each part but the last. S3 takes parts from 5 MiB, and up to 10,000 of them (Amazon S3 User Guide,
/// "Amazon S3 multipart upload limits").
pub(super) const PART_BYTES: u64 = 8 << 20;
/// Most parts of one answer, which has to stay below Lambda's 6 MB (AWS Lambda Developer Guide, "Lambda quotas"): a
/// URL with the longest key and the credentials of a role has less than 5 kB.
const MAX_PARTS: usize = 1000;

/// Which photos get a URL.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    /// Most bytes of a photo.
    pub(super) max_bytes: u64,
    pub(super) heic: HeicPolicy,
    /// Whether photos can be found by their content.
    pub(super) finds_duplicates: bool,
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
    /// The caller's name of the upload, which the key has instead of a new one.
    id: Option<String>,
    extension: &'static str,
    pub(super) content_type: &'static str,
    pub(super) content_length: u64,
    /// SHA-256 of the photo, in base64.
    pub(super) checksum_sha256: Option<String>,
    /// Whether no URL is wanted if a photo of the same content is there.
    pub(super) if_new: bool,
    pub(super) transfer: Transfer,
}

/// How a photo gets to S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Transfer {
    /// In one PUT.
    Whole,
    /// In parts of a multipart upload that is still to be started.
    Parts,
    /// In these parts of a multipart upload that was started.
    PartsOf { multipart_id: String, numbers: Vec<u32> },
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
    upload_id: Option<String>,
    if_new: Option<bool>,
    multipart: Option<Multipart>,
}

/// What a request says of a multipart upload.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "multipart must be true, false, or {\"uploadId\": ..., \"partNumbers\": [...]}"
)]
enum Multipart {
    IsWanted(bool),
    IsRunning(RunningMultipart),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RunningMultipart {
    upload_id: String,
    part_numbers: Option<Vec<u32>>,
}

/// What the caller's server allows its user, beside the list of files.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Quota {
    max_uploads: Option<usize>,
    max_bytes: Option<u64>,
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
    /// The photo's key, below the prefix and in its album, with `new_id` if the caller gave the upload no ID.
    pub(super) fn key(&self, prefix: &str, new_id: Uuid) -> String {
        let extension = self.extension;
        let id = self.id.clone().unwrap_or_else(|| new_id.to_string());
        match &self.album {
            Some(album) => format!("{prefix}{album}/{id}.{extension}"),
            None => format!("{prefix}{id}.{extension}"),
        }
    }

    /// Parts that the answer has URLs of, with their sizes in bytes.
    pub(super) fn parts(&self) -> Vec<(u32, u64)> {
        let size = |number: u32| {
            let before = u64::from(number - 1) * PART_BYTES;
            (number, self.content_length.saturating_sub(before).min(PART_BYTES))
        };
        match &self.transfer {
            Transfer::Whole => vec![],
            Transfer::Parts => (1..=part_count(self.content_length)).map(size).collect(),
            Transfer::PartsOf { numbers, .. } => numbers.iter().copied().map(size).collect(),
        }
    }
}

/// Parts of an upload of so many bytes, which [`check_content_length`] limits.
fn part_count(content_length: u64) -> u32 {
    u32::try_from(content_length.div_ceil(PART_BYTES)).unwrap_or(u32::MAX)
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
    let request = if let Some(files) = files {
        let quota: Quota = serde_json::from_value(body).map_err(|error| {
            let detail = format!("beside `files`: {error}");
            Problem::flawed(vec![Flaw { pointer: "#".into(), detail }])
        })?;
        many(files, &quota, allowed, &mut flaws).map(UploadRequest::Many)
    } else {
        one(body, "#", allowed, &mut flaws).map(UploadRequest::One)
    };
    flaws.extend(request.as_ref().and_then(too_many_parts));
    request.filter(|_| flaws.is_empty()).ok_or_else(|| Problem::flawed(flaws))
}

fn too_many_parts(request: &UploadRequest) -> Option<Flaw> {
    let parts: usize = request.uploads().iter().map(|upload| upload.parts().len()).sum();
    let detail = format!(
        "the request is for {parts} parts, and an answer has at most {MAX_PARTS}: ask for fewer files at once"
    );
    (parts > MAX_PARTS).then(|| Flaw { pointer: "#".into(), detail })
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

fn many(
    files: Value,
    quota: &Quota,
    allowed: Allowed,
    flaws: &mut Vec<Flaw>,
) -> Option<Vec<Upload>> {
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
    let uploads: Vec<Upload> = uploads.into_iter().collect::<Option<_>>()?;
    flaws.extend(exceeded(quota, &uploads));
    flaws.extend(repeated(&uploads));
    Some(uploads)
}

/// The uploads whose key is that of one before them: S3 would take the first, and refuse them as there already.
fn repeated(uploads: &[Upload]) -> Vec<Flaw> {
    let mut seen = HashSet::new();
    let named = uploads.iter().enumerate().filter(|(_, upload)| upload.id.is_some());
    let again = named.filter(|(_, upload)| !seen.insert(upload.key("", Uuid::nil())));
    let flaw = |(number, _)| Flaw {
        pointer: format!("#/files/{number}/uploadId"),
        detail: "must not be that of another file of the same album and type".into(),
    };
    again.map(flaw).collect()
}

/// What the uploads are too many or too large for.
fn exceeded(quota: &Quota, uploads: &[Upload]) -> Vec<Flaw> {
    let count = uploads.len();
    let bytes: u128 = uploads.iter().map(|upload| u128::from(upload.content_length)).sum();
    let flaw = |detail| Flaw { pointer: "#/files".into(), detail };
    let too_many = quota.max_uploads.filter(|most| count > *most);
    let too_large = quota.max_bytes.filter(|most| bytes > u128::from(*most));
    let details = [
        too_many.map(|most| format!("has {count} files, and maxUploads allows {most}")),
        too_large.map(|most| format!("has {bytes} bytes together, and maxBytes allows {most}")),
    ];
    details.into_iter().flatten().map(flaw).collect()
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
        ("uploadId", file.upload_id.as_deref().map_or(Ok(()), check_upload_id)),
        ("ifNew", check_if_new(&file, allowed)),
        ("multipart", check_multipart(&file)),
    ];
    for (member, check) in checks {
        if let Err(detail) = check {
            flaws.push(Flaw { pointer: format!("{at}/{member}"), detail });
        }
    }
    let (content_type, extension) = content_type?;
    Some(Upload {
        extension,
        content_type,
        content_length: file.content_length,
        if_new: file.if_new == Some(true),
        transfer: transfer(file.multipart, file.content_length),
        album: file.album,
        id: file.upload_id,
        checksum_sha256: file.checksum_sha256,
    })
}

fn transfer(multipart: Option<Multipart>, content_length: u64) -> Transfer {
    match multipart {
        Some(Multipart::IsRunning(RunningMultipart { upload_id, part_numbers })) => {
            let all = || (1..=part_count(content_length)).collect();
            let numbers = part_numbers.unwrap_or_else(all);
            Transfer::PartsOf { multipart_id: upload_id, numbers }
        }
        Some(Multipart::IsWanted(true)) if content_length > MULTIPART_ABOVE_BYTES => {
            Transfer::Parts
        }
        Some(Multipart::IsWanted(_)) | None => Transfer::Whole,
    }
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

fn check_upload_id(id: &str) -> Result<(), String> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=MAX_UPLOAD_ID_BYTES).contains(&id.len()) && id.bytes().all(is_allowed) {
        return Ok(());
    }
    Err(format!(
        "must have 1 to {MAX_UPLOAD_ID_BYTES} of the characters A-Z, a-z, 0-9, `-` and `_`"
    ))
}

/// A photo is looked for among those of its album's first segment, so that nobody learns of another's photos.
fn check_if_new(file: &File, allowed: Allowed) -> Result<(), String> {
    let reason = match file.if_new {
        None | Some(false) => return Ok(()),
        Some(true) if !allowed.finds_duplicates => {
            "needs the parameter FindDuplicates=true of the stack"
        }
        Some(true) if file.checksum_sha256.is_none() => "needs checksumSha256",
        Some(true) if file.album.is_none() => "needs an album, below which it looks",
        Some(true) => return Ok(()),
    };
    Err(reason.into())
}

fn check_multipart(file: &File) -> Result<(), String> {
    let Some(Multipart::IsRunning(running)) = &file.multipart else {
        return Ok(());
    };
    let is_id = (1..=1024).contains(&running.upload_id.len())
        && running.upload_id.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_id {
        return Err("uploadId must be the one that S3 gave the multipart upload".into());
    }
    if file.upload_id.is_none() {
        return Err("needs the uploadId of the file, from which its key is made".into());
    }
    if file.content_length <= MULTIPART_ABOVE_BYTES {
        return Err(format!("a photo of at most {MULTIPART_ABOVE_BYTES} bytes has no parts"));
    }
    let count = part_count(file.content_length);
    let mut numbers = running.part_numbers.iter().flatten();
    match numbers.find(|number| !(1..=count).contains(*number)) {
        Some(number) => Err(format!("partNumbers must be from 1 to {count}, not {number}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ALLOWED: Allowed =
        Allowed { max_bytes: 1000, heic: HeicPolicy::Decode, finds_duplicates: true };
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

    /// A photo of so many bytes, where such are allowed.
    fn sized(bytes: u64, members: Value) -> Result<UploadRequest, Problem> {
        let mut file = with("contentLength", bytes);
        file.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        parse(&post(file), Allowed { max_bytes: u64::MAX, ..ALLOWED })
    }

    fn flaws(result: Result<UploadRequest, Problem>) -> Value {
        json!(result.unwrap_err())["errors"].take()
    }

    #[test]
    fn an_upload_id_stands_in_the_key_so_that_asking_again_gives_the_same_key() {
        let longest = "x".repeat(64);
        for id in ["1", "IMG_0001-a", &*longest] {
            let upload = one(&with("uploadId", id)).unwrap();
            assert_eq!(upload.key("uploads/", ID), format!("uploads/trip/{id}.jpg"));
        }
        for wrong in ["", "a b", "a/b", "..", "a.jpg", "é", "%41", "a\n", &"x".repeat(65)] {
            let errors = one(&with("uploadId", wrong)).unwrap_err();
            assert_eq!(errors[0]["pointer"], "#/uploadId", "{wrong:?}");
        }
    }

    #[test]
    fn two_files_of_a_list_never_have_one_key() {
        let file = |id: &str, album: &str, content_type: &str| {
            let mut file = with("uploadId", id);
            (file["album"], file["contentType"]) = (album.into(), content_type.into());
            file
        };
        let first = file("1", "trip", "image/jpeg");
        let list = |second| ask(&json!({ "files": [first, second] }));
        assert_eq!(flaws(list(first.clone()))[0]["pointer"], "#/files/1/uploadId");
        assert!(list(file("1", "trip", "image/jpg")).is_err(), "another name of the same type");
        for other in [
            file("2", "trip", "image/jpeg"),
            file("1", "trip 2", "image/jpeg"),
            file("1", "trip", "image/png"),
            photo("trip"),
        ] {
            assert!(list(other.clone()).is_ok(), "{other}");
        }
        assert!(ask(&json!({ "files": [photo("trip"), photo("trip")] })).is_ok());
    }

    #[test]
    fn only_photos_of_more_than_16_mib_are_uploaded_in_parts_if_that_is_wanted() {
        const MIB: u64 = 1 << 20;
        let transfer = |bytes, multipart: Value| {
            let request = sized(bytes, json!({ "multipart": multipart })).unwrap();
            request.uploads()[0].transfer.clone()
        };
        assert_eq!(transfer(16 * MIB, true.into()), Transfer::Whole);
        assert_eq!(transfer(16 * MIB + 1, true.into()), Transfer::Parts);
        for not_wanted in [Value::Bool(false), Value::Null] {
            assert_eq!(transfer(100 * MIB, not_wanted), Transfer::Whole);
        }
        for (bytes, expected) in [
            (16 * MIB + 1, vec![(1, 8 * MIB), (2, 8 * MIB), (3, 1)]),
            (24 * MIB, vec![(1, 8 * MIB), (2, 8 * MIB), (3, 8 * MIB)]),
        ] {
            let request = sized(bytes, json!({ "multipart": true })).unwrap();
            assert_eq!(request.uploads()[0].parts(), expected);
        }
    }

    #[test]
    fn a_running_multipart_upload_gets_urls_of_the_parts_that_are_named() {
        const BYTES: u64 = (16 << 20) + 1;
        let running = |multipart: Value| json!({ "uploadId": "a", "multipart": multipart });
        let parts =
            |multipart: Value| sized(BYTES, running(multipart)).unwrap().uploads()[0].parts();
        assert_eq!(parts(json!({ "uploadId": "s3.ID_-" })).len(), 3, "all of them");
        let last = parts(json!({ "uploadId": "s3", "partNumbers": [3] }));
        assert_eq!(last, [(3, 1)]);
        assert_eq!(parts(json!({ "uploadId": "s3", "partNumbers": [] })), []);
        for (bytes, members, reason) in [
            (BYTES, running(json!({ "uploadId": "s3", "partNumbers": [0] })), "from 1 to 3"),
            (BYTES, running(json!({ "uploadId": "s3", "partNumbers": [1, 4] })), "from 1 to 3"),
            (BYTES, running(json!({ "uploadId": "" })), "that S3 gave"),
            (BYTES, running(json!({ "uploadId": "a b" })), "that S3 gave"),
            (BYTES, json!({ "multipart": { "uploadId": "s3" } }), "needs the uploadId"),
            (BYTES - 1, running(json!({ "uploadId": "s3" })), "has no parts"),
        ] {
            let errors = flaws(sized(bytes, members));
            assert_eq!(errors[0]["pointer"], "#/multipart");
            assert!(errors[0]["detail"].as_str().unwrap().contains(reason), "{errors}");
        }
        for wrong in [json!("yes"), json!(1), json!({}), json!({ "uploadId": "s3", "parts": [1] })]
        {
            let errors = flaws(sized(BYTES, running(wrong)));
            assert!(errors[0]["detail"].as_str().unwrap().contains("partNumbers"), "{errors}");
        }
    }

    #[test]
    fn an_answer_has_at_most_a_thousand_parts() {
        let list = |count: usize| {
            let mut file = with("contentLength", 100 << 20); // 13 parts
            file["multipart"] = true.into();
            let body = json!({ "files": vec![file; count] });
            parse(&post(body), Allowed { max_bytes: u64::MAX, ..ALLOWED })
        };
        assert!(list(76).is_ok());
        let errors = flaws(list(77));
        assert!(errors[0]["detail"].as_str().unwrap().contains("1001 parts"), "{errors}");
    }

    #[test]
    fn a_photo_is_looked_for_by_its_checksum_below_its_album_where_the_stack_can() {
        let digest = BASE64_STANDARD.encode([7; 32]);
        let mut file = with("checksumSha256", &*digest);
        file["ifNew"] = true.into();
        assert!(one(&file).unwrap().if_new);
        for member in ["checksumSha256", "album"] {
            let mut without = file.clone();
            without.as_object_mut().unwrap().remove(member);
            let errors = one(&without).unwrap_err();
            assert_eq!(errors[0]["pointer"], "#/ifNew");
            assert!(errors[0]["detail"].as_str().unwrap().contains(member), "{errors}");
        }
        let no_index = Allowed { finds_duplicates: false, ..ALLOWED };
        let problem = json!(parse(&post(&file), no_index).unwrap_err());
        let detail = problem["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.contains("FindDuplicates=true"), "{detail}");
        file["ifNew"] = false.into();
        assert!(parse(&post(&file), no_index).is_ok());
    }

    #[test]
    fn the_callers_server_limits_the_files_of_a_list_and_their_bytes() {
        let list = |quota: Value| {
            let mut body = json!({ "files": [photo("a"), photo("b")] });
            body.as_object_mut().unwrap().extend(quota.as_object().unwrap().clone());
            ask(&body)
        };
        assert!(list(json!({ "maxUploads": 2, "maxBytes": 2000 })).is_ok());
        for (quota, reason) in [
            (json!({ "maxUploads": 1 }), "2 files, and maxUploads allows 1"),
            (json!({ "maxUploads": 0 }), "maxUploads allows 0"),
            (json!({ "maxBytes": 1999 }), "2000 bytes together, and maxBytes allows 1999"),
        ] {
            let errors = flaws(list(quota));
            assert_eq!(errors[0]["pointer"], "#/files");
            assert!(errors[0]["detail"].as_str().unwrap().contains(reason), "{errors}");
        }
        let both = flaws(list(json!({ "maxUploads": 1, "maxBytes": 1 })));
        assert_eq!(both.as_array().unwrap().len(), 2, "{both}");
        for (wrong, named) in
            [(json!({ "maxUploads": -1 }), "usize"), (json!({ "max": 1 }), "`max`")]
        {
            let errors = flaws(list(wrong));
            assert_eq!(errors[0]["pointer"], "#");
            assert!(errors[0]["detail"].as_str().unwrap().contains(named), "{errors}");
        }
        let mut alone = photo("a");
        alone["maxUploads"] = 1.into();
        assert!(ask(&alone).is_err(), "it is of lists");
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
