//! Runs a program in a container and passes on what it writes, piece by piece.
//!
//! A stream that ends says nothing of how: containers that are killed end theirs as cleanly as programs that are done. Only
//! the exit code tells, and it is asked for afterwards (research, backup §3).

use super::{Docker, ask::encoded, read};
use crate::{
    engine::{
        Answer, EngineError,
        outflow::{FlowInside, IN_HAND, Outflow},
    },
    secret::{SecretValue, mask},
};
use bollard::{
    container::LogOutput,
    errors::Error,
    exec::{CreateExecOptions, StartExecOptions, StartExecResults},
};
use futures_util::{Stream, StreamExt};
use std::{collections::BTreeMap, pin::Pin, time::Duration};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    sync::mpsc::{self, Receiver, Sender},
};

/// Bytes that are read from the engine at once.
const BUFFER: usize = 128 * 1024;
/// So much of the end of a program's standard error is told.
const WORDS: usize = 4096;
/// So much more is kept until what is secret is taken out of it: no variable is longer (Linux, `MAX_ARG_STRLEN`).
const LONGEST: usize = 128 * 1024;
/// How often the exit code is asked for, and how long after the end of the output it may take.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS: usize = 200;

type Output = Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>;
type Input = Pin<Box<dyn AsyncWrite + Send>>;

impl Docker {
    pub(super) async fn begin_flow(&self, id: &str, run: FlowInside) -> Answer<Receiver<Outflow>> {
        let program = run.command.first().cloned().unwrap_or_default();
        let doing = format!("run `{program}` in container `{id}`");
        let options = CreateExecOptions {
            attach_stdin: Some(run.input.is_some()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(false),
            cmd: Some(run.command),
            user: run.user,
            ..Default::default()
        };
        let made =
            self.done(doing.clone(), |client| async move { client.create_exec(&encoded(id), options).await }).await?.id;
        let start = StartExecOptions { detach: false, tty: false, output_capacity: Some(BUFFER) };
        let (exec, input) = (made.clone(), run.input);
        let begun = self
            .done(doing.clone(), |client| async move { client.start_exec(&encoded(&exec), Some(start)).await })
            .await?;
        let StartExecResults::Attached { output, input: to } = begun else {
            return Err(EngineError::Garbled { doing, source: "it did not begin".into() });
        };
        let (sender, receiver) = mpsc::channel(IN_HAND);
        let (engine, id) = (self.clone(), id.to_owned());
        tokio::spawn(async move {
            // What reads is heard while it is told: a program that says a lot before it has read everything would wait.
            let told = pour(input, to);
            let (said, ()) = tokio::join!(pass_on(output, &sender), told);
            let last = match said {
                Ok(Some(said)) => {
                    let said = engine.without_secrets(&id, said).await;
                    engine.ended(&doing, &made, said).await
                }
                Ok(None) => return,
                Err(error) => Outflow::Lost(engine.failed(doing.clone(), Duration::ZERO, error)),
            };
            // Nobody may listen any more.
            let _ = sender.send(last).await;
        });
        Ok(receiver)
    }

    /// What a program said, without what its container's variables hold of secrets. Where nobody can tell any more which those are,
    /// nothing of it is told.
    async fn without_secrets(&self, id: &str, said: Said) -> String {
        if said.bytes.is_empty() {
            return String::new();
        }
        let inspected = self.ask_for("inspect a container", &format!("/containers/{}/json", encoded(id))).await;
        let Ok(inspected) = inspected else { return String::new() };
        said.without(&read::container::secrets(&inspected))
    }

    async fn ended(&self, doing: &str, exec: &str, said: String) -> Outflow {
        for _ in 0..LOOKS {
            let asked = self.ask_for(doing, &format!("/exec/{}/json", encoded(exec))).await;
            match asked {
                Err(error) => return Outflow::Lost(error),
                Ok(told) if told["Running"] == true => tokio::time::sleep(LOOK).await,
                Ok(told) => {
                    return match told["ExitCode"].as_i64() {
                        Some(code) => Outflow::Ended { code, said },
                        None => Outflow::Lost(EngineError::Garbled {
                            doing: doing.to_owned(),
                            source: "it names no exit code".into(),
                        }),
                    };
                }
            }
        }
        let source = "its output ended, and it did not".into();
        Outflow::Lost(EngineError::Garbled { doing: doing.to_owned(), source })
    }
}

/// The end of what a program said beside what it wrote.
#[derive(Default)]
struct Said {
    bytes: Vec<u8>,
    /// There was more before it.
    is_cut: bool,
}

impl Said {
    fn hear(&mut self, more: &[u8]) {
        self.bytes.extend(more);
        let over = self.bytes.len().saturating_sub(WORDS + LONGEST);
        self.is_cut |= over > 0;
        self.bytes.drain(..over);
    }

    fn without(&self, secrets: &BTreeMap<String, SecretValue>) -> String {
        // Half a character is none: what stands for it would be longer than it was.
        let begin = self.bytes.iter().take_while(|byte| self.is_cut && **byte & 0xc0 == 0x80).count();
        let text = String::from_utf8_lossy(self.bytes.get(begin..).unwrap_or_default());
        let told = if self.is_cut {
            mask::masked_end(&text, secrets, WORDS)
        } else {
            mask::end(&mask::masked(&text, secrets), WORDS).to_owned()
        };
        told.trim().to_owned()
    }
}

/// Passes on what is written, and gives back the end of what was said beside it; none where nobody listens any more.
async fn pass_on(mut output: Output, to: &Sender<Outflow>) -> Result<Option<Said>, Error> {
    let mut said = Said::default();
    while let Some(piece) = output.next().await {
        match piece? {
            LogOutput::StdOut { message } | LogOutput::Console { message } => {
                if to.send(Outflow::Bytes(message.into())).await.is_err() {
                    return Ok(None);
                }
            }
            LogOutput::StdErr { message } => said.hear(&message),
            LogOutput::StdIn { .. } => {}
        }
    }
    Ok(Some(said))
}

/// Hands a program what it reads. One that ends before has its exit code to say so.
async fn pour(input: Option<Receiver<Vec<u8>>>, mut to: Input) {
    let Some(mut input) = input else { return };
    while let Some(bytes) = input.recv().await {
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
    let _ = to.flush().await;
    let _ = to.shutdown().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_is_taken_out_before_the_rest_is_cut() {
        let secret = "s3cret-".repeat(100);
        let secrets = BTreeMap::from([("_TOKEN".to_owned(), SecretValue::new(secret.clone().into_bytes()))]);
        let after = "x".repeat(WORDS - 300);
        // In the middle of it the last words begin; and in the middle of one of these the part that is kept does.
        for before in [String::new(), format!("{}{secret}", "ä".repeat(LONGEST))] {
            for pad in 0..3 {
                let mut said = Said::default();
                let line = format!("{before}{}{secret}{after}", "y".repeat(pad));
                line.as_bytes().chunks(1000).for_each(|piece| said.hear(piece));
                let told = said.without(&secrets);
                assert!(told.ends_with(&format!("[secret _TOKEN]{after}")) && told.len() <= WORDS, "{told}");
                assert!(!told.contains("s3cret"), "{told}");
            }
        }
        for pad in 0..secret.len() {
            let mut said = Said::default();
            said.hear(secret.as_bytes());
            said.hear("z".repeat(WORDS + LONGEST - pad).as_bytes());
            let told = said.without(&secrets);
            assert!(!told.contains("s3cret") && !told.contains("cret-"), "{told}");
        }
    }
}
