//! `secret edit`: a file of the repository, in clear text for as long as an editor has it.

use super::{recipients, sealed_file, workspace::Workspace};
use crate::{
    cli::{Complaint, arguments::Global, results, session::Session},
    secret::{
        SecretValue,
        age::{Identities, Recipient, dearmored, kinds, open, seal},
        sealed::{self, Form},
    },
};
use clap::Args;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};
use tokio::signal::unix::{SignalKind, signal};

/// Opens an encrypted file in `$VISUAL` or `$EDITOR`, and encrypts what was saved; a file that is not there is begun.
///
/// An age file does not say whom it is for, so its recipients are those that are named, or `secrets/recipients.txt`.
#[derive(Debug, Args)]
pub struct Edit {
    /// The file of age identities that opens it [default: the host file's `secrets.age_identity`].
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// Whom it is for, `age1…`; may be given more than once [default: the lines of `secrets/recipients.txt`].
    #[arg(long = "recipient", value_name = "RECIPIENT")]
    pub recipients: Vec<String>,
    /// The age file.
    pub file: PathBuf,
}

impl Edit {
    /// Edits; where anything fails the file is as it was.
    ///
    /// # Errors
    /// The file cannot be opened or written; the editor failed; there is no recipient.
    pub async fn run(&self, global: &Global) -> Result<(), Complaint> {
        let recipients = recipients::named(&self.recipients, &self.file)?;
        let before = match sealed_file::read(&self.file)? {
            Some(content) => Some(self.open(&content, &recipients, global)?),
            None => None,
        };
        let old = before.as_ref().map_or(&[][..], |value| value.expose());
        let workspace = Workspace::new(&clear_name(&self.file), old)?;
        edit(workspace.file()).await?;
        let new = workspace.value().map_err(|error| Complaint::about("cannot read what was edited", error))?;
        let new = without_added_newline(old, &new);
        if new == old {
            results::tell(&format!("{} is as it was\n", self.file.display()));
            return Ok(());
        }
        if new.is_empty() {
            return Err(Complaint::says("the value is empty now, so the file is left as it was"));
        }
        if new.len() > sealed_file::LONGEST {
            return Err(Complaint::says(format!("the value is longer than {} bytes", sealed_file::LONGEST)));
        }
        sealed_file::write(&self.file, &seal(new, &recipients)?)?;
        let count = recipients.len();
        let whom = if count == 1 { "1 recipient".to_owned() } else { format!("{count} recipients") };
        results::tell(&format!("{} is encrypted for {whom}\n", self.file.display()));
        Ok(())
    }

    fn open(&self, content: &[u8], recipients: &[Recipient], global: &Global) -> Result<SecretValue, Complaint> {
        let file = self.file.display();
        match sealed::form(content) {
            Some(Form::Age) => {}
            Some(Form::Sops) => {
                let complaint = Complaint::says(format!("`{file}` is a SOPS file, which SOPS itself must seal"));
                return Err(complaint.with_hint(format!("sops edit {file}")));
            }
            None => {
                let complaint = Complaint::says(format!("`{file}` is not encrypted"));
                return Err(complaint.with_hint(format!("reconcile secret encrypt --out {file}.age {file}")));
            }
        }
        let path = self.identity(global)?;
        let identities = Identities::read(&path).map_err(|error| {
            let hint = error.hint();
            Complaint::from(error).with_hint(hint)
        })?;
        let value = open(content, &identities).map_err(|error| {
            let hint = error.hint();
            Complaint::about(format!("cannot open `{file}`"), error).with_hint(hint)
        })?;
        let written = kinds(&dearmored(content)?).len();
        // Nobody is left out or let in unseen: who they are the file does not say, but how many.
        if self.recipients.is_empty() && written != recipients.len() {
            let told =
                format!("`{file}` is for {written} recipients, and `{}` has {}", recipients::LIST, recipients.len());
            let hint = "name those that it shall have with `--recipient`, or encrypt it again".to_owned();
            return Err(Complaint::says(told).with_hint(hint));
        }
        Ok(value)
    }

    fn identity(&self, global: &Global) -> Result<PathBuf, Complaint> {
        if let Some(path) = &self.identity {
            return Ok(path.clone());
        }
        let configured = Session::begin(global)?.host.settings.secrets.age_identity;
        configured.map(|path| PathBuf::from(path.as_str())).ok_or_else(|| {
            Complaint::says("no identity is named that opens it")
                .with_hint("name its file with `--identity`".to_owned())
        })
    }
}

/// The name without `.age`: editors tell by it what stands in the file.
fn clear_name(path: &Path) -> Box<OsStr> {
    let whole = path.file_name().unwrap_or(OsStr::new("secret"));
    match (path.extension(), path.file_stem()) {
        (Some(ending), Some(stem)) if ending == "age" => stem.into(),
        (_, _) => whole.into(),
    }
}

/// Many editors end the last line; where it had no end before, that is not what somebody wrote.
fn without_added_newline<'a>(old: &[u8], new: &'a [u8]) -> &'a [u8] {
    match new.strip_suffix(b"\n") {
        Some(rest) if !old.is_empty() && !old.ends_with(b"\n") => rest,
        Some(_) | None => new,
    }
}

/// Waits for the editor. A signal to end ends the editor first, so that the clear text is wiped.
async fn edit(file: &Path) -> Result<(), Complaint> {
    let words = editor()?;
    let (program, arguments) = words.split_first().ok_or_else(|| Complaint::says("no editor is named"))?;
    // The terminal sends it to the editor too, which knows what it means.
    let _interrupted = signal(SignalKind::interrupt())?;
    let (mut terminated, mut hung_up) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    let begun = Command::new(program).args(arguments).arg(file).spawn();
    let mut child = begun.map_err(|error| Complaint::about(format!("cannot run the editor `{program}`"), error))?;
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let mut ended = tokio::task::spawn_blocking(move || child.wait());
    let status: ExitStatus = tokio::select! {
        status = &mut ended => status??,
        _ = async { tokio::select! { _ = terminated.recv() => {}, _ = hung_up.recv() => {} } } => {
            if let Some(id) = id {
                let _ = kill_process(id, Signal::TERM);
            }
            ended.await??;
            return Err(Complaint::says("told to end while the editor ran; nothing was changed"));
        }
    };
    if status.success() {
        return Ok(());
    }
    Err(Complaint::says(format!("the editor `{program}` failed ({status}); nothing was changed")))
}

fn editor() -> Result<Vec<String>, Complaint> {
    let named = ["VISUAL", "EDITOR"]
        .iter()
        .find_map(|name| Some((name, std::env::var(name).ok().filter(|text| !text.trim().is_empty())?)));
    let Some((name, text)) = named else {
        return Err(
            Complaint::says("neither `VISUAL` nor `EDITOR` names an editor").with_hint("EDITOR=nano, say".to_owned())
        );
    };
    shlex::split(&text).ok_or_else(|| Complaint::says(format!("`{name}` has a quote without an end")))
}
