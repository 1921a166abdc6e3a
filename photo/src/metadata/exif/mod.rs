//! EXIF: directories of tags, and what can be made of each tag by itself. Clauses and tag numbers are those of
//! EXIF 2.32 (CIPA DC-008-2019) unless EXIF 3.0 is named.

pub(crate) mod directory;
pub(super) mod exposure;
pub(super) mod fields;
pub(crate) mod tags;
