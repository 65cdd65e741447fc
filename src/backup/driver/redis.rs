//! A Redis server: the dump that it sends to a replica.

use super::{Giving, Stops, Taking, beside, reading, script};
use crate::{
    backup::{
        Copy,
        judge::{Judge, redis::Dump},
    },
    desired::backup::Origin,
    value::ServiceName,
};

/// What the server marks the end of a dump with that it did not write to its disk, and `redis-cli` passes on.
const MARK: usize = 40;

pub(super) fn taking(service: &ServiceName, password: Option<&Origin>) -> Taking {
    // A server that wants a password and got none says so on the way, at exit code 0 in some releases: what comes is judged.
    inside(service, password, "exec redis-cli --rdb -")
}

/// What is run in the server's container, by the password that it wants.
fn inside(service: &ServiceName, password: Option<&Origin>, text: &str) -> Taking {
    let password = password.map(|origin| format!("REDISCLI_AUTH=\"{}\"\nexport REDISCLI_AUTH\n", reading(origin)));
    let command = script(&format!("{}{text}", password.unwrap_or_default()), &[]);
    Taking::Inside { service: service.clone(), command }
}

/// Cuts the mark off, where there is one: a dump is whole before it.
#[derive(Default)]
pub struct Trim {
    held: Vec<u8>,
    before: Dump,
}

impl Trim {
    /// Passes on all but what may be the mark.
    pub fn pass(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        let mut all = std::mem::take(&mut self.held);
        all.extend(bytes);
        self.held = all.split_off(all.len().saturating_sub(MARK));
        self.before.take(&all);
        all
    }

    /// What is left at the end: the last bytes of the dump, or nothing where they are the mark.
    #[must_use]
    pub fn end(self) -> Vec<u8> {
        let is_mark = self.held.len() == MARK && Box::new(self.before).end().is_ok();
        if is_mark { Vec::new() } else { self.held }
    }
}

/// Asks a server where it keeps what it has.
pub(in crate::backup) fn asking(service: &ServiceName, password: Option<&Origin>) -> Taking {
    let keys = "for key in dir dbfilename appendonly appendfilename appenddirname; do redis-cli --raw CONFIG GET \"$key\"; done";
    inside(service, password, keys)
}

/// Whether a server has anything.
pub(in crate::backup) fn counting(service: &ServiceName, password: Option<&Origin>) -> Taking {
    let count = "count=$(redis-cli --raw INFO keyspace | grep -c '^db')\n\
                 if [ \"$count\" = 0 ]; then echo 'what came of it has no keys' >&2; exit 1; fi";
    inside(service, password, count)
}

/// Where a server keeps what it has, as it told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::backup) struct Files {
    /// Its folder in the container.
    pub folder: String,
    /// The dump's name there.
    dump: String,
    /// The log that it reads instead of the dump, where it keeps one.
    log: Option<Log>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Log {
    name: String,
    /// Since release 7 it is in parts, in a folder.
    folder: Option<String>,
}

impl Files {
    /// What was told, a key in a line and its value in the next.
    ///
    /// # Errors
    /// It was no such thing.
    pub(in crate::backup) fn told(text: &str) -> Result<Self, String> {
        let lines: Vec<&str> = text.lines().collect();
        let value = |key: &str| {
            let pair = lines.chunks(2).find(|pair| pair.first() == Some(&key));
            pair.and_then(|pair| pair.get(1)).map(|value| (*value).to_owned()).filter(|value| !value.is_empty())
        };
        let (Some(folder), Some(dump)) = (value("dir"), value("dbfilename")) else {
            let said = lines.first().copied().unwrap_or("nothing");
            return Err(format!("the server does not tell where it keeps its data (`CONFIG GET dir`): {said}"));
        };
        let keeps = value("appendonly").is_some_and(|keeps| keeps == "yes");
        let log = value("appendfilename").filter(|_| keeps).map(|name| Log { name, folder: value("appenddirname") });
        Ok(Self { folder, dump, log })
    }
}

/// A dump in the place of the server's own files, once it is stopped. Where it keeps a log it reads no dump, so the log begins
/// with it.
pub(in crate::backup) fn giving(
    service: &ServiceName,
    (volume, folder): (&str, &str),
    files: &Files,
    copy: &Copy,
) -> Giving {
    let bytes = copy.content.bytes.to_string();
    let needed = copy.content.bytes.saturating_mul(if files.log.is_some() { 2 } else { 1 }).to_string();
    let log = files.log.iter().flat_map(|log| std::iter::once(&log.name).chain(&log.folder));
    let moved = files.log.iter().map(|log| log.folder.as_ref().unwrap_or(&log.name));
    let only: Vec<&str> = std::iter::once(&files.dump).chain(moved).map(String::as_str).collect();
    let put: Vec<&str> = ["put-dump", &bytes, &copy.content.sha256, folder, &files.dump]
        .into_iter()
        .chain(log.map(String::as_str))
        .collect();
    let step = |word: &str| beside(volume, &[&[word, folder], &only[..]].concat());
    Giving {
        stops: Stops::Server { server: service.clone(), volume: volume.to_owned() },
        room: Some(beside(volume, &["room", &needed])),
        settle: step("settle-files"),
        put: beside(volume, &put),
        swap: step("swap-files"),
        back: step("back-files"),
        forget: step("forget-files"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Files, Log};

    #[test]
    fn what_a_server_tells_of_its_files_is_understood_and_anything_else_is_told() {
        let told = "dir\n/data\ndbfilename\ndump.rdb\nappendonly\nyes\nappendfilename\nappendonly.aof\n";
        let log = Log { name: "appendonly.aof".to_owned(), folder: None };
        let files = Files { folder: "/data".to_owned(), dump: "dump.rdb".to_owned(), log: Some(log.clone()) };
        assert_eq!(Files::told(told), Ok(files.clone()));
        let parts = Log { folder: Some("parts".to_owned()), ..log };
        let told = format!("{told}appenddirname\nparts\n");
        assert_eq!(Files::told(&told), Ok(Files { log: Some(parts), ..files.clone() }));
        assert_eq!(Files::told(&told.replace("yes", "no")), Ok(Files { log: None, ..files }));
        let refused = Files::told("NOAUTH Authentication required.\nNOAUTH Authentication required.\n").unwrap_err();
        assert!(refused.ends_with("NOAUTH Authentication required."), "{refused}");
    }
}
