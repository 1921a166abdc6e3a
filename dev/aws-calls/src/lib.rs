//! What the tools and the tests share of their calls to AWS: the signature under a request that no SDK
//! makes, and AWS's answers for people.

pub mod answers;
pub mod signature;
