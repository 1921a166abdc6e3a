//! The reasons why a photo has no thumbnail.

use thiserror::Error;

/// The reason why a photo has no thumbnail. Trying again helps only after [`PhotoError::Cancelled`].
///
/// The messages are for the people who run the system: they say what is wrong, which limit applies, and
/// what to do.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PhotoError {
    /// The file is empty.
    #[error("the photo is empty (0 bytes); upload it again")]
    Empty,

    /// The content is not of a known picture format.
    #[error(
        "not a photo: the content is not of a known picture format, whatever its name says ({0})"
    )]
    NotAPhoto(String),

    /// The content is a picture of a kind that is not decoded.
    #[error("{0} is not supported; upload the photo as JPEG, PNG, WebP, GIF, TIFF or BMP")]
    UnsupportedFormat(String),

    /// The file is cut off.
    #[error(
        "the photo is truncated after {bytes} bytes: {what}; check the original and upload it again"
    )]
    Truncated {
        /// The file's length in bytes.
        bytes: usize,
        /// The part that is missing.
        what: String,
    },

    /// The file breaks the rules of its format.
    #[error("the photo is damaged: {0}; check the original and upload it again")]
    Corrupt(String),

    /// The file has more bytes than `MAX_PHOTO_BYTES` allows.
    #[error(
        "the photo has {bytes} bytes, more than the {limit} that MAX_PHOTO_BYTES allows; \
         upload a smaller one or raise MAX_PHOTO_BYTES"
    )]
    TooManyBytes {
        /// The file's length in bytes.
        bytes: u64,
        /// The most bytes allowed.
        limit: u64,
    },

    /// The picture has more pixels than `MAX_PHOTO_PIXELS` allows.
    #[error(
        "the photo has {width}x{height} = {} pixels, more than the {limit} that MAX_PHOTO_PIXELS allows; \
         upload a smaller one or raise MAX_PHOTO_PIXELS",
        u64::from(*width) * u64::from(*height)
    )]
    TooManyPixels {
        /// Width in pixels, as stored.
        width: u32,
        /// Height in pixels, as stored.
        height: u32,
        /// The most pixels allowed.
        limit: u64,
    },

    /// The photo needs more memory than the function has.
    #[error(
        "the photo needs more memory than the function's {has_mb} MB; \
         give the function {needs_mb} MB or upload a smaller photo"
    )]
    TooLittleMemory {
        /// The function's memory size, in MB of 1024 KB as Lambda counts it.
        has_mb: u64,
        /// The memory size that would be enough, in the same MB.
        needs_mb: u64,
    },

    /// A decoder panicked. The process and its other photos go on.
    #[error("the decoder panicked on this photo ({0}); please report it with the photo")]
    DecoderPanic(String),

    /// The [`CancelFlag`](crate::CancelFlag) was raised.
    #[error("the work on the photo was cancelled")]
    Cancelled,
}

impl PhotoError {
    /// Checks a photo's length in bytes against `MAX_PHOTO_BYTES`.
    ///
    /// # Errors
    /// [`PhotoError::TooManyBytes`] if it is larger.
    pub fn too_many_bytes(bytes: u64, limit: u64) -> Result<(), PhotoError> {
        if bytes > limit { Err(PhotoError::TooManyBytes { bytes, limit }) } else { Ok(()) }
    }

    /// The failure of a photo of so many bytes that lacks a part of its pixels.
    pub(crate) fn image_data_is_missing(bytes: usize) -> PhotoError {
        PhotoError::Truncated { bytes, what: "image data is missing".into() }
    }

    /// The failure's name in items, dead letters and logs, which never changes.
    pub fn name(&self) -> &'static str {
        match self {
            PhotoError::Empty => "EmptyPhoto",
            PhotoError::NotAPhoto(_) => "NotAPhoto",
            PhotoError::UnsupportedFormat(_) => "UnsupportedFormat",
            PhotoError::Truncated { .. } => "TruncatedPhoto",
            PhotoError::Corrupt(_) => "CorruptPhoto",
            PhotoError::TooManyBytes { .. } => "TooManyBytes",
            PhotoError::TooManyPixels { .. } => "TooManyPixels",
            PhotoError::TooLittleMemory { .. } => "TooLittleMemory",
            PhotoError::DecoderPanic(_) => "DecoderPanic",
            PhotoError::Cancelled => "Cancelled",
        }
    }
}
