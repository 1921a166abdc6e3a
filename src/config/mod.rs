//! The functions' settings, read from their environment once and checked before the first photo.

mod renditions;

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use photo::{HeicPolicy, LocationPolicy, Policy, Resampling};
use thiserror::Error;

pub use renditions::{RenditionKind, RenditionSetting, RenditionsError, rendition_version};

use crate::event::Queues;
use crate::item::{Place, RenditionRef, RenditionRefs};

/// Every setting of the thumbnail function. `docs/configuration.md` has a line for each.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `ORIGINALS_BUCKET`, required: events about any other bucket are ignored.
    pub originals_bucket: String,
    /// `ORIGINALS_PREFIX`, empty: only keys that begin with it are photos.
    pub originals_prefix: String,
    /// `THUMBNAILS_BUCKET`, required.
    pub thumbnails_bucket: String,
    /// `RENDITIONS`, `thumbnail: scale=0.25 quality=0.9`: what is made of each photo, the default one first.
    pub renditions: Vec<RenditionSetting>,
    /// `RESAMPLING`, `best`: what the pixels of a rendition may cost.
    pub resampling: Resampling,
    /// `THUMBNAILS_PREFIX`, empty: the beginning of every rendition's key.
    pub thumbnails_prefix: String,
    /// `CACHE_CONTROL`, empty: the renditions' Cache-Control header, none if empty.
    pub cache_control: Option<String>,
    /// `PHOTOS_TABLE`, required: DynamoDB table name.
    pub photos_table: String,
    /// `DEAD_LETTER_QUEUE_URL`, required: SQS queue URL.
    pub dead_letter_queue_url: String,
    /// `QUEUE_MAX_RECEIVES`, 0: how often a queue between S3 and the function gives a message, as its redrive policy
    /// says; 0 if that is not known.
    pub queue_max_receives: u32,
    /// `MAX_PHOTO_BYTES`, 104857600: larger originals are refused before they are downloaded.
    pub max_photo_bytes: u64,
    /// `MAX_PHOTO_PIXELS`, 500000000: larger pictures are refused before they are decoded.
    pub max_photo_pixels: u64,
    /// `LOCATION`, `exact`: what of the place goes into the item.
    pub location: LocationPolicy,
    /// `HEIC`, `decode`: whether HEIC is decoded.
    pub heic: HeicPolicy,
    /// `DELETE_WITH_ORIGINAL`: whether what was made of a photo goes with it.
    pub delete_with_original: bool,
    /// `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`, which Lambda sets: the function's memory in MB; outside of
    /// Lambda there is no limit.
    pub memory_mb: u64,
}

/// Every setting of the upload-url function. `docs/configuration.md` has a line for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadConfig {
    /// `ORIGINALS_BUCKET`, required: where photos are uploaded to.
    pub originals_bucket: String,
    /// `ORIGINALS_PREFIX`, empty, at most 200 bytes: what every photo's key begins with.
    pub originals_prefix: String,
    /// `MAX_PHOTO_BYTES`, 104857600: larger photos get no URL.
    pub max_photo_bytes: u64,
    /// `HEIC`, `decode`: whether HEIC is decoded; where it is not, it gets no URL.
    pub heic: HeicPolicy,
    /// `ORIGINALS_STORAGE_CLASS`, `STANDARD`: the storage class that photos are uploaded to.
    pub storage_class: OriginalsStorageClass,
    /// `DUPLICATES_TABLE`, empty: DynamoDB table in which photos are found by their content; none if they are not.
    pub duplicates_table: Option<String>,
    /// `UPLOAD_URL_TTL_SECONDS`, 900: how long a URL can be used.
    pub url_lifetime: Duration,
}

/// A storage class for originals, which are read once and then seldom (Amazon S3 User Guide, "Understanding and
/// managing Amazon S3 storage classes"). Those with a fee for each read or a shortest stay are none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginalsStorageClass {
    /// S3 Standard.
    Standard,
    /// S3 Intelligent-Tiering.
    IntelligentTiering,
}

