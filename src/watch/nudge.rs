//! What one part of the daemon has to say to another. None of it carries what is to be done: it only says "look".

use super::branch::Halt;
use crate::pass::Head;
use std::sync::Arc;

/// What an environment is told of its branch.
#[derive(Clone, Debug)]
pub enum Word {
    /// The branch says this.
    Head(Arc<Head>),
    /// The branch has moved to where this environment does not follow.
    Halted(Halt),
}
