//! Log files: plain and compressed, rotated, growing, of one store or of many.
//!
//! Everything is read through buffered reads into one reused buffer; no file is held in memory
//! and none is mapped, so that a rotation under the reader is no accident.

mod follow;
mod merge;
mod needle;
mod parallel;
mod rotation;
mod search;
mod source;
mod window;

pub use follow::Follower;
pub use merge::{Merge, MergedLine};
pub use needle::Finder;
pub use parallel::{Located, scan_file, scan_files, scan_stream};
pub use rotation::{rotated_from, rotation_set};
pub use search::{BadFilter, FieldFilter, Filter};
pub use source::{FileError, LogSource, Progress, open};
pub use window::{Window, WindowedLines, first_time, is_before, last_time, time_of};
