//! Login files, who is asked first, and what is never told.

mod keyring;
mod login;
