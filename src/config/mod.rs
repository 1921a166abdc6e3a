//! The functions' settings, read from their environment once and checked before the first photo.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use photo::{LocationPolicy, Resampling, Spec};
use thiserror::Error;

/// Every setting of the thumbnail function. The README lists them with their meaning.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `ORIGINALS_BUCKET`, required: events about any other bucket are ignored.
    pub originals_bucket: String,
    /// `ORIGINALS_PREFIX`, empty: only keys that begin with it are photos.
    pub originals_prefix: String,
    /// `THUMBNAILS_BUCKET`, required.
    pub thumbnails_bucket: String,
    /// `THUMBNAILS_PREFIX`, `thumbnail/`: what stands before the photo's key in its thumbnail's key.
    pub thumbnails_prefix: String,
    /// `THUMBNAIL_CACHE_CONTROL`, empty: the thumbnails' Cache-Control header, none if empty.
    pub cache_control: Option<String>,
    /// `PHOTOS_TABLE`, required: DynamoDB table name.
    pub photos_table: String,
    /// `DEAD_LETTER_QUEUE_URL`, required: SQS queue URL.
    pub dead_letter_queue_url: String,
    /// `THUMBNAIL_SCALE`, 0.25, `THUMBNAIL_QUALITY`, 0.9, and `RESAMPLING`, `best`.
    pub thumbnail: Spec,
    /// `MAX_PHOTO_BYTES`, 104857600: larger originals are refused before they are downloaded.
    pub max_photo_bytes: u64,
    /// `MAX_PHOTO_PIXELS`, 500000000: larger pictures are refused before they are decoded.
    pub max_photo_pixels: u64,
    /// `LOCATION`, `exact`: what of the place goes into the item.
    pub location: LocationPolicy,
    /// `DELETE_WITH_ORIGINAL`: whether what was made of a photo goes with it.
    pub delete_with_original: bool,
    /// `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`, which Lambda sets: the function's memory in MB; outside of
    /// Lambda there is no limit.
    pub memory_mb: u64,
}

/// Every setting of the upload-url function. The README lists them with their meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadConfig {
    /// `ORIGINALS_BUCKET`, required: where photos are uploaded to.
    pub originals_bucket: String,
    /// `ORIGINALS_PREFIX`, empty, at most 200 bytes: what every photo's key begins with.
    pub originals_prefix: String,
    /// `MAX_PHOTO_BYTES`, 104857600: larger photos get no URL.
    pub max_photo_bytes: u64,
    /// `UPLOAD_URL_TTL_SECONDS`, 900: how long a URL can be used.
    pub url_lifetime: Duration,
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
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// Each thumbnail would itself be taken for a photo, without end.
    #[error(
        "THUMBNAILS_BUCKET={bucket:?} with THUMBNAILS_PREFIX={thumbnails_prefix:?} is not allowed: \
         thumbnails would be originals again, as ORIGINALS_BUCKET is the same bucket and their keys \
         begin with ORIGINALS_PREFIX={originals_prefix:?}; use another bucket or prefix"
    )]
    Loop {
        /// The one bucket.
        bucket: String,
        /// Its prefix for thumbnails.
        thumbnails_prefix: String,
        /// Its prefix for originals.
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
            thumbnails_bucket: vars
                .required("THUMBNAILS_BUCKET", "the bucket of the thumbnails")?,
            thumbnails_prefix: vars.text("THUMBNAILS_PREFIX", "thumbnail/"),
            cache_control: vars.cache_control()?,
            photos_table: vars.required("PHOTOS_TABLE", "the name of the DynamoDB table")?,
            dead_letter_queue_url: vars
                .required("DEAD_LETTER_QUEUE_URL", "the URL of the SQS dead-letter queue")?,
            thumbnail: Spec {
                scale: vars.number(
                    "THUMBNAIL_SCALE",
                    0.25,
                    "a number greater than 0, at most 1",
                    |n| *n > 0.0 && *n <= 1.0,
                )?,
                quality: vars.number("THUMBNAIL_QUALITY", 0.9, "a number from 0.01 to 1", |n| {
                    (0.01..=1.0).contains(n)
                })?,
                resampling: vars.resampling()?,
            },
            max_photo_bytes: vars.max_photo_bytes()?,
            max_photo_pixels: vars.number(
                "MAX_PHOTO_PIXELS",
                500_000_000,
                "a whole number of pixels, 1 to 1000000000000",
                |n| (1..=1_000_000_000_000).contains(n),
            )?,
            location: vars.location()?,
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

    /// The key of a photo's thumbnail.
    pub fn thumbnail_key(&self, photo_key: &str) -> String {
        format!("{}{photo_key}", self.thumbnails_prefix)
    }

    /// Refuses settings under which every thumbnail is an original: a bucket that feeds itself is
    /// the most expensive mistake one can make with S3 events.
    fn refuse_loop(&self) -> Result<(), ConfigError> {
        let same_bucket = self.originals_bucket == self.thumbnails_bucket;
        let first_thumbnail = self.thumbnail_key(&self.originals_prefix);
        if same_bucket && first_thumbnail.starts_with(&self.originals_prefix) {
            return Err(ConfigError::Loop {
                bucket: self.thumbnails_bucket.clone(),
                thumbnails_prefix: self.thumbnails_prefix.clone(),
                originals_prefix: self.originals_prefix.clone(),
            });
        }
        Ok(())
    }
}

