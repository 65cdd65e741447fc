//! Repositories elsewhere, and whether their commits are believed: real servers on loopback, and the real binary.

#[path = "source/bare.rs"]
mod bare;
#[path = "source/dead.rs"]
mod dead;
#[path = "source/engine.rs"]
mod engine;
#[path = "source/https.rs"]
mod https;
#[path = "source/large.rs"]
mod large;
#[path = "source/moved.rs"]
mod moved;
#[path = "nginx/port.rs"]
mod port;
#[path = "source/rewind.rs"]
mod rewind;
#[path = "source/run.rs"]
mod run;
#[path = "source/signed.rs"]
mod signed;
#[path = "source/ssh.rs"]
mod ssh;
#[path = "source/sshd.rs"]
mod sshd;
#[path = "source/web.rs"]
mod web;
