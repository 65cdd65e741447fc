//! The files of a volume, as an archive.

use super::{Giving, Stops, Taking, beside};
use crate::{backup::Copy, value::VolumeGlob};

pub(super) fn taking(volume: &str, exclude: &[VolumeGlob]) -> Taking {
    let left_out = exclude.iter().map(|glob| glob.as_str().to_owned());
    let errand = std::iter::once("archive".to_owned()).chain(left_out).collect();
    Taking::Beside { volume: volume.to_owned(), writes: false, errand }
}

/// The whole volume, whatever copies of it leave out: what is not in a copy is gone afterwards.
pub(super) fn giving(volume: &str, copy: &Copy) -> Giving {
    let bytes = copy.content.bytes.to_string();
    Giving {
        stops: Stops::Users { volume: volume.to_owned() },
        room: Some(beside(volume, &["room", &bytes])),
        settle: beside(volume, &["settle-files", "."]),
        put: beside(volume, &["put-files", &bytes, &copy.content.sha256, "."]),
        swap: beside(volume, &["swap-files", "."]),
        back: beside(volume, &["back-files", "."]),
        forget: beside(volume, &["forget-files", "."]),
    }
}
