//! The tables of the ledger, release by release.

use rusqlite::{Connection, TransactionBehavior};

/// Each brings the database from its place in this list to the next version. Never edited once released: a new one is
/// added below.
///
/// Entries, holds and events are kept as the JSON of their Rust types: columns are only what SQL looks for.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE app (
        id INTEGER PRIMARY KEY,
        environment TEXT NOT NULL,
        name TEXT NOT NULL,
        hold TEXT,
        suspension TEXT,
        nonconvergence TEXT,
        UNIQUE (environment, name)
    ) STRICT;

    -- services: service to image reference. digests: file of the revision's folder to its sha256.
    CREATE TABLE entry (
        app INTEGER NOT NULL REFERENCES app (id),
        number INTEGER NOT NULL,
        entry TEXT NOT NULL,
        services TEXT NOT NULL,
        digests TEXT NOT NULL,
        PRIMARY KEY (app, number)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE baseline (
        app INTEGER NOT NULL REFERENCES app (id),
        container TEXT NOT NULL,
        service TEXT NOT NULL,
        started_at TEXT,
        engine TEXT NOT NULL,
        projector INTEGER NOT NULL,
        projection TEXT NOT NULL,
        PRIMARY KEY (app, container)
    ) STRICT, WITHOUT ROWID;

    -- Times are microseconds since 1970 here, as the oldest rows are dropped by them.
    CREATE TABLE job_done (
        app INTEGER NOT NULL REFERENCES app (id),
        job TEXT NOT NULL,
        key TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (app, job, key)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE pull (
        app INTEGER NOT NULL REFERENCES app (id),
        reference TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (app, reference)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE event (
        id INTEGER PRIMARY KEY,
        app INTEGER NOT NULL REFERENCES app (id),
        event TEXT NOT NULL
    ) STRICT;
    CREATE INDEX event_by_app ON event (app, id);
",
    "
    CREATE TABLE stopped (
        app INTEGER NOT NULL REFERENCES app (id),
        container TEXT NOT NULL,
        started_at TEXT,
        PRIMARY KEY (app, container)
    ) STRICT, WITHOUT ROWID;
",
    "
    -- at: microseconds since 1970. by: who said so, where it was not the branch's own progress.
    CREATE TABLE accepted (
        source TEXT NOT NULL,
        reference TEXT NOT NULL,
        environment TEXT NOT NULL,
        commit_id TEXT NOT NULL,
        at INTEGER NOT NULL,
        by TEXT,
        PRIMARY KEY (source, reference, environment)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE retry (
        app INTEGER PRIMARY KEY REFERENCES app (id),
        at INTEGER NOT NULL
    ) STRICT;
",
];

/// The version this release writes.
pub(super) fn version() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// The version of a database; 0 is an empty one.
pub(super) fn version_of(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Brings a database to this release's version, in one transaction.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = usize::try_from(version_of(&transaction)?).unwrap_or(usize::MAX);
    for migration in MIGRATIONS.iter().skip(found) {
        transaction.execute_batch(migration)?;
    }
    if found < MIGRATIONS.len() {
        transaction.pragma_update(None, "user_version", version())?;
    }
    transaction.commit()
}
