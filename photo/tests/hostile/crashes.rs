//! Files that once took the process down or more than they were admitted for, most of them found by
//! `make fuzz`. What is expected now is the beginning of a file's name: a failure's, or `Thumbnail`.

use std::fs;
use std::path::Path;

use super::cost::{self, Cost};
use super::develop_soon;

#[test]
fn what_once_failed_ends_as_its_name_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/crashes");
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        let photo = fs::read(&path).unwrap();
        // First in a process of its own, which it may take down.
        let Cost { needed, taken, .. } = cost::of(&photo, &name);
        assert!(taken <= needed + 16, "{name} took {taken} MB instead of {needed}");
        let end =
            develop_soon(&photo, &name).map_or_else(|failure| failure.name(), |_| "Thumbnail");
        assert_eq!(name.split('-').next(), Some(end), "{name}");
        files += 1;
    }
    assert!(files > 0, "the files are missing");
}
