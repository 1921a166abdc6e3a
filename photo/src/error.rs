//! Why a photo has no thumbnail.

use thiserror::Error;

/// Why a photo has no thumbnail. None of these but the last is cured by trying again.
///
/// The messages are read by the people who run the system: what is wrong, which limit, what to do.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PhotoError {
    /// The object holds nothing.
    #[error("the photo is empty (0 bytes); upload it again")]
    Empty,

    /// The content is no picture format that is known by name.
    #[error(
        "not a photo: the content is not of a known picture format, whatever its name says ({0})"
    )]
    NotAPhoto(String),

    /// The content is a picture, of a kind that is not decoded.
    #[error("{0} is not supported; upload the photo as JPEG, PNG, WebP, GIF, TIFF or BMP")]
    UnsupportedFormat(String),

    /// The file is cut off.
    #[error("the photo is truncated after {bytes} bytes: {what}; upload it again")]
    Truncated {
        /// Bytes that are there.
        bytes: usize,
        /// What was missing.
        what: String,
    },

    /// The file breaks its format's rules.
    #[error("the photo is damaged: {0}; check the original and upload it again")]
    Corrupt(String),

    /// More bytes than `MAX_PHOTO_BYTES`.
    #[error(
        "the photo has {bytes} bytes, more than the {limit} that MAX_PHOTO_BYTES allows; \
         upload a smaller one or raise MAX_PHOTO_BYTES"
    )]
    TooManyBytes {
        /// Bytes.
        bytes: u64,
        /// Bytes.
        limit: u64,
    },

    /// More pixels than `MAX_PHOTO_PIXELS`.
    #[error(
        "the photo has {width}x{height} = {} pixels, more than the {limit} that MAX_PHOTO_PIXELS allows; \
         upload a smaller one or raise MAX_PHOTO_PIXELS",
        u64::from(*width) * u64::from(*height)
    )]
    TooManyPixels {
        /// Pixels, as stored.
        width: u32,
        /// Pixels, as stored.
        height: u32,
        /// Pixels.
        limit: u64,
    },

    /// More memory than the function has.
    #[error(
        "the photo takes more memory than the function's {has_mb} MB; \
         give the function {needs_mb} MB or upload a smaller photo"
    )]
    TooLittleMemory {
        /// The function's memory size, in MB of 1024 KB as Lambda counts them.
        has_mb: u64,
        /// The memory size that would do, in the same MB.
        needs_mb: u64,
    },

    /// A decoder panicked; the process and the other photos go on.
    #[error("the decoder gave up on this photo ({0}); please report it with the photo")]
    DecoderPanic(String),

    /// Nobody waits for the thumbnail any more.
    #[error("the work on the photo was given up")]
    Cancelled,
}

impl PhotoError {
    /// Compares a photo's size with `MAX_PHOTO_BYTES`.
    ///
    /// # Errors
    /// [`PhotoError::TooManyBytes`] if it is larger.
    pub fn too_many_bytes(bytes: u64, limit: u64) -> Result<(), PhotoError> {
        if bytes > limit { Err(PhotoError::TooManyBytes { bytes, limit }) } else { Ok(()) }
    }

    /// The name of the failure in items, dead letters and logs: a stable identifier.
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
