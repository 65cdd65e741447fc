//! A PostgreSQL server, by its own tools in its own container: the custom format for one database, SQL for all of them with
//! users and rights.
//!
//! A copy comes back into a database of another name, and two names change in one transaction: whoever is killed leaves the
//! old one or the new one, whole.

use super::{Drilling, Giving, Stops, Taking, reading, script};
use crate::{
    backup::Copy,
    desired::backup::{Origin, Server},
    value::Database,
};

/// Who asks, and by which password: over the server's own socket the official images want none.
fn asking(server: &Server) -> String {
    let user = server.user.as_ref().map_or("${POSTGRES_USER:-postgres}".to_owned(), reading);
    let password = |origin: &Origin| format!("PGPASSWORD=\"{}\"\nexport PGPASSWORD\n", reading(origin));
    let password = server.password.as_ref().map(password);
    format!("user=\"{user}\"\n{}", password.unwrap_or_default())
}

/// The tool's own compression, the least of it, brings a checksum of each table's rows: an altered one is found by reading.
pub(super) fn taking(server: &Server) -> Taking {
    let asking = asking(server);
    let command = match &server.database {
        Database::All => script(&format!("{asking}exec pg_dumpall -w -U \"$user\""), &[]),
        Database::Named(name) => script(&format!("{asking}exec pg_dump -w -Fc -Z1 -U \"$user\" -d \"$1\""), &[name]),
    };
    Taking::Inside { service: server.service.clone(), command }
}

/// A dump that is cut off lists its contents without complaint; only reading all of it tells (research, backup §3).
pub(super) fn checking(server: &Server) -> Option<Taking> {
    match server.database {
        Database::All => None,
        Database::Named(_) => {
            let command = script("exec pg_restore -f /dev/null", &[]);
            Some(Taking::Inside { service: server.service.clone(), command })
        }
    }
}

/// None of all databases: users and rights have no other name to wait under.
pub(super) fn giving(server: &Server, copy: &Copy) -> Option<Giving> {
    let Database::Named(name) = &server.database else { return None };
    let names = Names { now: name, new: format!("{name}.reconcile-new"), old: format!("{name}.reconcile-old") };
    let asking = format!("{}{PSQL}", asking(server));
    let inside = |text: String| Taking::Inside {
        service: server.service.clone(),
        command: script(&format!("{asking}{text}"), &[&copy.content.bytes.to_string()]),
    };
    Some(Giving {
        stops: Stops::Dependants { server: server.service.clone() },
        room: Some(inside(names.room())),
        settle: inside(names.settle()),
        put: inside(names.put()),
        swap: inside(names.swap()),
        back: inside(names.back()),
        forget: inside(names.forget()),
    })
}

/// Into a server that is empty: of one database without its users, of whom such a server knows none.
pub(super) fn drilling(server: &Server, copy: &Copy) -> Drilling {
    let asking = format!("{}{PSQL}", asking(server));
    let inside = |text: &str| Taking::Inside {
        service: server.service.clone(),
        command: script(&format!("{asking}{text}"), &[&copy.content.bytes.to_string()]),
    };
    let load = match &server.database {
        Database::Named(_) => inside(
            "ask -c 'CREATE DATABASE reconcile_drill TEMPLATE template0'\n\
             head -c \"$1\" | pg_restore -w -U \"$user\" -d reconcile_drill --exit-on-error --no-owner --no-privileges\n\
             psql -X -q -w -v ON_ERROR_STOP=1 -U \"$user\" -d reconcile_drill -c ANALYZE",
        ),
        // The user that it was made with is there, and is made by the dump once more.
        Database::All => inside("head -c \"$1\" | sed -e \"/^CREATE ROLE \\\"*$user\\\"*;\\$/d\" | ask >/dev/null"),
    };
    let counts = inside(
        "count=0\nfor name in $(ask -At -c \"SELECT datname FROM pg_database WHERE datallowconn\"); do\n  \
         tables=$(psql -X -q -w -At -U \"$user\" -d \"$name\" -c \"SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'\")\n  \
         count=$((count + tables))\ndone\nif [ \"$count\" = 0 ]; then echo 'what came of it has no tables' >&2; exit 1; fi",
    );
    Drilling { asks: inside("ask -c 'SELECT 1' >/dev/null"), load, counts }
}

/// SQL goes to a database that nobody's data is in, and ends at the first error.
const PSQL: &str = "ask() { psql -X -q -w -v ON_ERROR_STOP=1 -U \"$user\" -d template1 \"$@\"; }\n";

/// The longest name that a server does not cut off.
const LONGEST: usize = 63;

/// Settings that are lists hold names that are quoted already, as `pg_dump` knows them too.
const LISTS: &str = "'local_preload_libraries', 'search_path', 'session_preload_libraries', \
                     'shared_preload_libraries', 'temp_tablespaces', 'unix_socket_directories'";

/// The names of one database. The value's type lets no quote into them.
struct Names<'a> {
    now: &'a str,
    new: String,
    old: String,
}

