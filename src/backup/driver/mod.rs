//! How each kind of data is taken: a file for each, which says what is to be run and where. It runs nothing.

mod mysql;
mod postgres;
pub(super) mod redis;
mod sqlite;
mod volume;

pub use redis::Trim;

use crate::{
    backup::{Copy, Still},
    desired::backup::{Consistency, Data, Origin},
    value::ServiceName,
};
use serde::{Deserialize, Serialize};

/// Something whose standard output is data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Taking {
    /// A program in the container of a service: its tools are of the server's own version.
    Inside { service: ServiceName, command: Vec<String> },
    /// The tool itself, in a container of its own that has the volume at [`DATA`] and no network.
    Beside { volume: String, writes: bool, errand: Vec<String> },
}

/// How a copy comes back: what is there stays beside it until the app is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Giving {
    /// Who is stopped meanwhile.
    pub stops: Stops,
    /// Sees that there is room for it beside what is there.
    pub room: Option<Taking>,
    /// Clears up what a restore that was killed left: what is whole gets its name back.
    pub settle: Taking,
    /// Has what it reads ready, and judges it.
    pub put: Taking,
    /// Gives it the name.
    pub swap: Taking,
    /// Puts back what was there before, from any state in between.
    pub back: Taking,
    /// Lets go of what was there before.
    pub forget: Taking,
}

/// Who is stopped while a copy comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stops {
    /// Whoever has this volume.
    Users { volume: String },
    /// Whoever may ask this server, which goes on: it does what is to be done.
    Dependants { server: ServiceName },
    /// Whoever may ask this server; then, when it has been asked itself for what it has, whoever has this volume.
    Server { server: ServiceName, volume: String },
}

/// Where the container beside a volume has it.
pub const DATA: &str = "/data";

/// How an item's data is taken.
#[must_use]
pub fn taking(data: &Data) -> Taking {
    match data {
        Data::Sqlite { volume, path } => sqlite::taking(volume, path),
        Data::Postgres(server) => postgres::taking(server),
        Data::Mysql(server) => mysql::taking(server),
        Data::Redis { service, password } => redis::taking(service, password.as_ref()),
        Data::Volume { volume, exclude, consistency: _ } => volume::taking(volume, exclude),
        Data::Exec { service, command } => Taking::Inside { service: service.clone(), command: command.clone() },
    }
}

/// How a copy of an item comes back; none where this release does not do it.
#[must_use]
pub fn giving(data: &Data, copy: &Copy) -> Option<Giving> {
    match data {
        Data::Sqlite { volume, path } => Some(sqlite::giving(volume, path, copy)),
        Data::Volume { volume, .. } => Some(volume::giving(volume, copy)),
        Data::Postgres(server) => postgres::giving(server, copy),
        Data::Mysql(server) => mysql::giving(server, copy),
        // Where a server of Redis has its files is asked before: see `redis::giving`.
        Data::Redis { .. } | Data::Exec { .. } => None,
    }
}

/// How a copy is loaded into a server that was made for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drilling {
    /// Whether it answers.
    pub asks: Taking,
    /// Takes the copy.
    pub load: Taking,
    /// Whether something came of it.
    pub counts: Taking,
}

/// How a copy of an item is loaded into a server that was made for it; none where it is no server's.
#[must_use]
pub fn drilling(data: &Data, copy: &Copy) -> Option<Drilling> {
    match data {
        Data::Postgres(server) => Some(postgres::drilling(server, copy)),
        Data::Mysql(server) => Some(mysql::drilling(server, copy)),
        Data::Redis { .. } | Data::Sqlite { .. } | Data::Volume { .. } | Data::Exec { .. } => None,
    }
}

/// Gives all that is in a volume to somebody.
#[must_use]
pub fn owned(volume: &str, user: u32, group: u32) -> Taking {
    beside(volume, &["own", &user.to_string(), &group.to_string()])
}

/// What is copied before a copy of an item comes back: all that goes away for it, also what its copies leave out.
#[must_use]
pub fn whole(data: &Data) -> Data {
    match data {
        Data::Volume { volume, exclude: _, consistency: _ } => {
            // Nobody writes it then.
            Data::Volume { volume: volume.clone(), exclude: Vec::new(), consistency: Consistency::None }
        }
        Data::Sqlite { .. } | Data::Postgres(_) | Data::Mysql(_) | Data::Redis { .. } | Data::Exec { .. } => {
            data.clone()
        }
    }
}

/// An errand beside a volume that may be written.
fn beside(volume: &str, errand: &[&str]) -> Taking {
    let errand = errand.iter().map(|&word| word.to_owned()).collect();
    Taking::Beside { volume: volume.to_owned(), writes: true, errand }
}

/// How the users of what is copied are held still meanwhile; none where they are not.
#[must_use]
pub const fn stillness(data: &Data) -> Option<Still> {
    match data.consistency() {
        Consistency::None => None,
        Consistency::Pause => Some(Still::Pause),
        Consistency::Stop => Some(Still::Stop),
    }
}

/// What reads a whole copy from its standard input and says by its exit code whether it is right; none where what flows by
/// tells it already.
#[must_use]
pub fn checking(data: &Data) -> Option<Taking> {
    match data {
        Data::Postgres(server) => postgres::checking(server),
        Data::Sqlite { .. } | Data::Mysql(_) | Data::Redis { .. } | Data::Volume { .. } | Data::Exec { .. } => None,
    }
}

/// A line of a shell that runs in a container; `$1` and so on are these arguments, which the shell does not read.
fn script(text: &str, arguments: &[&str]) -> Vec<String> {
    let words = ["sh", "-euc", text, "sh"].into_iter().chain(arguments.iter().copied());
    words.map(str::to_owned).collect()
}

/// A part of a script that gives the text of an origin. Names of variables and paths hold no quote.
fn reading(origin: &Origin) -> String {
    match origin {
        Origin::Variable(name) => {
            format!("$(printenv '{name}' || {{ echo 'no variable `{name}` in the container' >&2; exit 1; }})")
        }
        Origin::File(path) => format!("$(cat '{}')", path.replace('\'', "'\\''")),
    }
}
