//! The built functions in the local AWS: real events, real photos, real bytes on the wire.
//!
//! `make test` starts the local AWS and runs these; each test deploys template.yaml as a stack of
//! its own, so they share nothing.

#![cfg(test)]

mod backfill;
mod caller;
mod crossings;
mod deadlines;
mod delivery_queue;
mod existing_bucket;
mod failures;
mod hostile;
mod instances;
mod kills;
mod lambda;
mod notices;
mod orders;
mod photos;
mod plain_template;
mod queries;
mod redrive;
mod removals;
mod renditions;
mod samples;
#[path = "../common/service.rs"]
mod service;
mod stack;
mod streams;
mod upload_urls;
mod uploads;
