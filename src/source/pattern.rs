//! Patterns as OpenSSH's files have them: `*`, `?`, and lists with commas in which `!` takes out again (ssh_config(5)).

/// Whether a list of patterns means a name.
pub fn list_means(list: &str, name: &str) -> bool {
    let (mut found, mut denied) = (false, false);
    for pattern in list.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) => denied |= means(pattern, name),
            None => found |= means(pattern, name),
        }
    }
    found && !denied
}

fn means(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut at, mut seen) = (0, 0);
    // The last star, and where what it stands for ends for now.
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = name.get(seen) {
        match (pattern.get(at), star) {
            (Some(b'*'), _) => {
                star = Some((at, seen));
                at += 1;
            }
            (Some(wanted), _) if *wanted == b'?' || wanted == byte => {
                at += 1;
                seen += 1;
            }
            (_, Some((star_at, end))) => {
                star = Some((star_at, end + 1));
                at = star_at + 1;
                seen = end + 1;
            }
            (_, None) => return false,
        }
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

#[cfg(test)]
mod tests {
    use super::{list_means, means};

    #[test]
    fn patterns_are_taken_as_openssh_takes_them() {
        for (pattern, name) in [("*", "a"), ("a*c", "abbc"), ("a?c", "abc"), ("*.b.*", "x.b.y"), ("a**", "a"), ("", "")]
        {
            assert!(means(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("a", "ab"), ("a?", "a"), ("*.b", "x.bc"), ("", "a"), ("?", ""), ("a", "A")] {
            assert!(!means(pattern, name), "{pattern} {name}");
        }
        assert!(list_means("a,b*", "bc") && !list_means("*,!b*", "bc") && !list_means("!a", "b"));
    }
}
