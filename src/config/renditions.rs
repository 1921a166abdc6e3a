//! The setting `RENDITIONS`: what is made of each photo.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use photo::{Encoding, Resampling, Size, Sizing, Spec, Strip};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Version of the renderer. It is raised whenever the same settings make renditions that look different, so
/// that a backfill renders old photos again.
const RENDERER_VERSION: u32 = 1;

/// Longest name of a rendition, in characters.
const MAX_NAME: usize = 32;
/// Most renditions of a photo.
const MAX_RENDITIONS: usize = 8;
/// The longest side of a box, in pixels: the longest of a WebP.
const MAX_BOX: u32 = 16_383;

const NAME: &str = "a name and a colon; a name has at most 32 lower-case letters, digits and hyphens, \
    and begins with a letter";
const OTHER_NAME: &str = "a name that no other rendition has";
const AT_MOST_8: &str = "at most 8 renditions";
const OPTION: &str = "a size (scale=, fit= or cover=), quality=, format= or strip=";
const SIZE: &str = "a size: scale=S, fit=N, fit=WxH or cover=WxH";
const SCALE: &str = "scale=S, with S greater than 0 and at most 1";
const FIT: &str = "fit=N or fit=WxH, in whole pixels from 1 to 16383";
const COVER: &str = "cover=WxH, in whole pixels from 1 to 16383";
const QUALITY: &str = "quality=Q, with Q from 0.01 to 1";
const FORMAT: &str = "format=jpeg, format=webp or format=original";
const STRIP: &str = "strip=location or strip=all";
const ONCE: &str = "each option once";
const ONE_SIZE: &str = "one size";
const ONLY_STRIP: &str = "format=original with strip= and nothing else";
const ONLY_OF_ORIGINAL: &str = "strip= only with format=original";
const FIRST_IS_MADE: &str = "a first rendition of jpeg or webp: it is the default one";

/// A rendition of each photo.
#[derive(Clone, Debug, PartialEq)]
pub struct RenditionSetting {
    /// Name of the rendition: it begins the key, and names the rendition in the item.
    pub name: String,
    /// What it is.
    pub kind: RenditionKind,
}

/// What a rendition is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RenditionKind {
    /// A picture that is made of the photo.
    Made(Spec),
    /// A copy of the original's own bytes without some of its metadata.
    Copy(Strip),
}

/// A mistake in the text of the setting.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("character {position}: expected {expected}, found {}", shown(found))]
pub struct RenditionsError {
    /// Position of the mistake in characters, from 1.
    position: usize,
    /// The word that is wrong; empty where one is missing.
    found: String,
    /// What is allowed in its place.
    expected: &'static str,
}

impl RenditionSetting {
    /// 8 hexadecimal digits of a hash over everything that changes the rendition's bytes.
    pub fn fingerprint(&self, resampling: Resampling) -> String {
        let settings = match self.kind {
            RenditionKind::Made(Spec { sizing, encoding, quality }) => {
                let format = match encoding {
                    Encoding::Jpeg => "jpeg",
                    Encoding::WebP => "webp",
                };
                let size = match sizing {
                    Sizing::Scale(scale) => scale.to_string(),
                    Sizing::Fit(Size { width, height }) => format!("fit={width}x{height}"),
                    Sizing::Cover(Size { width, height }) => format!("cover={width}x{height}"),
                };
                let resampling = match resampling {
                    Resampling::Best => "best",
                    Resampling::Fast => "fast",
                };
                format!("{format} {size} {quality} {resampling}")
            }
            RenditionKind::Copy(Strip::Location) => "original location".to_owned(),
            RenditionKind::Copy(Strip::All) => "original all".to_owned(),
        };
        hash(&format!("{RENDERER_VERSION} {settings}"))
    }

