//! A SQLite database under whatever writes it: the tool takes a snapshot beside it. The app's image needs no `sqlite3`.
//!
//! The volume is writable for it: after a crash the database's index of its log has to be made again, which a reader
//! without that right cannot (research, backup §3).

use super::{Giving, Stops, Taking, beside};
use crate::backup::Copy;

pub(super) fn taking(volume: &str, path: &str) -> Taking {
    beside(volume, &["sqlite", path])
}

pub(super) fn giving(volume: &str, path: &str, copy: &Copy) -> Giving {
    let bytes = copy.content.bytes.to_string();
    Giving {
        stops: Stops::Users { volume: volume.to_owned() },
        room: Some(beside(volume, &["room", &bytes])),
        settle: beside(volume, &["settle", path]),
        put: beside(volume, &["put", path, &bytes, &copy.content.sha256]),
        swap: beside(volume, &["swap", path]),
        back: beside(volume, &["back", path]),
        forget: beside(volume, &["forget", path]),
    }
}
