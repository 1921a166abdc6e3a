//! Photos uploaded to S3 become thumbnails and searchable facts, in one AWS Lambda function.
//!
//! The line of one photo is [`pipeline`]; [`handler`] brings the photos of an event there and gives the
//! answer back.
//!
//! | module | takes → gives |
//! |---|---|
//! | [`event`] | any payload → notices about objects; what became of them → the sender's answer |
//! | [`handler`] | an invocation → the work on each of its objects, in time |
//! | [`pipeline`] | a notice → renditions, item and a [`disposition`] |
//! | the crate [`photo`] | bytes → time, place, camera; a JPEG |
//! | [`item`] | what is known of a photo → the item and its write; the rules for crossing events |
//! | [`dead_letter`] | a rejected event → the message that keeps it |
//! | [`aws`] | the calls to S3, DynamoDB and SQS, and what their answers mean |
//! | [`telemetry`] | the steps of a photo → its log line and metrics |
//! | [`process`] | the invocations of a process, one after another or several at a time |
//! | [`config`], [`startup`] | the environment → checked settings, or a line that says what is wrong |
//!
//! A second function tells clients where to upload photos: [`upload_url`] answers a request with URLs to
//! which photos can be put.
//!
//! Only [`handler`], [`pipeline`], [`aws`], [`telemetry`], [`upload_url`], [`process`] and [`startup`] touch the world;
//! no other module does any I/O.

pub mod aws;
pub mod call_error;
pub mod config;
pub mod dead_letter;
pub mod disposition;
pub mod event;
pub mod handler;
pub mod item;
pub mod pipeline;
pub mod process;
pub mod startup;
pub mod telemetry;
pub mod upload_url;
