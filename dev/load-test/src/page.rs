//! The report as one page of HTML, which loads nothing else.

use serde_json::Value;

const PAGE: &str = include_str!("page.html");
/// Placeholder of the report in the page.
const PLACE: &str = "\"the report\"";

/// The page that shows this report.
pub fn page(report: &Value) -> String {
    // No text of the report can end the page's script element (HTML Standard, "Restrictions for
    // contents of script elements").
    PAGE.replace(PLACE, &report.to_string().replace('<', "\\u003c"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_page_holds_the_report_once_and_no_text_of_it_ends_the_script() {
        assert_eq!(PAGE.matches(PLACE).count(), 1);
        let page = page(&json!({ "notes": ["</script><b>"] }));
        assert!(page.contains(r#"{"notes":["\u003c/script>\u003cb>"]}"#));
        assert!(!page.contains("<b>"));
    }

    #[test]
    fn the_page_loads_nothing() {
        for way in [" src=", "@import", "url(", "fetch(", "import("] {
            assert!(!PAGE.contains(way), "{way}");
        }
    }
}