impl UploadConfig {
    /// The longest prefix: an album of 512 bytes, an id and an extension come behind it, a prefix of
    /// the thumbnail's may come before it, and S3's keys have at most 1024 bytes.
    const MAX_PREFIX_BYTES: usize = 200;

    /// Reads the settings through `variable`, which gives an environment variable's value.
    ///
    /// # Errors
    /// The first setting that is missing or not allowed.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<UploadConfig, ConfigError> {
        let vars = Variables(&variable);
        let originals_prefix = vars.originals_prefix();
        if originals_prefix.len() > Self::MAX_PREFIX_BYTES {
            return Err(ConfigError::Invalid {
                name: "ORIGINALS_PREFIX",
                value: originals_prefix,
                allowed: "a text of at most 200 bytes",
            });
        }
        Ok(UploadConfig {
            originals_bucket: vars.originals_bucket()?,
            originals_prefix,
            max_photo_bytes: vars.max_photo_bytes()?,
            // A role's credentials live for 12 hours at most, and what they signed no longer than they.
            url_lifetime: vars
                .number("UPLOAD_URL_TTL_SECONDS", 900, "a whole number from 1 to 43200", |n| {
                    (1..=43_200).contains(n)
                })
                .map(Duration::from_secs)?,
        })
    }
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
        self.required("ORIGINALS_BUCKET", "the bucket of the photos")
    }

    fn originals_prefix(&self) -> String {
        self.text("ORIGINALS_PREFIX", "")
    }

    fn max_photo_bytes(&self) -> Result<u64, ConfigError> {
        let allowed = "a whole number of bytes, at least 1";
        self.number("MAX_PHOTO_BYTES", 104_857_600, allowed, |n| *n >= 1)
    }

    fn cache_control(&self) -> Result<Option<String>, ConfigError> {
        const NAME: &str = "THUMBNAIL_CACHE_CONTROL";
        let value = self.text(NAME, "");
        if !value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            let allowed = "the text of a header: ASCII letters, digits, signs and spaces";
            return Err(ConfigError::Invalid { name: NAME, value, allowed });
        }
        Ok(Some(value).filter(|value| !value.is_empty()))
    }

    fn resampling(&self) -> Result<Resampling, ConfigError> {
        let value = self.text("RESAMPLING", "best");
        match value.as_str() {
            "best" => Ok(Resampling::Best),
            "fast" => Ok(Resampling::Fast),
            _ => Err(ConfigError::Invalid { name: "RESAMPLING", value, allowed: "best or fast" }),
        }
    }

    fn delete_with_original(&self) -> Result<bool, ConfigError> {
        const NAME: &str = "DELETE_WITH_ORIGINAL";
        let value = self.text(NAME, "true");
        value.parse().map_err(|_| ConfigError::Invalid {
            name: NAME,
            value,
            allowed: "true or false",
        })
    }

    fn location(&self) -> Result<LocationPolicy, ConfigError> {
        let value = self.text("LOCATION", "exact");
        match value.as_str() {
            "exact" => Ok(LocationPolicy::Exact),
            "rounded" => Ok(LocationPolicy::Rounded),
            "off" => Ok(LocationPolicy::Off),
            _ => Err(ConfigError::Invalid {
                name: "LOCATION",
                value,
                allowed: "exact, rounded (two decimals, about 1 km) or off",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
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
    fn the_defaults_are_those_of_the_readme() {
        let config = read(&[]).unwrap();
        assert_eq!(config.originals_prefix, "");
        assert_eq!(config.thumbnails_prefix, "thumbnail/");
        assert_eq!(config.cache_control, None);
        assert_eq!((config.thumbnail.scale, config.thumbnail.quality), (0.25, 0.9));
        assert_eq!(config.thumbnail.resampling, Resampling::Best);
        assert_eq!(config.max_photo_bytes, 104_857_600);
        assert_eq!(config.max_photo_pixels, 500_000_000);
        assert_eq!(config.location, LocationPolicy::Exact);
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
            ("THUMBNAIL_SCALE", "0"),
            ("THUMBNAIL_SCALE", "1.01"),
            ("THUMBNAIL_SCALE", "NaN"),
            ("THUMBNAIL_SCALE", "a quarter"),
            ("THUMBNAIL_SCALE", ""),
            ("THUMBNAIL_QUALITY", "0"),
            ("THUMBNAIL_QUALITY", "0.009"),
            ("THUMBNAIL_QUALITY", "90"),
            ("MAX_PHOTO_BYTES", "-1"),
            ("MAX_PHOTO_BYTES", "0"),
            ("MAX_PHOTO_PIXELS", "1e9"),
            ("LOCATION", "Exact"),
            ("RESAMPLING", "lanczos"),
            ("THUMBNAIL_CACHE_CONTROL", "max-age=1\nX-Evil: 1"),
        ] {
            let message = read(&[(name, value)]).unwrap_err().to_string();
            assert!(message.starts_with(&format!("{name}={value:?} is not allowed")), "{message}");
            assert!(message.contains("must be "), "{message}");
            assert!(!message.contains('\n'), "{message}");
        }
    }

    #[test]
    fn what_is_set_is_taken_up_to_its_bounds() {
        let config = read(&[
            ("ORIGINALS_PREFIX", "/uploads/"),
            ("THUMBNAILS_PREFIX", ""),
            ("THUMBNAIL_CACHE_CONTROL", "no-store"),
            ("THUMBNAIL_SCALE", "1"),
            ("THUMBNAIL_QUALITY", "0.01"),
            ("MAX_PHOTO_BYTES", "1"),
            ("MAX_PHOTO_PIXELS", "2"),
            ("LOCATION", "rounded"),
            ("RESAMPLING", "fast"),
        ])
        .unwrap();
        assert_eq!(config.originals_prefix, "/uploads/");
        assert_eq!(config.thumbnail_key("a.jpg"), "a.jpg");
        assert_eq!(config.cache_control.as_deref(), Some("no-store"));
        assert_eq!((config.thumbnail.scale, config.thumbnail.quality), (1.0, 0.01));
        assert_eq!(config.thumbnail.resampling, Resampling::Fast);
        assert_eq!((config.max_photo_bytes, config.max_photo_pixels), (1, 2));
        assert_eq!(config.location, LocationPolicy::Rounded);
        assert_eq!(read(&[("THUMBNAIL_QUALITY", "1")]).unwrap().thumbnail.quality, 1.0);
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
    fn upload_urls_have_the_defaults_of_the_readme_and_what_is_set_up_to_its_bounds() {
        let config = read_upload(&[]).unwrap();
        assert_eq!((&*config.originals_bucket, &*config.originals_prefix), ("photos", ""));
        assert_eq!(config.max_photo_bytes, 104_857_600);
        assert_eq!(config.url_lifetime, Duration::from_secs(900));

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
            ("ORIGINALS_PREFIX", &*"é".repeat(101)),
            ("MAX_PHOTO_BYTES", "0"),
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
    fn thumbnails_that_would_be_originals_again_are_refused() {
        let one_bucket = |originals_prefix, thumbnails_prefix| {
            read(&[
                ("THUMBNAILS_BUCKET", "photos"),
                ("ORIGINALS_PREFIX", originals_prefix),
                ("THUMBNAILS_PREFIX", thumbnails_prefix),
            ])
        };
        for (originals, thumbnails) in
            [("", "thumbnail/"), ("photos/", "photos/small/"), ("photos/", ""), ("a", "a")]
        {
            let refused = one_bucket(originals, thumbnails);
            assert!(matches!(refused, Err(ConfigError::Loop { .. })), "{originals} {thumbnails}");
        }
        for (originals, thumbnails) in [("photos/", "thumbnail/"), ("photos/", "p")] {
            assert!(one_bucket(originals, thumbnails).is_ok(), "{originals} {thumbnails}");
        }
    }
}
