//! Windows of a length that nobody means.

use super::findings::Findings;
use crate::{manifest::Manifest, value::Duration};

/// Cron counts minutes; a window that begins once a year may last until the next.
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Every window that is too short to begin, or longer than a year.
pub(super) fn windows(manifest: &Manifest, findings: &mut Findings<'_>) {
    for (index, window) in manifest.sync.windows.iter().enumerate() {
        let path = ["sync", "windows", &index.to_string(), "duration"];
        if window.duration < SHORTEST {
            findings.add(&path, format!("a window lasts {SHORTEST} or more"));
        } else if window.duration > LONGEST {
            findings.add(&path, format!("a window lasts {LONGEST} at most"));
        }
    }
}
