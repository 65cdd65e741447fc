//! Which group nginx's workers are of, as its configuration says.

/// The group in all that `-T` prints: the second word of `user`, or the first, which stands for both. None where nothing is
/// said: what nginx was built with nobody knows.
pub fn group(configuration: &str) -> Option<&str> {
    let mut words = configuration.lines().find_map(|line| {
        let mut words =
            line.split_once('#').map_or(line, |(code, _)| code).trim().strip_suffix(';')?.split_whitespace();
        (words.next() == Some("user")).then_some(words)
    })?;
    let user = words.next()?;
    Some(words.next().unwrap_or(user))
}

#[cfg(test)]
mod tests {
    use super::group;

    #[test]
    fn a_group_is_named_or_called_as_the_user() {
        for (said, wanted) in [
            ("# configuration file /etc/nginx/nginx.conf:\nuser www-data;\nevents {}\n", Some("www-data")),
            ("  user  nginx  web ; # not adm;\n", Some("web")),
            ("# user www-data;\nevents {}\nhttp { userid on; }\n", None),
            ("", None),
        ] {
            assert_eq!(group(said), wanted, "{said}");
        }
    }
}