/// Why the function does not start: one line that names the variable, its value and what is allowed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ConfigError {
    /// A required variable is not set or empty.
    #[error("{0} is not set: {1} is required")]
    Missing(&'static str, &'static str),
    /// A variable's value is not one of the allowed.
    #[error("{name}={value:?} is not allowed: it must be {allowed}")]
    Invalid {
        /// Name of the variable.
        name: &'static str,
        /// Value of the variable.
        value: String,
        /// What the value may be.
        allowed: &'static str,
    },
    /// `RENDITIONS` is not a text that it may be.
    #[error("RENDITIONS={value:?} is not allowed: {error}")]
    Renditions {
        /// Value of the variable.
        value: String,
        /// What is wrong with it.
        error: RenditionsError,
    },
    /// Each rendition would itself be taken for a photo, without end.
    #[error(
        "THUMBNAILS_BUCKET={bucket:?} is not allowed: renditions would be originals again, as \
         ORIGINALS_BUCKET is the same bucket, and their keys, which begin with {renditions:?}, \
         begin with ORIGINALS_PREFIX={originals_prefix:?} too; use another bucket or prefix"
    )]
    Loop {
        /// Name of the one bucket.
        bucket: String,
        /// Beginning of the renditions' keys.
        renditions: String,
        /// Beginning of the originals' keys.
        originals_prefix: String,
    },
}

impl Config {
    /// Reads the settings through `variable`, which gives an environment variable's value.
    ///
    /// # Errors
    /// The first setting that is missing or not allowed.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
        let vars = Variables(&variable);
        let config = Config {
            originals_bucket: vars.originals_bucket()?,
            originals_prefix: vars.originals_prefix(),
            thumbnails_bucket: vars.bucket("THUMBNAILS_BUCKET", "the bucket of the thumbnails")?,
            renditions: vars.renditions()?,
            resampling: vars.resampling()?,
            thumbnails_prefix: vars.text("THUMBNAILS_PREFIX", ""),
            cache_control: vars.cache_control()?,
            photos_table: vars.required("PHOTOS_TABLE", "the name of the DynamoDB table")?,
            dead_letter_queue_url: vars.dead_letter_queue_url()?,
            queue_max_receives: vars.number(
                "QUEUE_MAX_RECEIVES",
                0,
                "a whole number from 0 to 1000",
                |n| *n <= 1000,
            )?,
            max_photo_bytes: vars.max_photo_bytes()?,
            max_photo_pixels: vars.number(
                "MAX_PHOTO_PIXELS",
                500_000_000,
                "a whole number of pixels, 1 to 1000000000000",
                |n| (1..=1_000_000_000_000).contains(n),
            )?,
            location: vars.location()?,
            heic: vars.heic()?,
            delete_with_original: vars.delete_with_original()?,
            memory_mb: vars.number(
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                u64::from(u32::MAX),
                "a whole number of MB, at least 64",
                |n| *n >= 64,
            )?,
        };
        config.refuse_loop()?;
        Ok(config)
    }

    /// What is to be known of queues to open their messages.
    pub fn queues(&self) -> Queues<'_> {
        let dead_letters = self.dead_letter_queue_url.rsplit('/').next().unwrap_or_default();
        let max_receives = Some(self.queue_max_receives).filter(|count| *count > 0);
        Queues { dead_letters, max_receives }
    }

    /// What is read of photos, and which of them are decoded.
    pub fn policy(&self) -> Policy {
        Policy { max_pixels: self.max_photo_pixels, location: self.location, heic: self.heic }
    }

    /// Where a rendition of a photo is.
    fn rendition_place(&self, rendition: &RenditionSetting, photo_key: &str) -> Place {
        let (prefix, extension) = (self.rendition_prefix(rendition), rendition.extension());
        let key = format!("{prefix}{photo_key}{extension}");
        Place { bucket: self.thumbnails_bucket.clone(), key }
    }

    /// Where a photo's renditions are.
    pub fn rendition_places(&self, photo_key: &str) -> Vec<Place> {
        let renditions = self.renditions.iter();
        renditions.map(|rendition| self.rendition_place(rendition, photo_key)).collect()
    }

    /// A rendition of a photo, made with these settings of the original of this ETag.
    pub fn rendition_ref(
        &self,
        rendition: &RenditionSetting,
        photo_key: &str,
        original_etag: &str,
    ) -> RenditionRef {
        let version = rendition_version(original_etag, &rendition.fingerprint(self.resampling));
        RenditionRef { place: self.rendition_place(rendition, photo_key), version }
    }

    /// The renditions of a photo, made with these settings of the original of this ETag.
    pub fn rendition_refs(&self, photo_key: &str, original_etag: &str) -> RenditionRefs {
        let refs = self.renditions.iter().map(|rendition| {
            (rendition.name.clone(), self.rendition_ref(rendition, photo_key, original_etag))
        });
        refs.collect()
    }

    /// What stands before the photo's key in a rendition's key.
    fn rendition_prefix(&self, rendition: &RenditionSetting) -> String {
        format!("{}{}/", self.thumbnails_prefix, rendition.name)
    }

    /// Refuses settings under which every rendition is an original: a bucket that feeds itself is the
    /// most expensive mistake one can make with S3 events.
    fn refuse_loop(&self) -> Result<(), ConfigError> {
        if self.originals_bucket != self.thumbnails_bucket {
            return Ok(());
        }
        let prefixes = self.renditions.iter().map(|rendition| self.rendition_prefix(rendition));
        let is_original_again = |prefix: &String| {
            format!("{prefix}{}", self.originals_prefix).starts_with(&self.originals_prefix)
        };
        match prefixes.into_iter().find(is_original_again) {
            Some(renditions) => Err(ConfigError::Loop {
                bucket: self.thumbnails_bucket.clone(),
                renditions,
                originals_prefix: self.originals_prefix.clone(),
            }),
            None => Ok(()),
        }
    }
}

