//! Options of the command line.

use std::ffi::OsString;
use std::fmt::{self, Display};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::ArgPredicate;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};
use serde::Serialize;

const AFTER_HELP: &str = "\
Region, credentials and endpoint come from the standard AWS variables and files (AWS_REGION,
AWS_PROFILE, AWS_ENDPOINT_URL, ...), the names of buckets, table and queue from the function's
configuration. The photos stay below load/ in the originals bucket. Delete them to remove their
thumbnails and items too.

Ctrl-C ends the uploads and reports on the photos uploaded so far; a second Ctrl-C ends the test
at once.

Exit codes: 0 if every photo is READY and correct; 1 if one is not, or the test failed; 2 if the
options are invalid; 130 if the test was interrupted.";

/// Uploads batches of photos to a deployed stack, and reports how long each photo takes,
/// what that costs, and whether anything is lost.
#[derive(Debug, Parser)]
#[command(name = "load-test", verbatim_doc_comment, after_help = AFTER_HELP)]
pub struct Options {
    /// Name of the stack.
    #[arg(long, value_name = "NAME", default_value = "photos")]
    pub stack: String,

    /// Number of batches.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = at_least_one)]
    pub batches: usize,

    /// Photos per batch.
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = at_least_one)]
    pub batch_size: usize,

    /// Folder of the photos to upload: its first ones by name,
    /// repeated if a batch needs more. Without this option, the
    /// test makes distinct photos of 5323x8000 pixels.
    #[arg(long, value_name = "DIR", verbatim_doc_comment)]
    pub photos: Option<PathBuf>,

    /// burst: all photos of a batch at once, and the next batch
    /// when they are done; steady: one photo after another.
    #[arg(
        long,
        verbatim_doc_comment,
        value_enum,
        default_value_t = Arrival::Burst,
        default_value_if("rate", ArgPredicate::IsPresent, "steady")
    )]
    pub arrival: Arrival,

    /// Photos per second of a steady arrival.
    #[arg(
        long,
        value_name = "PHOTOS_PER_SECOND",
        value_parser = above_zero,
        required_if_eq("arrival", "steady")
    )]
    pub rate: Option<f64>,

    /// presigned: by URLs of the upload-url function, as clients
    /// upload; direct: by PutObject.
    #[arg(long, value_enum, default_value_t = Way::Presigned, verbatim_doc_comment)]
    pub upload: Way,

    /// Longest time of an upload, and from then until the photo
    /// is READY. A photo that takes longer counts as lost.
    #[arg(
        long,
        verbatim_doc_comment,
        value_name = "SECONDS",
        default_value_t = 120,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub timeout: u64,

    /// Folder for load.json, load.html and the photos that are made.
    #[arg(long, value_name = "DIR", default_value = "target/load")]
    pub out: PathBuf,
}

/// When photos are uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Arrival {
    Burst,
    Steady,
}

/// How photos get into the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    Presigned,
    Direct,
}

impl Options {
    /// The options in these arguments, of which the first is the program's name.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Options, clap::Error> {
        let options = Options::try_parse_from(arguments)?;
        if options.arrival == Arrival::Burst && options.rate.is_some() {
            let message = "a burst has no rate: leave out --rate or --arrival burst";
            return Err(Options::command().error(ErrorKind::ArgumentConflict, message));
        }
        Ok(options)
    }

    /// Longest time of each upload, and of the wait for READY after it.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    /// Pause between two photos of a steady arrival; none for a burst.
    pub fn spacing(&self) -> Option<Duration> {
        match self.arrival {
            Arrival::Burst => None,
            Arrival::Steady => self.rate.map(|rate| Duration::from_secs_f64(1.0 / rate)),
        }
    }
}

impl Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Way::Presigned => "presigned",
            Way::Direct => "direct",
        })
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..) => Ok(number),
        _ => Err("it must be a whole number, at least 1".to_owned()),
    }
}

fn above_zero(text: &str) -> Result<f64, String> {
    match text.parse() {
        // The longest pause between two photos is a quarter of an hour.
        Ok(number) if (0.001..=10_000.0).contains(&number) => Ok(number),
        _ => Err("it must be a number from 0.001 to 10000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Options, clap::Error> {
        Options::read([&["load-test"], arguments].concat().into_iter().map(OsString::from))
    }

    #[test]
    fn a_rate_is_a_steady_arrival_and_the_other_way_round() {
        assert_eq!(read(&[]).unwrap().spacing(), None);
        let pause = Some(Duration::from_millis(250));
        assert_eq!(read(&["--rate", "4"]).unwrap().spacing(), pause);
        assert_eq!(read(&["--rate", "4", "--arrival", "steady"]).unwrap().spacing(), pause);
        assert!(read(&["--arrival", "steady"]).is_err());
        assert!(read(&["--arrival", "burst", "--rate", "4"]).is_err());
    }

    #[test]
    fn nothing_is_uploaded_that_is_no_load() {
        for arguments in
            [["--batches", "0"], ["--batch-size", "0"], ["--rate", "0"], ["--rate", "NaN"]]
        {
            assert!(read(&arguments).is_err(), "{arguments:?}");
        }
    }
}
