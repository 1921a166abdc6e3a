//! Files that once crashed the process or took more memory than announced. `make fuzz` found most of them.
//! The start of a file's name is the expected outcome: the name of a failure, or `Thumbnail`.

use std::fs;
use std::path::Path;

use super::cost::{self, Cost};
use super::render_soon;

#[test]
fn files_that_once_failed_end_as_their_names_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/crashes");
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        let photo = fs::read(&path).unwrap();
        // In a separate process first, which the file may crash.
        let Cost { needed, taken, .. } = cost::of(&photo, &name);
        assert!(taken <= needed + 16, "{name} took {taken} MB instead of {needed}");
        let end = render_soon(&photo, &name).map_or_else(|failure| failure.name(), |_| "Thumbnail");
        assert_eq!(name.split('-').next(), Some(end), "{name}");
        files += 1;
    }
    assert!(files > 0, "the files are missing");
}