impl UploadConfig {
    /// Longest prefix in bytes: an album of 512 bytes, an id and an extension come behind it, the
    /// beginning of a rendition's key may come before it, and S3's keys have at most 1024 bytes.
    const MAX_PREFIX_BYTES: usize = 200;

    /// Reads the settings through `variable`, which gives an environment variable's value.
    ///
    /// # Errors
    /// The first setting that is missing or not allowed.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<UploadConfig, ConfigError> {
        let vars = Variables(&variable);
        let originals_prefix = vars.originals_prefix();
        let is_short = |prefix: &str| prefix.len() <= Self::MAX_PREFIX_BYTES;
        let originals_prefix =
            checked("ORIGINALS_PREFIX", originals_prefix, "a text of at most 200 bytes", is_short)?;
        Ok(UploadConfig {
            originals_bucket: vars.originals_bucket()?,
            originals_prefix,
            max_photo_bytes: vars.max_photo_bytes()?,
            heic: vars.heic()?,
            storage_class: vars.storage_class()?,
            duplicates_table: Some(vars.text("DUPLICATES_TABLE", ""))
                .filter(|name| !name.is_empty()),
            // A role's credentials live for 12 hours at most, and what they signed no longer than they.
            url_lifetime: vars
                .number("UPLOAD_URL_TTL_SECONDS", 900, "a whole number from 1 to 43200", |n| {
                    (1..=43_200).contains(n)
                })
                .map(Duration::from_secs)?,
        })
    }
}

/// The text, if it is allowed.
fn checked(
    name: &'static str,
    value: String,
    allowed: &'static str,
    is_allowed: impl Fn(&str) -> bool,
) -> Result<String, ConfigError> {
    if is_allowed(&value) { Ok(value) } else { Err(ConfigError::Invalid { name, value, allowed }) }
}

/// The environment, with one method for each kind of value.
struct Variables<'a, F>(&'a F);