    /// What stands behind the original's key in the rendition's key.
    pub(super) fn extension(&self) -> &'static str {
        match self.kind {
            RenditionKind::Made(Spec { encoding: Encoding::WebP, .. }) => ".webp",
            RenditionKind::Made(Spec { encoding: Encoding::Jpeg, .. }) | RenditionKind::Copy(_) => {
                ""
            }
        }
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

/// Reads the text of the setting: `name: size [quality=Q] [format=F]`, one to eight of them with `;` between them.
///
/// # Errors
/// The first mistake.
pub(super) fn parse(text: &str) -> Result<Vec<RenditionSetting>, RenditionsError> {
    let text = Text(text);
    let mut renditions = Vec::new();
    let mut names = BTreeSet::new();
    for part in text.0.split(';') {
        let (name, options) = part.split_once(':').unwrap_or((part, end_of(part)));
        let name = name.trim();
        if !is_name(name) {
            return Err(text.mistake(name, NAME));
        }
        if renditions.len() == MAX_RENDITIONS {
            return Err(text.mistake(name, AT_MOST_8));
        }
        if !names.insert(name) {
            return Err(text.mistake(name, OTHER_NAME));
        }
        let kind = text.kind(options)?;
        if renditions.is_empty() && matches!(kind, RenditionKind::Copy(_)) {
            return Err(text.mistake(name, FIRST_IS_MADE));
        }
        renditions.push(RenditionSetting { name: name.to_owned(), kind });
    }
    Ok(renditions)
}

/// The whole text, in which mistakes have a position.
struct Text<'a>(&'a str);

