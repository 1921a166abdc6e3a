//! What the test is told on its command line.

use std::ffi::OsString;
use std::fmt::{self, Display};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::ArgPredicate;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};
use serde::Serialize;

const AFTER_HELP: &str = "\
It runs against the AWS of the standard variables and files (AWS_ENDPOINT_URL for a local one,
AWS_REGION, AWS_PROFILE, ...). The names of buckets, table and queue are those in the function's
configuration. The photos stay below load/ in the originals bucket; deleting them removes their
thumbnails and items too.

Ctrl-C ends the uploads and reports what was measured until then; a second one ends at once.

Exit codes: 0 if every photo is READY and right; 1 if one is not, or the test cannot go on;
2 for options that are not allowed; 130 if it was interrupted.";

/// Uploads batches of photos to a deployed stack, and reports how long each photo takes,
/// what that costs, and whether anything is lost.
#[derive(Debug, Parser)]
#[command(name = "load-test", verbatim_doc_comment, after_help = AFTER_HELP)]
pub struct Options {
    /// The stack's name.
    #[arg(long, value_name = "NAME", default_value = "photos")]
    pub stack: String,

    /// How many batches are uploaded.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = at_least_one)]
    pub batches: usize,

    /// How many photos a batch has.
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = at_least_one)]
    pub batch_size: usize,

    /// Photos to upload: the first of this folder by their names,
    /// over and over if there are fewer than a batch has.
    /// Without it distinct ones of 5323x8000 pixels are made.
    #[arg(long, value_name = "DIR", verbatim_doc_comment)]
    pub photos: Option<PathBuf>,

    /// When photos are uploaded: all of a batch at once, and the
    /// next batch when these are done; or one after another.
    #[arg(
        long,
        verbatim_doc_comment,
        value_enum,
        default_value_t = Arrival::Burst,
        default_value_if("rate", ArgPredicate::IsPresent, "steady")
    )]
    pub arrival: Arrival,

    /// Photos a second of a steady arrival.
    #[arg(
        long,
        value_name = "PHOTOS_PER_SECOND",
        value_parser = above_zero,
        required_if_eq("arrival", "steady")
    )]
    pub rate: Option<f64>,

    /// How photos get into the bucket: by URLs of the upload-url
    /// function, as from clients, or by PutObject.
    #[arg(long, value_enum, default_value_t = Way::Presigned, verbatim_doc_comment)]
    pub upload: Way,

    /// How long an upload may take, and how long the photo may
    /// take from then until it is READY: later, it is lost.
    #[arg(
        long,
        verbatim_doc_comment,
        value_name = "SECONDS",
        default_value_t = 120,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub timeout: u64,

    /// Where load.json, load.html and made photos are written.
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
            let message = "a burst has no --rate: leave one of --arrival burst and --rate out";
            return Err(Options::command().error(ErrorKind::ArgumentConflict, message));
        }
        Ok(options)
    }

    /// Of each upload, and of the wait for READY behind it.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    /// From one photo of a steady arrival to the next; none of a burst.
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
