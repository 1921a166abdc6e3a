//! Photos uploaded to S3 become thumbnails and searchable facts, in one AWS Lambda function.
//!
//! One photo takes this line, top to bottom; [`handler`] is the line itself, and that of removals:
//!
//! | step | module | in → out |
//! |---|---|---|
//! | an event arrives | [`event`] | any payload → objects created or removed |
//! | fetch | [`aws`] | bucket, key, ETag → bytes |
//! | facts and header; decode, shrink, turn, encode | the crate [`photo`] | bytes → time, place, camera; JPEG |
//! | store the thumbnail | [`aws`] | JPEG → S3 |
//! | commit the item | [`item`], [`aws`] | facts → DynamoDB |
//!
//! What goes wrong becomes a [`failure::Failure`] whose class says what must happen; a photo that
//! can never have a thumbnail becomes a [`dead_letter::Letter`]. [`config`] is checked before the
//! first photo, [`memory`] shares what the function has, [`abandoned`] knows of pixel work that nobody waits
//! for any more, [`log`] tells what became of each photo.
//!
//! How a photo gets there is the business of a second function: [`upload_url`] answers a request with
//! URLs to which photos can be put.
//!
//! Only [`handler`], [`aws`], [`log`], [`upload_url`] and [`startup`] touch the world; no other module
//! does any I/O.

pub mod abandoned;
pub mod aws;
pub mod config;
pub mod dead_letter;
pub mod event;
pub mod failure;
pub mod handler;
pub mod item;
pub mod log;
pub mod memory;
pub mod startup;
pub mod upload_url;