impl Names<'_> {
    /// Sees that the server answers, before anything is stopped.
    fn room(&self) -> String {
        let Self { new, .. } = self;
        if new.len() > LONGEST {
            return format!("echo 'no database can be named {new}: it is too long' >&2\nexit 1");
        }
        "ask -c 'SELECT 1' >/dev/null".to_owned()
    }

    /// Whoever is connected is no more: a database that is in use keeps its name.
    fn alone(&self) -> String {
        let Self { now, new, old } = self;
        format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE datname IN ('{now}', '{new}', '{old}') AND pid <> pg_backend_pid();\n"
        )
    }

    fn settle(&self) -> String {
        let Self { new, old, .. } = self;
        // Names change in one transaction, so nothing is half done: what has the name is whole.
        let alone = self.alone();
        sql(&format!("{alone}DROP DATABASE IF EXISTS \"{new}\";\nDROP DATABASE IF EXISTS \"{old}\";\n"))
    }

    /// A database like the one that is there, and what its dump holds. What belongs to a database itself and is in no dump of
    /// it (its owner, its encoding, who may connect, its settings) is as it is there now.
    fn put(&self) -> String {
        let Self { now, new, .. } = self;
        let like = format!(
            "DROP DATABASE IF EXISTS \"{new}\";\n\
             SELECT format('CREATE DATABASE %I TEMPLATE template0 OWNER %I ENCODING %L LC_COLLATE %L LC_CTYPE %L', '{new}',\n\
             \x20 pg_get_userbyid(d.datdba), pg_encoding_to_char(d.encoding), d.datcollate, d.datctype)\n\
             \x20 || CASE j->>'datlocprovider'\n\
             \x20   WHEN 'i' THEN ' LOCALE_PROVIDER icu ICU_LOCALE ' || quote_literal(coalesce(j->>'datlocale', j->>'daticulocale'))\n\
             \x20   WHEN 'b' THEN ' LOCALE_PROVIDER builtin BUILTIN_LOCALE ' || quote_literal(j->>'datlocale')\n\
             \x20   WHEN 'c' THEN ' LOCALE_PROVIDER libc' ELSE '' END\n\
             \x20 FROM pg_database d, to_jsonb(d) j WHERE d.datname = '{now}'\n\
             UNION ALL SELECT format('CREATE DATABASE %I TEMPLATE template0', '{new}')\n\
             \x20 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{now}') \\gexec\n"
        );
        let rights = format!(
            "SELECT format('ALTER DATABASE %I CONNECTION LIMIT %s', '{new}', datconnlimit) FROM pg_database WHERE datname = '{now}' \\gexec\n\
             SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', '{new}') FROM pg_database\n\
             \x20 WHERE datname = '{now}' AND datacl IS NOT NULL \\gexec\n\
             SELECT format('GRANT %s ON DATABASE %I TO %s%s', a.privilege_type, '{new}',\n\
             \x20 CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,\n\
             \x20 CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)\n\
             \x20 FROM pg_database d, aclexplode(d.datacl) a WHERE d.datname = '{now}' AND a.grantee <> d.datdba \\gexec\n\
             SELECT format('ALTER %s SET %I TO %s',\n\
             \x20 CASE s.setrole WHEN 0 THEN format('DATABASE %I', '{new}')\n\
             \x20   ELSE format('ROLE %I IN DATABASE %I', pg_get_userbyid(s.setrole), '{new}') END, v.name,\n\
             \x20 CASE WHEN v.name IN ({LISTS}) AND v.value NOT IN ('', '\"\"') THEN v.value\n\
             \x20   ELSE quote_literal(replace(v.value, '\"\"', '')) END)\n\
             \x20 FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase AND d.datname = '{now}',\n\
             \x20 unnest(s.setconfig) c, LATERAL (SELECT split_part(c, '=', 1) AS name, substr(c, strpos(c, '=') + 1) AS value) v \\gexec\n"
        );
        format!(
            "{}head -c \"$1\" | pg_restore -w -U \"$user\" -d '{new}' --exit-on-error\n{}\
             psql -X -q -w -v ON_ERROR_STOP=1 -U \"$user\" -d '{new}' -c ANALYZE",
            sql(&like),
            sql(&rights)
        )
    }

    fn swap(&self) -> String {
        let Self { now, new, old } = self;
        let alone = self.alone();
        sql(&format!(
            "{alone}BEGIN;\n\
             SELECT format('ALTER DATABASE %I RENAME TO %I', '{now}', '{old}') FROM pg_database WHERE datname = '{now}' \\gexec\n\
             ALTER DATABASE \"{new}\" RENAME TO \"{now}\";\n\
             COMMIT;\n"
        ))
    }

    fn back(&self) -> String {
        let Self { now, new, old } = self;
        let alone = self.alone();
        sql(&format!(
            "{alone}BEGIN;\n\
             SELECT format('ALTER DATABASE %I RENAME TO %I', '{now}', '{new}') FROM pg_database\n\
             \x20 WHERE datname = '{now}' AND EXISTS (SELECT FROM pg_database WHERE datname = '{old}') \\gexec\n\
             SELECT format('ALTER DATABASE %I RENAME TO %I', '{old}', '{now}') FROM pg_database WHERE datname = '{old}' \\gexec\n\
             COMMIT;\n\
             DROP DATABASE IF EXISTS \"{new}\";\n"
        ))
    }

    fn forget(&self) -> String {
        sql(&format!("DROP DATABASE IF EXISTS \"{}\";\n", self.old))
    }
}

/// A part of a script that has the server do this.
fn sql(text: &str) -> String {
    format!("ask <<'SQL'\n{text}SQL\n")
}
