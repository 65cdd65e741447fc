//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

/// Looks until it holds; fails when it does not within `seconds`.
#[track_caller]
pub fn until(what: &str, seconds: u64, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !holds() {
        assert!(Instant::now() < deadline, "not within {seconds} s: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// At how many moments a story kills: the usual number, or as many as `KILLS` says.
pub fn kills(usual: usize) -> usize {
    std::env::var("KILLS").map_or(usual, |count| count.parse().expect("`KILLS` is a number"))
}
