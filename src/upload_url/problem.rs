//! The reasons of a refused request, in the form of RFC 9457.

use serde::Serialize;

/// A refusal. Its members are those of RFC 9457, and `errors` those of its example in section 3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Problem {
    /// HTTP status, with its phrase as the title: the problem has no other type.
    pub(super) status: u16,
    title: &'static str,
    /// Explanation for people.
    detail: String,
    /// What is wrong with which part of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Flaw>,
}

/// What is wrong with a part of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Flaw {
    /// Place of the part: a JSON pointer (RFC 6901 section 6), such as `#/files/3/contentType`.
    pub(super) pointer: String,
    /// Explanation for people of what is allowed.
    pub(super) detail: String,
}

impl Problem {
    pub(super) fn bad_request(detail: impl Into<String>) -> Problem {
        Problem { status: 400, title: "Bad Request", detail: detail.into(), errors: vec![] }
    }

    /// A request with flaws. No part of it is done.
    pub(super) fn flawed(errors: Vec<Flaw>) -> Problem {
        let detail = "the request is not allowed, see errors; no URL was issued";
        Problem { errors, ..Problem::bad_request(detail) }
    }

    pub(super) fn method_not_allowed() -> Problem {
        let detail = "upload URLs are requested by POST".to_owned();
        Problem { status: 405, title: "Method Not Allowed", detail, errors: vec![] }
    }

    pub(super) fn too_large(limit: usize) -> Problem {
        let detail = format!("the body has more than {limit} bytes");
        Problem { status: 413, title: "Content Too Large", detail, errors: vec![] }
    }

    /// A call to S3 that failed, and may succeed if it is made again.
    pub(super) fn unavailable(detail: String) -> Problem {
        Problem { status: 503, title: "Service Unavailable", detail, errors: vec![] }
    }

    /// Places of the flaws, for logs: they contain nothing that the caller wrote.
    pub(super) fn pointers(&self) -> Option<String> {
        let pointers: Vec<&str> = self.errors.iter().map(|flaw| &*flaw.pointer).collect();
        (!pointers.is_empty()).then(|| pointers.join(" "))
    }
}