impl<F: Fn(&str) -> Option<String>> Variables<'_, F> {
    fn required(&self, name: &'static str, what: &'static str) -> Result<String, ConfigError> {
        (self.0)(name).filter(|value| !value.is_empty()).ok_or(ConfigError::Missing(name, what))
    }

    /// A set but empty variable is an empty text: templates can only set, not leave out.
    fn text(&self, name: &'static str, default: &str) -> String {
        (self.0)(name).unwrap_or_else(|| default.to_owned())
    }

    fn number<T: FromStr + Display>(
        &self,
        name: &'static str,
        default: T,
        allowed: &'static str,
        is_allowed: impl Fn(&T) -> bool,
    ) -> Result<T, ConfigError> {
        let Some(value) = (self.0)(name) else {
            return Ok(default);
        };
        value.parse().ok().filter(is_allowed).ok_or(ConfigError::Invalid { name, value, allowed })
    }

    fn originals_bucket(&self) -> Result<String, ConfigError> {
        self.bucket("ORIGINALS_BUCKET", "the bucket of the photos")
    }

    /// A bucket by its name, as events have it: under another name they would be ignored without end, and one
    /// bucket would be taken for two. Old buckets have names with capitals and underscores (Amazon S3 User Guide,
    /// "General purpose bucket naming rules").
    fn bucket(&self, name: &'static str, what: &'static str) -> Result<String, ConfigError> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        let allowed = "a bucket's name, without s3:// and not an ARN";
        checked(name, self.required(name, what)?, allowed, |value| value.bytes().all(is_allowed))
    }

    fn dead_letter_queue_url(&self) -> Result<String, ConfigError> {
        const NAME: &str = "DEAD_LETTER_QUEUE_URL";
        let value = self.required(NAME, "the URL of the SQS dead-letter queue")?;
        let allowed = "the URL of an SQS queue, which begins with https://, not its name or ARN";
        let is_url = |value: &str| value.starts_with("https://") || value.starts_with("http://");
        checked(NAME, value, allowed, is_url)
    }

    fn originals_prefix(&self) -> String {
        self.text("ORIGINALS_PREFIX", "")
    }

    fn max_photo_bytes(&self) -> Result<u64, ConfigError> {
        let allowed = "a whole number of bytes, at least 1";
        self.number("MAX_PHOTO_BYTES", 104_857_600, allowed, |n| *n >= 1)
    }

    fn cache_control(&self) -> Result<Option<String>, ConfigError> {
        const NAME: &str = "CACHE_CONTROL";
        let allowed = "the text of a header: ASCII letters, digits, signs and spaces";
        let is_allowed = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
        let value =
            checked(NAME, self.text(NAME, ""), allowed, |value| value.bytes().all(is_allowed))?;
        Ok(Some(value).filter(|value| !value.is_empty()))
    }

    fn renditions(&self) -> Result<Vec<RenditionSetting>, ConfigError> {
        let value = self.text("RENDITIONS", "thumbnail: scale=0.25 quality=0.9");
        renditions::parse(&value).map_err(|error| ConfigError::Renditions { value, error })
    }

    fn resampling(&self) -> Result<Resampling, ConfigError> {
        let choices = [("best", Resampling::Best), ("fast", Resampling::Fast)];
        self.choice("RESAMPLING", &choices, "best or fast")
    }

    fn heic(&self) -> Result<HeicPolicy, ConfigError> {
        let choices = [("decode", HeicPolicy::Decode), ("refuse", HeicPolicy::Refuse)];
        self.choice("HEIC", &choices, "decode or refuse")
    }

    fn storage_class(&self) -> Result<OriginalsStorageClass, ConfigError> {
        let choices = [
            ("STANDARD", OriginalsStorageClass::Standard),
            ("INTELLIGENT_TIERING", OriginalsStorageClass::IntelligentTiering),
        ];
        self.choice("ORIGINALS_STORAGE_CLASS", &choices, "STANDARD or INTELLIGENT_TIERING")
    }

    fn delete_with_original(&self) -> Result<bool, ConfigError> {
        self.choice("DELETE_WITH_ORIGINAL", &[("true", true), ("false", false)], "true or false")
    }

    fn location(&self) -> Result<LocationPolicy, ConfigError> {
        let choices = [
            ("exact", LocationPolicy::Exact),
            ("rounded", LocationPolicy::Rounded),
            ("off", LocationPolicy::Off),
        ];
        let allowed = "exact, rounded (two decimals, about 1 km) or off";
        self.choice("LOCATION", &choices, allowed)
    }

    /// One of several words, the first of which is the default.
    fn choice<T: Copy>(
        &self,
        name: &'static str,
        choices: &[(&str, T)],
        allowed: &'static str,
    ) -> Result<T, ConfigError> {
        let value = (self.0)(name).unwrap_or_else(|| choices[0].0.to_owned());
        let choice = choices.iter().find(|(word, _)| *word == value);
        choice.map(|(_, choice)| *choice).ok_or(ConfigError::Invalid { name, value, allowed })
    }
}

