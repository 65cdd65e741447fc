//! An error with all that led to it.

use std::error::Error;

/// The error and its causes in one line, the outermost first.
#[must_use]
pub fn whole(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Link(&'static str, #[source] Option<Box<Link>>);

    #[test]
    fn causes_follow_in_their_order() {
        let error = Link("outer", Some(Box::new(Link("middle", Some(Box::new(Link("inner", None)))))));
        assert_eq!(whole(&error), "outer: middle: inner");
    }
}
