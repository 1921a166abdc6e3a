//! Helpers for calls to AWS, which the tools and the tests share: signatures of requests that no SDK makes,
//! and readable answers.

pub mod answers;
pub mod signature;
