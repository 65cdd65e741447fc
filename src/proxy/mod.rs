//! The proxy of a host: what each kind of it can do.

pub mod ability;
