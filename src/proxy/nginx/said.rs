//! What nginx says of its configuration.

use crate::proxy::{ProxyError, Site, SiteName};

/// What it said, and whether it would take it.
pub struct Said {
    pub is_well: bool,
    pub text: String,
}

impl Said {
    /// Why an app's routes are not taken up; none where they are.
    pub fn refusal(&self, name: &SiteName, site: &Site) -> Option<ProxyError> {
        if !self.is_well {
            let said = complaint(&self.text);
            return Some(ProxyError::Refused { proxy: "nginx", site: name.clone(), said });
        }
        let routes = site.routes.values().map(|served| &served.route);
        let mut ours = routes.flat_map(|route| route.hosts.iter().chain(&route.redirect_from));
        let host = ours.find(|host| self.is_taken(host))?.clone();
        Some(ProxyError::Taken { proxy: "nginx", site: name.clone(), host })
    }

    /// nginx has one server for a host and ignores the other, saying so and nothing more.
    fn is_taken(&self, host: &str) -> bool {
        self.text.contains(&format!("conflicting server name \"{host}\""))
    }

    /// What is wrong.
    pub fn complaint(&self) -> String {
        complaint(&self.text)
    }
}

/// The lines that say what is wrong, without the time and the process.
#[must_use]
pub fn complaint(said: &str) -> String {
    let grave = |line: &&str| line.contains("[emerg]") || line.contains("[alert]") || line.contains("[crit]");
    let is_process = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'#');
    let bare = |line: &str| {
        let text = line.split_once("] ").map_or(line, |(_, rest)| rest);
        text.split_once(": ").filter(|(word, _)| is_process(word)).map_or(text, |(_, rest)| rest).to_owned()
    };
    let lines: Vec<String> = said.lines().filter(grave).map(bare).collect();
    if lines.is_empty() { said.trim().to_owned() } else { lines.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::complaint;

    #[test]
    fn what_nginx_says_is_told_without_time_and_process() {
        let said = "2026/11/29 02:47:54 [emerg] 25051#25051: host not found in \"x\" of the \"listen\" directive in /a:1\n\
                    nginx: configuration file /b test failed\n";
        assert_eq!(complaint(said), "host not found in \"x\" of the \"listen\" directive in /a:1");
        assert_eq!(complaint("nginx: [emerg] unknown directive \"a\" in /b:1\n"), "unknown directive \"a\" in /b:1");
        assert_eq!(complaint("not found\n"), "not found");
    }
}