/// The options of a rendition, each with the word that gives it.
#[derive(Default)]
struct Options<'a> {
    size: Option<(&'a str, Sizing)>,
    quality: Option<(&'a str, f64)>,
    format: Option<(&'a str, Format)>,
    strip: Option<(&'a str, Strip)>,
}

#[derive(Clone, Copy)]
enum Format {
    Made(Encoding),
    Original,
}

impl<'a> Text<'a> {
    fn mistake(&self, word: &str, expected: &'static str) -> RenditionsError {
        let position = self.0[..offset(self.0, word)].chars().count() + 1;
        RenditionsError { position, found: word.to_owned(), expected }
    }

    fn kind(&self, text: &'a str) -> Result<RenditionKind, RenditionsError> {
        let Options { size, quality, format, strip } = self.options(text)?;
        let missing = |expected| self.mistake(end_of(text), expected);
        match format.map_or(Format::Made(Encoding::Jpeg), |(_, format)| format) {
            Format::Original => {
                let other = size.map(|(word, _)| word).or(quality.map(|(word, _)| word));
                match (other, strip) {
                    (Some(word), _) => Err(self.mistake(word, ONLY_STRIP)),
                    (None, Some((_, strip))) => Ok(RenditionKind::Copy(strip)),
                    (None, None) => Err(missing(STRIP)),
                }
            }
            Format::Made(encoding) => {
                if let Some((word, _)) = strip {
                    return Err(self.mistake(word, ONLY_OF_ORIGINAL));
                }
                let (_, sizing) = size.ok_or_else(|| missing(SIZE))?;
                let quality =
                    quality.map_or_else(|| default_quality(encoding), |(_, number)| number);
                Ok(RenditionKind::Made(Spec { sizing, encoding, quality }))
            }
        }
    }

    fn options(&self, text: &'a str) -> Result<Options<'a>, RenditionsError> {
        let mut options = Options::default();
        for word in text.split_whitespace() {
            let (name, value) = word.split_once('=').ok_or_else(|| self.mistake(word, OPTION))?;
            match name {
                "scale" => self.set(&mut options.size, word, scale(value), SCALE, ONE_SIZE)?,
                "fit" => self.set(&mut options.size, word, fit(value), FIT, ONE_SIZE)?,
                "cover" => self.set(&mut options.size, word, cover(value), COVER, ONE_SIZE)?,
                "quality" => self.set(&mut options.quality, word, quality(value), QUALITY, ONCE)?,
                "format" => self.set(&mut options.format, word, format(value), FORMAT, ONCE)?,
                "strip" => self.set(&mut options.strip, word, strip(value), STRIP, ONCE)?,
                _ => return Err(self.mistake(word, OPTION)),
            }
        }
        Ok(options)
    }

    fn set<T>(
        &self,
        option: &mut Option<(&'a str, T)>,
        word: &'a str,
        value: Option<T>,
        allowed: &'static str,
        once: &'static str,
    ) -> Result<(), RenditionsError> {
        if option.is_some() {
            return Err(self.mistake(word, once));
        }
        *option = Some((word, value.ok_or_else(|| self.mistake(word, allowed))?));
        Ok(())
    }
}

/// A word in a message.
fn shown(word: &str) -> String {
    if word.is_empty() { "nothing".to_owned() } else { format!("{word:?}") }
}

/// Bytes of `text` before `part`, which is a part of it.
fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len())
}

/// The empty word at the end of a text.
fn end_of(text: &str) -> &str {
    &text[text.len()..]
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

fn scale(text: &str) -> Option<Sizing> {
    fraction(text).map(Sizing::Scale)
}

fn fit(text: &str) -> Option<Sizing> {
    let square = || side(text).map(|side| Size { width: side, height: side });
    rectangle(text).or_else(square).map(Sizing::Fit)
}

fn cover(text: &str) -> Option<Sizing> {
    rectangle(text).map(Sizing::Cover)
}

fn rectangle(text: &str) -> Option<Size> {
    let (width, height) = text.split_once('x')?;
    Some(Size { width: side(width)?, height: side(height)? })
}

fn side(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|side| is_plain && (1..=MAX_BOX).contains(side))
}

fn quality(text: &str) -> Option<f64> {
    fraction(text).filter(|quality| *quality >= 0.01)
}

fn format(text: &str) -> Option<Format> {
    match text {
        "jpeg" => Some(Format::Made(Encoding::Jpeg)),
        "webp" => Some(Format::Made(Encoding::WebP)),
        "original" => Some(Format::Original),
        _ => None,
    }
}

fn strip(text: &str) -> Option<Strip> {
    match text {
        "location" => Some(Strip::Location),
        "all" => Some(Strip::All),
        _ => None,
    }
}

fn default_quality(encoding: Encoding) -> f64 {
    match encoding {
        Encoding::Jpeg => 0.9,
        Encoding::WebP => 0.8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(text: &str) -> RenditionSetting {
        let settings = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        settings.into_iter().next().unwrap()
    }

    const WIDE: Size = Size { width: 1600, height: 900 };

    #[test]
    fn a_rendition_has_a_name_a_size_a_quality_and_a_format() {
        let (jpeg, webp) = (Encoding::Jpeg, Encoding::WebP);
        let square = Size { width: 400, height: 400 };
        for (text, name, sizing, encoding, quality) in [
            ("thumbnail: scale=0.25 quality=0.9", "thumbnail", Sizing::Scale(0.25), jpeg, 0.9),
            ("thumbnail:scale=0.25", "thumbnail", Sizing::Scale(0.25), jpeg, 0.9),
            ("  a-2 :  quality=0.01\tscale=1 ", "a-2", Sizing::Scale(1.0), jpeg, 0.01),
            (
                &format!("{}: scale=1", "a".repeat(32)),
                &"a".repeat(32),
                Sizing::Scale(1.0),
                jpeg,
                0.9,
            ),
            ("grid: fit=400", "grid", Sizing::Fit(square), jpeg, 0.9),
            ("grid: fit=1600x900 format=jpeg", "grid", Sizing::Fit(WIDE), jpeg, 0.9),
            ("grid: cover=1600x900 format=webp", "grid", Sizing::Cover(WIDE), webp, 0.8),
            ("grid: format=webp quality=1 fit=400", "grid", Sizing::Fit(square), webp, 1.0),
        ] {
            let kind = RenditionKind::Made(Spec { sizing, encoding, quality });
            let expected = RenditionSetting { name: name.to_owned(), kind };
            assert_eq!(parse(text), Ok(vec![expected]), "{text}");
        }
    }

    #[test]
    fn renditions_are_separated_by_semicolons_and_lines_are_spaces() {
        let text = "thumbnail: scale=0.25;grid:fit=400 ;\n share: format=original strip=location";
        let settings = parse(text).unwrap();
        let names: Vec<&str> = settings.iter().map(|setting| &*setting.name).collect();
        assert_eq!(names, ["thumbnail", "grid", "share"]);
        assert_eq!(settings[2].kind, RenditionKind::Copy(Strip::Location));
        let eight: Vec<String> = (0..8).map(|number| format!("r{number}: fit=9")).collect();
        assert_eq!(parse(&eight.join("; ")).unwrap().len(), 8);
        assert_eq!(parse(&format!("{}; r8: fit=9", eight.join("; "))).unwrap_err().found, "r8");
    }

    #[test]
    fn a_mistake_is_reported_with_its_position_and_what_is_allowed_there() {
        for (text, position, found, expected) in [
            ("", 1, "", NAME),
            ("Thumbnail: scale=1", 1, "Thumbnail", NAME),
            ("2x: scale=1", 1, "2x", NAME),
            ("thumbnail scale=1", 1, "thumbnail scale=1", NAME),
            ("é: scale=1", 1, "é", NAME),
            (&format!("{}: scale=1", "a".repeat(33)), 1, &*"a".repeat(33), NAME),
            ("a: fit=1;", 10, "", NAME),
            ("a: fit=1; a: fit=2", 11, "a", OTHER_NAME),
            ("a: fit=1; é: fit=2", 11, "é", NAME),
            ("thumbnail:", 11, "", SIZE),
            ("thumbnail: quality=0.9", 23, "", SIZE),
            ("thumbnail: quality=0.9; b: fit=1", 23, "", SIZE),
            ("thumbnail: scale=0", 12, "scale=0", SCALE),
            ("thumbnail: scale=1.01", 12, "scale=1.01", SCALE),
            ("thumbnail: scale=NaN", 12, "scale=NaN", SCALE),
            ("thumbnail: scale=1 quality=0.009", 20, "quality=0.009", QUALITY),
            ("thumbnail: scale=1 quality=90", 20, "quality=90", QUALITY),
            ("thumbnail: scale=1 scale=1", 20, "scale=1", ONE_SIZE),
            ("thumbnail: scale=1 fit=400", 20, "fit=400", ONE_SIZE),
            ("thumbnail: fit=0", 12, "fit=0", FIT),
            ("thumbnail: fit=16384", 12, "fit=16384", FIT),
            ("thumbnail: fit=400x", 12, "fit=400x", FIT),
            ("thumbnail: fit=+400", 12, "fit=+400", FIT),
            ("thumbnail: cover=400", 12, "cover=400", COVER),
            ("thumbnail: cover=400x400x400", 12, "cover=400x400x400", COVER),
            ("thumbnail: cover=400x400 format=avif", 26, "format=avif", FORMAT),
            ("thumbnail: fit=4 format=jpeg format=webp", 30, "format=webp", ONCE),
            ("thumbnail: fit=4 strip=all", 18, "strip=all", ONLY_OF_ORIGINAL),
            ("thumbnail: width=400", 12, "width=400", OPTION),
            ("thumbnail: 400", 12, "400", OPTION),
            ("a: fit=1; b: format=original", 29, "", STRIP),
            ("a: fit=1; b: format=original strip=gps", 30, "strip=gps", STRIP),
            ("a: fit=1; b: format=original strip=all fit=4", 40, "fit=4", ONLY_STRIP),
            ("b: format=original strip=all", 1, "b", FIRST_IS_MADE),
        ] {
            let error = parse(text).unwrap_err();
            let found = RenditionsError { position, found: found.to_owned(), expected };
            assert_eq!(error, found, "{text}");
        }
    }

    #[test]
    fn a_message_says_what_was_found_or_that_nothing_was() {
        let message = |text| parse(text).unwrap_err().to_string();
        assert!(message("thumbnail: fit=0").ends_with("found \"fit=0\""));
        assert!(message("thumbnail:").ends_with("found nothing"));
    }

    #[test]
    fn the_fingerprint_changes_with_what_changes_the_bytes_and_the_version_with_the_original_too() {
        let (best, fast) = (Resampling::Best, Resampling::Fast);
        let fingerprint = setting("thumbnail: scale=0.25").fingerprint(best);
        assert_eq!(fingerprint.len(), 8);
        assert_eq!(setting("other: scale=0.25 quality=0.9").fingerprint(best), fingerprint);
        let mut seen = BTreeSet::from([fingerprint.clone()]);
        for (text, resampling) in [
            ("thumbnail: scale=0.25", fast),
            ("thumbnail: scale=0.26", best),
            ("thumbnail: scale=0.25 quality=0.91", best),
            ("thumbnail: scale=0.25 quality=0.9 format=webp", best),
            ("thumbnail: fit=400", best),
            ("thumbnail: fit=400x300", best),
            ("thumbnail: cover=400x300", best),
        ] {
            assert!(seen.insert(setting(text).fingerprint(resampling)), "{text}");
        }
        for strip in [Strip::Location, Strip::All] {
            let copy = RenditionSetting { name: "a".into(), kind: RenditionKind::Copy(strip) };
            assert!(seen.insert(copy.fingerprint(best)), "{strip:?}");
            assert_eq!(copy.fingerprint(best), copy.fingerprint(fast), "it has no pixels");
        }
        let version = rendition_version("abc", &fingerprint);
        assert!(version.len() == 8 && version.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(rendition_version("abd", &fingerprint), version);
        assert_ne!(rendition_version("abc", "00000000"), version);
    }
}
