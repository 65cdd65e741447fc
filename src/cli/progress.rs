//! The steps of a pass on a terminal, while they are done: one line that lives, and a line for each that is over.

use super::arguments::{Global, LogFormat, Output};
use crate::{pass::progress::TARGET, show::escape};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    fmt::Debug,
    io::{self, IsTerminal, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, filter, layer::Context, registry::LookupSpan};

/// How often the line that lives is drawn.
const TICK: Duration = Duration::from_millis(120);

/// The progress of this process; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The terminal can take a line back.
    lives: bool,
    /// Steps under way, the oldest first: what tells them from others, and their words.
    running: Vec<(String, String)>,
    line: Option<ProgressBar>,
}

impl Progress {
    /// Progress where somebody sits and reads text; none otherwise, and where the log says it already.
    pub fn wanted(global: &Global) -> Option<Self> {
        let read = global.output == Output::Text && global.log_format == LogFormat::Text && global.verbose == 0;
        let lives = std::env::var("TERM").is_ok_and(|terminal| !terminal.is_empty() && terminal != "dumb");
        (read && io::stderr().is_terminal()).then(|| Self(Arc::new(Mutex::new(State { lives, ..State::default() }))))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The layer that hears what a pass tells.
    pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(self) -> impl Layer<S> {
        self.with_filter(filter::filter_fn(|about| about.target() == TARGET))
    }
}

impl<S: Subscriber> Layer<S> for Progress {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut told = Told::default();
        event.record(&mut told);
        let mut state = self.state();
        match told.stage.as_str() {
            "begins" => state.begin(told),
            "goes" => state.go(told),
            _ => state.end(&told),
        }
    }
}

impl State {
    fn begin(&mut self, told: Told) {
        if !self.lives {
            if told.long {
                self.say(&format!("{}…", told.message));
            }
            return;
        }
        self.running.push((told.step, told.message));
        self.draw();
    }

    /// A step has other words now.
    fn go(&mut self, told: Told) {
        if let Some((_, words)) = self.running.iter_mut().find(|(step, _)| *step == told.step) {
            *words = told.message;
            self.draw();
        }
    }

    fn end(&mut self, told: &Told) {
        self.running.retain(|(step, _)| *step != told.step);
        self.say(&told.message);
        self.draw();
    }

    /// A line that stays.
    fn say(&self, line: &str) {
        match &self.line {
            Some(bar) => bar.println(line),
            // A terminal that is gone is no reason to stop.
            None => drop(writeln!(io::stderr(), "{line}")),
        }
    }

    /// The line that lives: the oldest step under way, with its time.
    fn draw(&mut self) {
        let Some((_, oldest)) = self.running.first() else {
            if let Some(line) = self.line.take() {
                line.finish_and_clear();
            }
            return;
        };
        let message = match self.running.len() {
            1 => format!("{oldest}…"),
            several => format!("{oldest}, and {} more…", several - 1),
        };
        let line = self.line.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}");
            let line =
                ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            line.enable_steady_tick(TICK);
            line
        });
        // What comes after a comma is how far it is.
        let (begun, now) = (line.message(), oldest.as_str());
        let name = |words: &str| words.split(", ").next().unwrap_or_default().trim_end_matches('…').to_owned();
        if name(&begun) != name(now) {
            line.reset_elapsed();
        }
        line.set_message(message);
    }
}

/// What a pass told.
#[derive(Debug, Default)]
struct Told {
    stage: String,
    step: String,
    message: String,
    long: bool,
}

impl Visit for Told {
    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == "long" {
            self.long = value;
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "stage" => value.clone_into(&mut self.stage),
            "step" => value.clone_into(&mut self.step),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            // What an engine says of a failure is in it, in the words of whoever made the image.
            self.message = escape::plain(&format!("{value:?}"));
        }
    }
}

/// Standard error for the log: a line of it does not fall into the line that lives.
#[derive(Debug)]
pub struct Aside(Option<Progress>);

impl Aside {
    /// Beside this progress.
    pub fn of(progress: Option<&Progress>) -> Self {
        Self(progress.cloned())
    }
}

impl Write for Aside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = self.0.as_ref().and_then(|progress| progress.state().line.clone());
        // Whoever read it is gone, and the log would panic of it.
        let harmless = escape::log(&String::from_utf8_lossy(bytes));
        let write = || drop(io::stderr().write_all(harmless.as_bytes()));
        match line {
            Some(line) => line.suspend(write),
            None => write(),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
