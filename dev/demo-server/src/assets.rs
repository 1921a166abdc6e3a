//! The files of the page, which are parts of the program.

macro_rules! files {
    ($($path:literal: $file:literal,)*) => {
        &[$(($path, include_str!(concat!("../page/", $file))),)*]
    };
}

const FILES: &[(&str, &str)] = files! {
    "/": "page.html",
    "/page.css": "page.css",
    "/page.js": "page.js",
    "/advice.js": "advice.js",
    "/album.js": "album.js",
    "/dom.js": "dom.js",
    "/facts.js": "facts.js",
    "/lightbox.js": "lightbox.js",
    "/live.js": "live.js",
    "/map.js": "map.js",
    "/picture.js": "picture.js",
    "/placeholder.js": "placeholder.js",
    "/server.js": "server.js",
    "/transfer.js": "transfer.js",
    "/upload.js": "../../../clients/upload/dist/upload.js", // as its package has it
    "/uploads.js": "uploads.js",
};

/// The media type and the text of a file, if there is one under this path.
pub fn find(path: &str) -> Option<(&'static str, &'static str)> {
    let (path, text) = FILES.iter().find(|(known, _)| *known == path)?;
    Some((media_type(path), text))
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.') {
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "js")) => "text/javascript; charset=utf-8",
        _ => "text/html; charset=utf-8",
    }
}

/// What the page may load, by the server's own word: nothing but its own files, and photos from and to S3.
pub fn content_security_policy(s3: &str) -> String {
    format!(
        "default-src 'self'; img-src 'self' data: {s3}; connect-src 'self' {s3}; object-src 'none'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> &'static str {
        find("/").unwrap().1
    }

    #[test]
    fn every_file_that_another_one_names_is_served() {
        let mut named = 0;
        for (path, text) in FILES {
            for (before, after) in
                [("from \"./", "\""), ("from \"/", "\""), ("href=\"/", "\""), ("src=\"/", "\"")]
            {
                for rest in text.split(before).skip(1) {
                    let name = rest.split_once(after).unwrap().0;
                    assert!(find(&format!("/{name}")).is_some(), "{path} names {name}");
                    named += 1;
                }
            }
        }
        assert!(named >= FILES.len() - 1, "{named}");
    }

    #[test]
    fn a_heic_can_be_chosen_whether_or_not_the_browser_knows_its_type() {
        let (_, rest) = page().split_once("accept=\"").unwrap();
        let accepted: Vec<&str> = rest.split_once('"').unwrap().0.split(',').collect();
        for kind in ["image/*", "image/heic", "image/heif", ".heic", ".heif", ".hif"] {
            assert!(accepted.contains(&kind), "{kind} is not among {accepted:?}");
        }
    }

    #[test]
    fn the_page_needs_no_exception_from_its_policy() {
        let policy = content_security_policy("https://*.s3.eu-central-1.amazonaws.com");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(
            !page().contains("style=") && !page().contains("<style"),
            "styles stand in page.css"
        );
        let scripts: Vec<&str> = page().split("<script").skip(1).collect();
        assert!(
            scripts.iter().all(|script| script.contains("></script>")),
            "scripts stand in files"
        );
    }
}
