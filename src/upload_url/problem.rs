//! Why a request is refused, as RFC 9457 has it.

use serde::Serialize;

/// A refusal. Its members are those of RFC 9457, and `errors` those of its example in section 3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Problem {
    /// The HTTP status, and the phrase that belongs to it: the problem has no other type.
    pub(super) status: u16,
    title: &'static str,
    /// For people.
    detail: String,
    /// What is wrong with which part of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Flaw>,
}

/// What is wrong with a part of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Flaw {
    /// Where: a JSON pointer (RFC 6901 section 6), such as `#/files/3/contentType`.
    pub(super) pointer: String,
    /// For people: what is allowed.
    pub(super) detail: String,
}

impl Problem {
    pub(super) fn bad_request(detail: impl Into<String>) -> Problem {
        Problem { status: 400, title: "Bad Request", detail: detail.into(), errors: vec![] }
    }

    /// None of the request is done if any part of it has a flaw.
    pub(super) fn flawed(errors: Vec<Flaw>) -> Problem {
        let detail = "the request is not allowed, see errors; no URL was issued";
        Problem { errors, ..Problem::bad_request(detail) }
    }

    pub(super) fn method_not_allowed() -> Problem {
        let detail = "upload URLs are asked for by POST".to_owned();
        Problem { status: 405, title: "Method Not Allowed", detail, errors: vec![] }
    }

    pub(super) fn too_large(limit: usize) -> Problem {
        let detail = format!("the body has more than {limit} bytes");
        Problem { status: 413, title: "Content Too Large", detail, errors: vec![] }
    }

    /// Where the flaws are: for logs, as it is nothing that the caller wrote.
    pub(super) fn pointers(&self) -> Option<String> {
        let pointers: Vec<&str> = self.errors.iter().map(|flaw| &*flaw.pointer).collect();
        (!pointers.is_empty()).then(|| pointers.join(" "))
    }
}
