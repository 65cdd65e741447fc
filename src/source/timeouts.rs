//! How long libgit2 waits for a socket.

/// For a connection, in milliseconds; each address of a name has as long.
const CONNECT: i32 = 10_000;
/// For an answer, in milliseconds.
const ANSWER: i32 = 15_000;

/// Makes libgit2 give up on a socket that stays silent; by itself it waits for ever. Called once, before anything is
/// fetched.
///
/// # Errors
/// What libgit2 says.
pub fn limit_waiting() -> Result<(), git2::Error> {
    // SAFETY: both set a number of the library that no other thread reads yet: the command has just begun.
    #[allow(unsafe_code)]
    unsafe {
        git2::opts::set_server_connect_timeout_in_milliseconds(CONNECT)?;
        git2::opts::set_server_timeout_in_milliseconds(ANSWER)
    }
}