#[cfg(test)]
mod tests {
    use photo::Spec;

    use super::*;

    /// The smallest set of variables that is allowed, changed by `changes`.
    fn read(changes: &[(&str, &str)]) -> Result<Config, ConfigError> {
        const REQUIRED: [(&str, &str); 4] = [
            ("ORIGINALS_BUCKET", "photos"),
            ("THUMBNAILS_BUCKET", "thumbnails"),
            ("PHOTOS_TABLE", "photos-table"),
            ("DEAD_LETTER_QUEUE_URL", "https://sqs/1/queue"),
        ];
        Config::read(|name| {
            let mut set = changes.iter().chain(&REQUIRED);
            set.find(|(set_name, _)| *set_name == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn every_setting_has_its_documented_default() {
        let config = read(&[]).unwrap();
        assert_eq!(config.originals_prefix, "");
        assert_eq!(config.thumbnails_prefix, "");
        assert_eq!(config.cache_control, None);
        let place = Place { bucket: "thumbnails".into(), key: "thumbnail/tokyo trip/a.jpg".into() };
        assert_eq!(config.rendition_places("tokyo trip/a.jpg"), [place]);
        let [RenditionSetting { kind: RenditionKind::Made(spec), .. }] = config.renditions[..]
        else {
            panic!("{:?}", config.renditions)
        };
        assert_eq!((spec, config.resampling), (Spec::scaled(0.25, 0.9), Resampling::Best));
        assert_eq!(config.max_photo_bytes, 104_857_600);
        assert_eq!(config.max_photo_pixels, 500_000_000);
        assert_eq!(config.location, LocationPolicy::Exact);
        assert_eq!(config.heic, HeicPolicy::Decode);
        assert_eq!(config.policy(), Policy::default(), "the defaults of the crate");
    }

    #[test]
    fn each_required_variable_is_named_when_missing_or_empty() {
        for name in
            ["ORIGINALS_BUCKET", "THUMBNAILS_BUCKET", "PHOTOS_TABLE", "DEAD_LETTER_QUEUE_URL"]
        {
            let message = read(&[(name, "")]).unwrap_err().to_string();
            assert!(message.starts_with(&format!("{name} is not set")), "{message}");
        }
    }

    #[test]
    fn a_bad_value_stops_the_start_with_its_name_its_value_and_what_is_allowed() {
        for (name, value) in [
            ("ORIGINALS_BUCKET", "s3://photos"),
            ("ORIGINALS_BUCKET", "arn:aws:s3:::photos"),
            ("THUMBNAILS_BUCKET", "photos/small"),
            ("DEAD_LETTER_QUEUE_URL", "letters"),
            ("DEAD_LETTER_QUEUE_URL", "arn:aws:sqs:eu-west-1:1:letters"),
            ("RENDITIONS", ""),
            ("RENDITIONS", "thumbnail"),
            ("RENDITIONS", "thumbnail: scale=a quarter"),
            ("RENDITIONS", "thumbnail: scale=1; grid: fit=400x"),
            ("DELETE_WITH_ORIGINAL", "yes"),
            ("MAX_PHOTO_BYTES", "-1"),
            ("MAX_PHOTO_BYTES", "0"),
            ("MAX_PHOTO_PIXELS", "1e9"),
            ("LOCATION", "Exact"),
            ("RESAMPLING", "lanczos"),
            ("HEIC", "yes"),
            ("CACHE_CONTROL", "max-age=1\nX-Evil: 1"),
        ] {
            let message = read(&[(name, value)]).unwrap_err().to_string();
            assert!(message.starts_with(&format!("{name}={value:?} is not allowed")), "{message}");
            let says_what = message.contains("must be ") || message.contains("expected ");
            assert!(says_what, "{message}");
            assert!(!message.contains('\n'), "{message}");
        }
    }

    #[test]
    fn what_is_set_is_taken_up_to_its_bounds() {
        let config = read(&[
            ("ORIGINALS_BUCKET", "Old_photos.2012"),
            ("DEAD_LETTER_QUEUE_URL", "http://127.0.0.1:4566/1/letters"),
            ("ORIGINALS_PREFIX", "/uploads/"),
            ("THUMBNAILS_PREFIX", "of/"),
            ("CACHE_CONTROL", "no-store"),
            ("RENDITIONS", "small: scale=1 quality=0.01"),
            ("DELETE_WITH_ORIGINAL", "false"),
            ("MAX_PHOTO_BYTES", "1"),
            ("MAX_PHOTO_PIXELS", "2"),
            ("LOCATION", "rounded"),
            ("RESAMPLING", "fast"),
            ("HEIC", "refuse"),
        ])
        .unwrap();
        assert_eq!(config.originals_bucket, "Old_photos.2012");
        assert_eq!(config.dead_letter_queue_url, "http://127.0.0.1:4566/1/letters");
        assert_eq!(config.originals_prefix, "/uploads/");
        assert_eq!(config.rendition_places("a.jpg")[0].key, "of/small/a.jpg");
        assert!(!config.delete_with_original);
        assert_eq!(config.cache_control.as_deref(), Some("no-store"));
        assert_eq!(config.renditions[0].kind, RenditionKind::Made(Spec::scaled(1.0, 0.01)));
        assert_eq!(config.resampling, Resampling::Fast);
        assert_eq!((config.max_photo_bytes, config.max_photo_pixels), (1, 2));
        assert_eq!(config.location, LocationPolicy::Rounded);
        assert_eq!(config.policy().heic, HeicPolicy::Refuse);
        assert_eq!(read(&[("LOCATION", "off")]).unwrap().location, LocationPolicy::Off);
    }

    /// The settings of the upload-url function with these variables beside the required one.
    fn read_upload(changes: &[(&str, &str)]) -> Result<UploadConfig, ConfigError> {
        UploadConfig::read(|name| {
            let mut set = changes.iter().chain(&[("ORIGINALS_BUCKET", "photos")]);
            set.find(|(set_name, _)| *set_name == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn upload_urls_have_the_documented_defaults_and_what_is_set_up_to_its_bounds() {
        let config = read_upload(&[]).unwrap();
        assert_eq!((&*config.originals_bucket, &*config.originals_prefix), ("photos", ""));
        assert_eq!(config.max_photo_bytes, 104_857_600);
        assert_eq!(config.url_lifetime, Duration::from_secs(900));
        assert_eq!(config.heic, HeicPolicy::Decode);
        assert_eq!(read_upload(&[("HEIC", "refuse")]).unwrap().heic, HeicPolicy::Refuse);
        assert_eq!(config.storage_class, OriginalsStorageClass::Standard);
        let set = [("ORIGINALS_STORAGE_CLASS", "INTELLIGENT_TIERING")];
        let storage_class = read_upload(&set).unwrap().storage_class;
        assert_eq!(storage_class, OriginalsStorageClass::IntelligentTiering);
        assert_eq!(config.duplicates_table, None);
        assert_eq!(read_upload(&[("DUPLICATES_TABLE", "")]).unwrap().duplicates_table, None);
        let table = read_upload(&[("DUPLICATES_TABLE", "table")]).unwrap().duplicates_table;
        assert_eq!(table.as_deref(), Some("table"));

        let longest = "p".repeat(200);
        for (seconds, lifetime) in [("1", 1), ("43200", 43_200)] {
            let set = [("ORIGINALS_PREFIX", &*longest), ("UPLOAD_URL_TTL_SECONDS", seconds)];
            let config = read_upload(&set).unwrap();
            assert_eq!(config.originals_prefix, longest);
            assert_eq!(config.url_lifetime, Duration::from_secs(lifetime));
        }
    }

    #[test]
    fn bad_settings_of_upload_urls_stop_the_start() {
        let missing = read_upload(&[("ORIGINALS_BUCKET", "")]).unwrap_err().to_string();
        assert!(missing.starts_with("ORIGINALS_BUCKET is not set"), "{missing}");
        for (name, value) in [
            ("ORIGINALS_BUCKET", "photos/"),
            ("ORIGINALS_PREFIX", &*"é".repeat(101)),
            ("MAX_PHOTO_BYTES", "0"),
            ("HEIC", "no"),
            ("ORIGINALS_STORAGE_CLASS", "GLACIER"),
            ("UPLOAD_URL_TTL_SECONDS", "0"),
            ("UPLOAD_URL_TTL_SECONDS", "43201"),
            ("UPLOAD_URL_TTL_SECONDS", "15m"),
            ("UPLOAD_URL_TTL_SECONDS", ""),
        ] {
            let message = read_upload(&[(name, value)]).unwrap_err().to_string();
            assert!(message.starts_with(&format!("{name}={value:?} is not allowed")), "{message}");
            assert!(message.contains("must be "), "{message}");
        }
    }

    #[test]
    fn a_rendition_is_named_by_its_original_and_its_settings() {
        let refs =
            |changes: &[(&str, &str)], etag| read(changes).unwrap().rendition_refs("a.jpg", etag);
        let default = refs(&[], "abc");
        assert_eq!(default.keys().collect::<Vec<_>>(), ["thumbnail"]);
        assert_eq!(refs(&[("CACHE_CONTROL", "no-store")], "abc"), default);
        assert_ne!(refs(&[], "abd"), default);
        for changed in [
            ("RENDITIONS", "thumbnail: scale=0.5"),
            ("RENDITIONS", "grid: scale=0.25"),
            ("RENDITIONS", "thumbnail: scale=0.25; grid: fit=400"),
            ("RESAMPLING", "fast"),
            ("THUMBNAILS_PREFIX", "new/"),
            ("THUMBNAILS_BUCKET", "new"),
        ] {
            assert_ne!(refs(&[changed], "abc"), default, "{changed:?}");
        }
    }

    #[test]
    fn a_rendition_has_a_key_of_its_own_that_ends_as_its_format_does() {
        let renditions = "thumbnail: scale=0.25; grid: fit=400 format=webp; \
            share: format=original strip=location";
        let config = read(&[("RENDITIONS", renditions), ("THUMBNAILS_PREFIX", "of/")]).unwrap();
        let keys: Vec<String> =
            config.rendition_places("a trip/a.jpg").into_iter().map(|place| place.key).collect();
        let expected =
            ["of/thumbnail/a trip/a.jpg", "of/grid/a trip/a.jpg.webp", "of/share/a trip/a.jpg"];
        assert_eq!(keys, expected);
    }

    #[test]
    fn renditions_that_would_be_originals_again_are_refused() {
        let one_bucket = |originals_prefix, thumbnails_prefix| {
            read(&[
                ("THUMBNAILS_BUCKET", "photos"),
                ("RENDITIONS", "thumbnail: scale=0.25; screen: fit=1600"),
                ("ORIGINALS_PREFIX", originals_prefix),
                ("THUMBNAILS_PREFIX", thumbnails_prefix),
            ])
        };
        for (originals, thumbnails) in [
            ("", ""),
            ("photos/", "photos/small/"),
            ("thumbnail/", ""),
            ("thumb", ""),
            ("a", "a"),
            ("screen/", ""),
        ] {
            let refused = one_bucket(originals, thumbnails);
            assert!(matches!(refused, Err(ConfigError::Loop { .. })), "{originals} {thumbnails}");
        }
        for (originals, thumbnails) in [("photos/", ""), ("photos/", "p"), ("thumbnail/trips/", "")]
        {
            assert!(one_bucket(originals, thumbnails).is_ok(), "{originals} {thumbnails}");
        }
    }
}
