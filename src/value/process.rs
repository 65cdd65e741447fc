//! What a process is started, limited and stopped with.

use super::text::{BadValue, text_form};
use std::{fmt, str::FromStr};

/// The name of an environment variable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VariableName(String);

impl VariableName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for VariableName {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if begins && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)) {
            return Ok(Self(text.to_owned()));
        }
        let reason = "write letters, digits, `_`, `.` and `-`, a letter or `_` first, as in `LOG_LEVEL`";
        Err(BadValue::new("the name of a variable", text, reason))
    }
}

impl fmt::Display for VariableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(VariableName, "variable", "Variable", "^[A-Za-z_][A-Za-z0-9_.-]*$", ["LOG_LEVEL"]);

/// Signals of Linux by number, from 1.
const SIGNALS: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
    "PWR", "SYS",
];

/// A signal of Linux, by its full name (`SIGTERM`); `TERM` and `15` are read as well.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(String);

impl FromStr for Signal {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = || BadValue::new("a signal", text, "write a name like `SIGTERM`, `SIGQUIT` or `SIGRTMIN+3`");
        if let Ok(number) = text.parse::<usize>() {
            let name = number.checked_sub(1).and_then(|index| SIGNALS.get(index)).ok_or_else(bad)?;
            return Ok(Self(format!("SIG{name}")));
        }
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        let real_time = name.strip_prefix("RTMIN").is_some_and(|rest| {
            rest.is_empty() || rest.strip_prefix('+').and_then(|n| n.parse::<u8>().ok()).is_some_and(|n| n <= 30)
        });
        if real_time || SIGNALS.contains(&name) { Ok(Self(format!("SIG{name}"))) } else { Err(bad()) }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(Signal, "signal", "Signal", "^[A-Za-z0-9+]+$", ["SIGTERM", "SIGQUIT"], (["string", "integer"]));

/// A capability of Linux, without `CAP_`; `ALL` is every one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capability(String);

impl FromStr for Capability {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
        if name.len() > 2 && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
            return Ok(Self(name.to_owned()));
        }
        Err(BadValue::new("a capability", text, "write a name like `NET_BIND_SERVICE`, or `ALL`"))
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(Capability, "capability", "Capability", "^([Cc][Aa][Pp]_)?[A-Za-z_]{3,}$", ["NET_BIND_SERVICE", "ALL"]);

/// A device of the host: `/dev/dri`, `/dev/sda:/dev/xvda:r`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceMapping {
    pub host: String,
    pub container: String,
    /// Of `r`, `w` and `m`.
    pub permissions: String,
}

impl FromStr for DeviceMapping {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = || BadValue::new("a device", text, "write `/dev/name`, or `/dev/name:/dev/name:rwm`");
        let parts: Vec<&str> = text.split(':').collect();
        let (host, container, permissions) = match *parts.as_slice() {
            [host] => (host, host, "rwm"),
            [host, container] if container.starts_with('/') => (host, container, "rwm"),
            [host, permissions] => (host, host, permissions),
            [host, container, permissions] => (host, container, permissions),
            _ => return Err(bad()),
        };
        let path = |path: &str| path.starts_with('/') && path.len() > 1;
        let rights =
            !permissions.is_empty() && permissions.len() <= 3 && permissions.chars().all(|c| "rwm".contains(c));
        if !path(host) || !path(container) || !rights {
            return Err(bad());
        }
        let own = str::to_owned;
        Ok(Self { host: own(host), container: own(container), permissions: own(permissions) })
    }
}

impl fmt::Display for DeviceMapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.host, self.container, self.permissions)
    }
}

text_form!(DeviceMapping, "device", "Device", "^/[^:]+(:/[^:]+)?(:[rwm]{1,3})?$", ["/dev/dri", "/dev/sda:/dev/xvda:r"]);

/// Who a process runs as: `1000`, `1000:1000`, `app:staff`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct User(String);

impl FromStr for User {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        let word = |part: &str| !part.is_empty() && !part.starts_with('-') && part.bytes().all(plain);
        let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
        if word(user) && group.is_none_or(word) {
            return Ok(Self(text.to_owned()));
        }
        Err(BadValue::new(
            "a user",
            text,
            "write a name or a number, `:group` after it where needed, as in `1000:1000`",
        ))
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(
    User,
    "user",
    "User",
    "^[A-Za-z0-9_.][A-Za-z0-9_.-]*(:[A-Za-z0-9_.][A-Za-z0-9_.-]*)?$",
    ["1000:1000", "app"],
    (["string", "integer"])
);

/// A text of certain letters that engines give its meaning.
macro_rules! word {
    ($(#[$doc:meta])* $type:ident, $kind:literal, $format:literal, $title:literal, $pattern:literal, $letters:literal, $example:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        impl FromStr for $type {
            type Err = BadValue;

            fn from_str(text: &str) -> Result<Self, BadValue> {
                let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || $letters.contains(&byte);
                if !text.is_empty() && text.bytes().all(known) {
                    return Ok(Self(text.to_owned()));
                }
                Err(BadValue::new($kind, text, concat!("write something like `", $example, "`")))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        text_form!($type, $format, $title, $pattern, [$example]);
    };
}

word!(
    /// Processors by number: `0-1,3`.
    Cpuset, "a set of processors", "cpuset", "Processor set", "^[a-z0-9,-]+$", b",-", "0-1,3"
);
word!(
    /// The name of a limit of the kernel, as in `setrlimit(2)` without `RLIMIT_`.
    UlimitName, "the name of a limit", "ulimit", "Limit", "^[a-z0-9]+$", b"", "nofile"
);
word!(
    /// The name of a kernel setting, as `sysctl` writes it.
    SysctlName, "a kernel setting", "sysctl", "Kernel setting", "^[a-z0-9._-]+$", b"._-", "net.core.somaxconn"
);
word!(
    /// An option of the engine's security modules.
    SecurityOption, "a security option", "security-option", "Security option", "^[a-z0-9_:=./-]+$", b"_:=./-",
    "no-new-privileges:true"
);
