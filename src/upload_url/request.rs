//! What is asked for: checked here, before anything is signed.

use std::borrow::Cow;

use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::problem::{Flaw, Problem};

/// Of what the thumbnail function makes thumbnails, and the extensions of their keys.
const CONTENT_TYPES: [(&str, &str); 6] = [
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("image/webp", "webp"),
    ("image/gif", "gif"),
    ("image/tiff", "tif"),
    ("image/bmp", "bmp"),
];

/// A request for a hundred files with the longest names and albums, all escaped, is half of it.
const MAX_BODY_BYTES: usize = 1 << 21;
const MAX_FILES: usize = 100;
const MAX_FILE_NAME_BYTES: usize = 1024;
const MAX_ALBUM_BYTES: usize = 512;
/// What S3 takes in one PUT: 5 GB (Amazon S3 User Guide, "Uploading objects").
const MAX_PUT_BYTES: u64 = 5 << 30;

/// One URL or a list of them: the answer has the form of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
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
    /// In base64.
    pub(super) checksum_sha256: Option<String>,
}

/// What is asked for one photo, as it came.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    /// Of no consequence: names of files are personal, and hostile ones are many.
    file_name: String,
    content_type: String,
    content_length: u64,
    album: Option<String>,
    checksum_sha256: Option<String>,
}

impl Asked {
    /// All of them.
    pub(super) fn uploads(&self) -> &[Upload] {
        match self {
            Asked::One(upload) => std::slice::from_ref(upload),
            Asked::Many(uploads) => uploads,
        }
    }
}

impl Upload {
    /// The photo's key: below the prefix and in its album; nothing else of it comes from the caller.
    pub(super) fn key(&self, prefix: &str, id: Uuid) -> String {
        let extension = self.extension;
        match &self.album {
            Some(album) => format!("{prefix}{album}/{id}.{extension}"),
            None => format!("{prefix}{id}.{extension}"),
        }
    }
}

/// Reads a request for photos of at most `max_bytes` bytes each.
///
/// # Errors
/// All that is wrong with it.
pub(super) fn read(request: &LambdaFunctionUrlRequest, max_bytes: u64) -> Result<Asked, Problem> {
    if request.request_context.http.method.as_deref() != Some("POST") {
        return Err(Problem::method_not_allowed());
    }
    let body: Value = serde_json::from_slice(&body(request)?)
        .map_err(|error| Problem::bad_request(format!("the body is not JSON: {error}")))?;
    let mut flaws = Vec::new();
    let asked = match body {
        Value::Object(mut members) if members.contains_key("files") => {
            let files = members.remove("files");
            if let Some((name, _)) = members.into_iter().next() {
                let detail = format!("nothing may stand beside `files`, but `{name}` does");
                return Err(Problem::flawed(vec![Flaw { pointer: "#".into(), detail }]));
            }
            many(files, max_bytes, &mut flaws).map(Asked::Many)
        }
        file => one(file, "#", max_bytes, &mut flaws).map(Asked::One),
    };
    asked.filter(|_| flaws.is_empty()).ok_or_else(|| Problem::flawed(flaws))
}

/// As it was sent: Lambda encodes what its Content-Type does not declare as text.
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

fn many(files: Option<Value>, max_bytes: u64, flaws: &mut Vec<Flaw>) -> Option<Vec<Upload>> {
    match files {
        Some(Value::Array(files)) if (1..=MAX_FILES).contains(&files.len()) => {
            let read = |(number, file)| one(file, &format!("#/files/{number}"), max_bytes, flaws);
            let uploads: Vec<Option<Upload>> = files.into_iter().enumerate().map(read).collect();
            uploads.into_iter().collect()
        }
        _ => {
            let detail = format!("must be a list of 1 to {MAX_FILES} files");
            flaws.push(Flaw { pointer: "#/files".into(), detail });
            None
        }
    }
}

fn one(file: Value, at: &str, max_bytes: u64, flaws: &mut Vec<Flaw>) -> Option<Upload> {
    let file: File = match serde_json::from_value(file) {
        Ok(file) => file,
        Err(error) => {
            flaws.push(Flaw { pointer: at.to_owned(), detail: error.to_string() });
            return None;
        }
    };
    let content_type = known_content_type(&file.content_type);
    let checks = [
        ("fileName", check_file_name(&file.file_name)),
        ("contentType", content_type.map(drop).ok_or_else(allowed_content_types)),
        ("contentLength", check_content_length(file.content_length, max_bytes)),
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

/// As it is written in the table: case does not matter (RFC 9110 section 8.3.1).
fn known_content_type(content_type: &str) -> Option<(&'static str, &'static str)> {
    CONTENT_TYPES.into_iter().find(|(known, _)| content_type.eq_ignore_ascii_case(known))
}

fn allowed_content_types() -> String {
    let names = CONTENT_TYPES.map(|(name, _)| name).join(", ");
    format!("must be one of {names}: nothing else becomes a thumbnail, HEIC and AVIF neither")
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

/// What no album needs: the other separator of paths; what ends a line or controls a terminal; what
/// XML 1.0, so S3's lists and SQS's messages, cannot carry; and Unicode's Bidi_Control characters, which
/// show the names around them in another order than they have. Those that join letters and emoji are
/// needed.
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
