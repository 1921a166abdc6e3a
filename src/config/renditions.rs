//! The setting `RENDITIONS`: what is made of each photo.

use std::fmt::Write as _;
use std::str::FromStr;

use photo::{Resampling, Spec};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Version of the renderer. It is raised whenever the same settings make renditions that look different, so
/// that a backfill renders old photos again.
const RENDERER_VERSION: u32 = 1;

/// Longest name of a rendition, in characters.
const MAX_NAME: usize = 32;

const NAME: &str = "a name and a colon; a name has at most 32 lower-case letters, digits and hyphens, \
    and begins with a letter";
const SCALE: &str = "scale=S, with S greater than 0 and at most 1";
const QUALITY: &str = "quality=Q, with Q from 0.01 to 1";
const OPTIONS: &str = "scale=S or quality=Q, of one rendition";

/// A rendition to be made of each photo.
#[derive(Clone, Debug, PartialEq)]
pub struct RenditionSetting {
    /// Name of the rendition: it begins the key, and names the rendition in the item.
    pub name: String,
    /// Side of the rendition over side of the photo, greater than 0, at most 1.
    pub scale: f64,
    /// IJG quality divided by 100, 0.01 to 1.
    pub quality: f64,
}

/// A mistake in the text of the setting.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("character {position}: expected {expected}, found {found:?}")]
pub struct RenditionsError {
    /// Position of the mistake in characters, from 1.
    position: usize,
    /// The word that is wrong; empty where one is missing.
    found: String,
    /// What is allowed in its place.
    expected: &'static str,
}

impl RenditionSetting {
    /// What the rendition is like with this resampling.
    pub fn spec(&self, resampling: Resampling) -> Spec {
        Spec { scale: self.scale, quality: self.quality, resampling }
    }

    /// 8 hexadecimal digits of a hash over everything that changes the rendition's bytes.
    pub fn fingerprint(&self, resampling: Resampling) -> String {
        let RenditionSetting { scale, quality, .. } = self;
        let resampling = match resampling {
            Resampling::Best => "best",
            Resampling::Fast => "fast",
        };
        hash(&format!("{RENDERER_VERSION} jpeg {scale} {quality} {resampling}"))
    }
}

/// The version of a rendition: 8 hexadecimal digits of a hash over what it was made from and how.
pub fn rendition_version(original_etag: &str, fingerprint: &str) -> String {
    hash(&format!("{original_etag} {fingerprint}"))
}

fn hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(4).fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}"); // to a String, which takes everything
        digits
    })
}

/// `name: scale=S [quality=Q]`.
impl FromStr for RenditionSetting {
    type Err = RenditionsError;

    fn from_str(text: &str) -> Result<RenditionSetting, RenditionsError> {
        let mistake = |word: &str, expected| RenditionsError {
            position: text[..offset(text, word)].chars().count() + 1,
            found: word.to_owned(),
            expected,
        };
        let end = &text[text.len()..];
        let (name, options) = text.split_once(':').unwrap_or((text, end));
        let name = name.trim();
        if !is_name(name) {
            return Err(mistake(name, NAME));
        }
        let (mut scale, mut quality) = (None, None);
        for word in options.split_whitespace() {
            let (option, number, expected) = match word.split_once('=') {
                Some(("scale", number)) => (&mut scale, fraction(number), SCALE),
                Some(("quality", number)) => {
                    (&mut quality, fraction(number).filter(|quality| *quality >= 0.01), QUALITY)
                }
                Some(_) | None => return Err(mistake(word, OPTIONS)),
            };
            if option.is_some() {
                return Err(mistake(word, "each option once"));
            }
            *option = Some(number.ok_or_else(|| mistake(word, expected))?);
        }
        let scale = scale.ok_or_else(|| mistake(end, SCALE))?;
        Ok(RenditionSetting { name: name.to_owned(), scale, quality: quality.unwrap_or(0.9) })
    }
}

/// Bytes of `text` before `part`, which is a part of it.
fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len())
}

fn is_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.len() <= MAX_NAME
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(is_allowed)
}

fn fraction(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number| *number > 0.0 && *number <= 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(text: &str) -> RenditionSetting {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_rendition_has_a_name_a_scale_and_a_quality() {
        let expected =
            |name: &str, scale, quality| RenditionSetting { name: name.to_owned(), scale, quality };
        for (text, expected) in [
            ("thumbnail: scale=0.25 quality=0.9", expected("thumbnail", 0.25, 0.9)),
            ("thumbnail:scale=0.25", expected("thumbnail", 0.25, 0.9)),
            ("  a-2 :  quality=0.01\tscale=1 ", expected("a-2", 1.0, 0.01)),
            (&format!("{}: scale=1", "a".repeat(32)), expected(&"a".repeat(32), 1.0, 0.9)),
        ] {
            assert_eq!(setting(text), expected, "{text}");
        }
    }

    #[test]
    fn a_mistake_is_reported_with_its_position_and_what_is_allowed_there() {
        for (text, position, found) in [
            ("", 1, ""),
            ("Thumbnail: scale=1", 1, "Thumbnail"),
            ("2x: scale=1", 1, "2x"),
            ("thumbnail scale=1", 1, "thumbnail scale=1"),
            ("é: scale=1", 1, "é"),
            (&format!("{}: scale=1", "a".repeat(33)), 1, &*"a".repeat(33)),
            ("thumbnail:", 11, ""),
            ("thumbnail: quality=0.9", 23, ""),
            ("thumbnail: scale=0", 12, "scale=0"),
            ("thumbnail: scale=1.01", 12, "scale=1.01"),
            ("thumbnail: scale=NaN", 12, "scale=NaN"),
            ("thumbnail: scale=1 quality=0.009", 20, "quality=0.009"),
            ("thumbnail: scale=1 quality=90", 20, "quality=90"),
            ("thumbnail: scale=1 scale=1", 20, "scale=1"),
            ("thumbnail: fit=400", 12, "fit=400"),
            ("thumbnail: scale=1 ; grid: scale=0.5", 20, ";"),
        ] {
            let error = text.parse::<RenditionSetting>().unwrap_err();
            assert_eq!((error.position, error.found.as_str()), (position, found), "{text}");
            let message = error.to_string();
            assert!(message.contains("expected "), "{message}");
        }
    }

    #[test]
    fn the_fingerprint_changes_with_what_changes_the_bytes_and_the_version_with_the_original_too() {
        let (best, fast) = (Resampling::Best, Resampling::Fast);
        let fingerprint = setting("thumbnail: scale=0.25").fingerprint(best);
        assert_eq!(fingerprint.len(), 8);
        assert_eq!(setting("other: scale=0.25 quality=0.9").fingerprint(best), fingerprint);
        for (text, resampling) in [
            ("thumbnail: scale=0.25", fast),
            ("thumbnail: scale=0.26", best),
            ("thumbnail: scale=0.25 quality=0.91", best),
        ] {
            assert_ne!(setting(text).fingerprint(resampling), fingerprint, "{text}");
        }
        let version = rendition_version("abc", &fingerprint);
        assert!(version.len() == 8 && version.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(rendition_version("abd", &fingerprint), version);
        assert_ne!(rendition_version("abc", "00000000"), version);
    }
}
