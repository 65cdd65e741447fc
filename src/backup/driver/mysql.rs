//! A MySQL or MariaDB server, by its own tools in its own container.
//!
//! Its databases cannot be renamed, nor their views and triggers moved. So a copy is loaded beside the one that is there, which
//! shows that it loads; the one that is there is copied once more; and only then is it emptied and filled. While that goes on,
//! a database of another name says that it is half done.

use super::{Drilling, Giving, Stops, Taking, reading, script};
use crate::{backup::Copy, desired::backup::Server, value::Database};

/// The password as the official images know it; in a variable and never an argument, which others would see.
const USUAL_PASSWORD: &str = "\
MYSQL_PWD=${MARIADB_ROOT_PASSWORD:-${MYSQL_ROOT_PASSWORD:-}}
file=${MARIADB_ROOT_PASSWORD_FILE:-${MYSQL_ROOT_PASSWORD_FILE:-}}
if [ -n \"$file\" ]; then MYSQL_PWD=$(cat \"$file\"); fi
";

/// All that belongs to a database, as of one moment.
const HOW: &str = "--single-transaction --quick --routines --events --triggers --hex-blob";

/// Who asks, and by which password.
fn asking(server: &Server) -> String {
    let user = server.user.as_ref().map_or("root".to_owned(), reading);
    let password = server.password.as_ref().map(|origin| format!("MYSQL_PWD=\"{}\"\n", reading(origin)));
    let tool = "tool=$(command -v mariadb-dump || command -v mysqldump)\n";
    format!("user=\"{user}\"\n{}export MYSQL_PWD\n{tool}", password.as_deref().unwrap_or(USUAL_PASSWORD))
}

pub(super) fn taking(server: &Server) -> Taking {
    let (what, arguments): (&str, &[&str]) = match &server.database {
        Database::All => ("--all-databases", &[]),
        Database::Named(name) => ("-- \"$1\"", &[name]),
    };
    let command = script(&format!("{}exec \"$tool\" --user=\"$user\" {HOW} {what}", asking(server)), arguments);
    Taking::Inside { service: server.service.clone(), command }
}

/// None of all databases: users and rights have no other name to wait under.
pub(super) fn giving(server: &Server, copy: &Copy) -> Option<Giving> {
    let Database::Named(now) = &server.database else { return None };
    let with = |ending: &str| format!("{now}-reconcile-{ending}");
    let (new, old, half) = (with("new"), with("old"), with("half"));
    let beginning = format!("{}{ASKING}{}", asking(server), DOING.replace("HOW", HOW));
    let inside = |text: &str| Taking::Inside {
        service: server.service.clone(),
        command: script(&format!("{beginning}{text}"), &[now, &new, &old, &half, &copy.content.bytes.to_string()]),
    };
    Some(Giving {
        stops: Stops::Dependants { server: server.service.clone() },
        room: Some(if half.len() > LONGEST {
            inside(&format!("echo 'no database can be named {half}: it is too long' >&2\nexit 1"))
        } else {
            inside("ask -e 'SELECT 1' >/dev/null")
        }),
        settle: inside(
            "alone \"$@\"\nif has \"$4\"; then whole \"$3\" \"$1\"; ask -e \"DROP DATABASE \\`$4\\`\"; fi\nrid \"$@\"",
        ),
        put: inside("make \"$2\"\nhead -c \"$5\" | ask -- \"$2\""),
        swap: inside(
            "alone \"$@\"\nask -e \"CREATE DATABASE IF NOT EXISTS \\`$1\\`\"\nwhole \"$1\" \"$3\"\n\
             ask -e \"CREATE DATABASE \\`$4\\`\"\nwhole \"$2\" \"$1\"\nask -e \"DROP DATABASE \\`$2\\`\"\nask -e \"DROP DATABASE \\`$4\\`\"",
        ),
        back: inside(
            "alone \"$@\"\nif has \"$4\" || { has \"$3\" && ! has \"$2\"; }; then\n  ask -e \"CREATE DATABASE IF NOT EXISTS \\`$4\\`\"\n  \
             whole \"$3\" \"$1\"\n  ask -e \"DROP DATABASE \\`$4\\`\"\nfi\nrid \"$@\"",
        ),
        forget: inside("rid \"$@\""),
    })
}

/// Into a server that is empty.
pub(super) fn drilling(server: &Server, copy: &Copy) -> Drilling {
    let beginning = format!("{}{ASKING}", asking(server));
    let inside = |text: &str| Taking::Inside {
        service: server.service.clone(),
        command: script(&format!("{beginning}{text}"), &[&copy.content.bytes.to_string()]),
    };
    let load = match &server.database {
        Database::Named(_) => {
            inside("ask -e 'CREATE DATABASE reconcile_drill'\nhead -c \"$1\" | ask -- reconcile_drill")
        }
        Database::All => inside("head -c \"$1\" | ask"),
    };
    let counts = inside(
        "count=$(ask -e \"SELECT count(*) FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')\")\n\
         if [ \"$count\" = 0 ]; then echo 'what came of it has no tables' >&2; exit 1; fi",
    );
    Drilling { asks: inside("ask -e 'SELECT 1' >/dev/null"), load, counts }
}

/// How the server is asked.
const ASKING: &str = "\
client=$(command -v mariadb || command -v mysql)
ask() { \"$client\" --user=\"$user\" --batch --skip-column-names \"$@\"; }
";

/// The longest name of a database.
const LONGEST: usize = 64;

/// `$1` is the database, `$2` what comes, `$3` what was there before, `$4` is there while `$1` is half done. Their names hold no
/// quote. Who dumps and fails says so to who loads: of a pipe only the end is heard.
const DOING: &str = "\
has() { [ -n \"$(ask -e \"SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '$1'\")\" ]; }
like=$(ask -e \"SELECT CONCAT('CHARACTER SET ', DEFAULT_CHARACTER_SET_NAME, ' COLLATE ', DEFAULT_COLLATION_NAME) \
FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN ('$1', '$3') LIMIT 1\")
make() { ask -e \"DROP DATABASE IF EXISTS \\`$1\\`; CREATE DATABASE \\`$1\\` $like\"; }
whole() {
  has \"$1\"
  make \"$2\"
  { \"$tool\" --user=\"$user\" HOW -- \"$1\" || echo 'it was not dumped whole;'; } | ask -- \"$2\"
}
alone() {
  for id in $(ask -e \"SELECT ID FROM information_schema.PROCESSLIST WHERE DB IN ('$1', '$2', '$3') AND ID <> CONNECTION_ID()\"); do
    ask -e \"KILL $id\" || true
  done
}
rid() { ask -e \"DROP DATABASE IF EXISTS \\`$2\\`; DROP DATABASE IF EXISTS \\`$3\\`\"; }
";
