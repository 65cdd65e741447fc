//! Renders what the other rooms found out: text for people, JSON for programs, markdown for merge requests.

pub mod report;
