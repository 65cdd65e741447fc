//! Where two texts differ, for a generated file that is stale.

use std::fmt::Write;

/// Lines shown of each side.
const MOST: usize = 30;

/// The lines between the first and the last difference, old ones first; nothing when the texts are the same.
#[must_use]
pub fn difference(path: &str, old: &str, new: &str) -> Option<String> {
    if old == new {
        return None;
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same_start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - same_start;
    let same_end = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let mut out = format!("--- {path}\n+++ {path} as it should be\n@@ line {} @@\n", same_start + 1);
    side(&mut out, '-', &old[same_start..old.len() - same_end]);
    side(&mut out, '+', &new[same_start..new.len() - same_end]);
    Some(out)
}

fn side(out: &mut String, mark: char, lines: &[&str]) {
    for line in lines.iter().take(MOST) {
        let _ = writeln!(out, "{mark}{line}");
    }
    if lines.len() > MOST {
        let _ = writeln!(out, "{mark}… {} more lines", lines.len() - MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn only_what_lies_between_the_differences_is_shown() {
        assert_eq!(difference("f", "a\nb\nc\n", "a\nb\nc\n"), None);
        let shown = difference("f", "a\nb\nc\nd\n", "a\nx\ny\nd\n").unwrap();
        assert_eq!(shown, "--- f\n+++ f as it should be\n@@ line 2 @@\n-b\n-c\n+x\n+y\n");
        let longer = difference("f", "a\na\n", "a\na\na\n").unwrap();
        assert!(longer.ends_with("@@ line 3 @@\n+a\n"), "{longer}");
    }
}
