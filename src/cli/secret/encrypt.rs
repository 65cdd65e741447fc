//! `secret encrypt`: a value becomes a file that may be committed.

use super::{recipients, sealed_file};
use crate::{
    cli::{Complaint, results},
    secret::{age::seal, sealed},
};
use clap::Args;
use secrecy::zeroize::Zeroizing;
use std::{
    fs,
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
};

/// Encrypts a value for the repository: an armoured age file, taken byte by byte.
#[derive(Debug, Args)]
pub struct Encrypt {
    /// Whom it is for, `age1…`; may be given more than once [default: the lines of `secrets/recipients.txt`].
    #[arg(long = "recipient", value_name = "RECIPIENT")]
    pub recipients: Vec<String>,
    /// Where the encrypted file goes [default: standard output].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The file that holds the value; `-` is standard input.
    pub file: PathBuf,
}

impl Encrypt {
    /// Encrypts.
    ///
    /// # Errors
    /// There is no value or no recipient; a file cannot be read or written.
    pub fn run(&self) -> Result<(), Complaint> {
        let near = self.out.as_deref().unwrap_or(Path::new("."));
        let recipients = recipients::named(&self.recipients, near)?;
        let value = if self.file == Path::new("-") { from_standard_input()? } else { from_file(&self.file)? };
        if value.is_empty() {
            return Err(Complaint::says("the value is empty"));
        }
        if value.len() > sealed_file::LONGEST {
            return Err(Complaint::says(format!("the value is longer than {} bytes", sealed_file::LONGEST)));
        }
        if sealed::form(&value).is_some() {
            return Err(Complaint::says("this is encrypted already"));
        }
        if value.ends_with(b"\n") && value.iter().filter(|byte| **byte == b'\n').count() == 1 {
            results::tell("note: the value ends with a newline, which is a part of it; `printf %s` writes none\n");
        }
        let sealed = seal(&value, &recipients)?;
        match &self.out {
            Some(out) => sealed_file::write(out, &sealed),
            None => results::print(&sealed),
        }
    }
}

fn from_standard_input() -> Result<Zeroizing<Vec<u8>>, Complaint> {
    if io::stdin().is_terminal() {
        return Err(Complaint::says("standard input is a terminal, which shows what is typed")
            .with_hint("write it in an editor: `reconcile secret edit FILE`".to_owned()));
    }
    taken(io::stdin()).map_err(|error| Complaint::about("cannot read standard input", error))
}

fn from_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, Complaint> {
    let read = fs::File::open(path).and_then(taken);
    read.map_err(|error| Complaint::about(format!("cannot read `{}`", path.display()), error))
}

/// One byte more than a value may have tells one that is too long.
fn taken(from: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let most = sealed_file::LONGEST + 1;
    // As large as it will be: a buffer that grows leaves copies behind.
    let mut value = Zeroizing::new(Vec::with_capacity(most));
    from.take(most as u64).read_to_end(&mut value)?;
    Ok(value)
}
