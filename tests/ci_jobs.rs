//! The CI jobs that `init` writes, run as their runners would: every shell line, with the real `git`, `jq` and `curl`,
//! in a clone that belongs to another user, against a forge that writes down what it is sent.

use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};
use tempfile::TempDir;

const WEB: &str = "environments/production/web.yaml";

/// A line or block of shell, and the variables of its step.
struct Step {
    text: String,
    variables: Vec<(String, String)>,
}

/// A repository that `init` made, with a second commit that a request to merge would bring.
struct Request {
    folder: TempDir,
    base: String,
    forge: String,
    heard: Receiver<Heard>,
}

/// What a forge was sent.
struct Heard {
    head: Vec<String>,
    body: String,
}

impl Request {
    fn with(change: impl Fn(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let origin = folder.path().join("origin");
        for name in ["home", "programs"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_reconcile"), folder.path().join("programs/reconcile")).unwrap();
        let (forge, heard) = forge();
        let mut request = Self { folder, base: String::new(), forge, heard };
        let environments = ["init", "--environment", "production", "--environment", "staging"];
        request.done(request.command("reconcile").args(environments).arg(&origin));
        request.base = request.commit(&origin, "web: first");
        change(&origin);
        request.commit(&origin, "web: newer");
        let workspace = request.workspace();
        request.done(request.command("git").args(["clone", "-q"]).args([&origin, &workspace]));
        // A runner's checkout belongs to somebody else than the root of the job's container.
        Command::new("chown").args(["-R", "12345"]).arg(&workspace).output().unwrap();
        request
    }

    fn workspace(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    fn command(&self, program: &str) -> Command {
        let programs = format!("{}:{}", self.folder.path().join("programs").display(), env!("PATH"));
        let mut command = Command::new(program);
        command.env_clear().env("PATH", programs).env("HOME", self.folder.path().join("home"));
        // Nobody lives there: a preview needs no engine.
        command.env("DOCKER_HOST", "unix:///nobody/is/there.sock").current_dir(self.folder.path());
        command
    }

    #[track_caller]
    fn done(&self, command: &mut Command) -> String {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn commit(&self, at: &Path, subject: &str) -> String {
        let git = || {
            let mut git = self.command("git");
            git.current_dir(at).args(["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]);
            git
        };
        self.done(git().args(["add", "-A"]));
        self.done(git().args(["commit", "-qm", subject]));
        self.done(git().args(["rev-parse", "HEAD"]))
    }

    /// A file of the repository, as YAML.
    fn read(&self, name: &str) -> Value {
        serde_yaml::from_str(&fs::read_to_string(self.workspace().join(name)).unwrap()).unwrap()
    }

    fn run(&self, shell: &[&str], step: &Step, variables: &[(&str, String)]) -> Output {
        let (program, flags) = shell.split_first().unwrap();
        let mut command = self.command(program);
        command.args(flags).arg("-c").arg(&step.text).current_dir(self.workspace());
        command.envs(variables.iter().cloned()).envs(step.variables.iter().cloned());
        command.output().unwrap()
    }

    /// Runs the steps in turn, until one fails.
    fn run_all(&self, shell: &[&str], steps: &[Step], variables: &[(&str, String)]) -> Result<(), String> {
        for step in steps {
            let output = self.run(shell, step, variables);
            if !output.status.success() {
                return Err(format!("`{}`: {}", step.text, said(&output)));
            }
        }
        Ok(())
    }

    /// The job for GitLab: one shell for all of its lines, as that runner does it.
    fn gitlab(&self, token: Option<&str>) -> Result<(), String> {
        let job = &self.read(".gitlab-ci.yml")["preview"];
        let lines = ["before_script", "script"].iter().filter_map(|part| job[part].as_array()).flatten();
        let text = lines.map(|line| line.as_str().unwrap()).collect::<Vec<_>>().join("\n");
        let mut variables = vec![
            ("CI_PROJECT_DIR", self.workspace().display().to_string()),
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", self.base.clone()),
            ("CI_API_V4_URL", format!("{}/api/v4", self.forge)),
            ("CI_PROJECT_ID", "7".to_owned()),
            ("CI_MERGE_REQUEST_IID", "12".to_owned()),
        ];
        variables.extend(token.map(|token| ("PREVIEW_TOKEN", token.to_owned())));
        self.run_all(&["bash", "-eo", "pipefail"], &[Step { text, variables: vec![] }], &variables)
    }

    /// The job for GitHub: a shell for each step; in a container that is `sh`.
    fn github(&self) -> Result<(), String> {
        let workflow = self.read(".github/workflows/preview.yml");
        let steps = workflow["jobs"]["preview"]["steps"].as_array().unwrap();
        let steps: Vec<Step> = steps
            .iter()
            .filter_map(|step| {
                let own = step["env"].as_object().into_iter().flatten();
                Some(Step {
                    text: step["run"].as_str()?.to_owned(),
                    variables: own.map(|(name, value)| (name.clone(), self.filled(value.as_str().unwrap()))).collect(),
                })
            })
            .collect();
        assert!(steps.len() >= 5, "only {} steps run something", steps.len());
        let variables = [
            ("GITHUB_WORKSPACE", self.workspace().display().to_string()),
            ("GITHUB_STEP_SUMMARY", self.folder.path().join("summary.md").display().to_string()),
        ];
        self.run_all(&["sh", "-e"], &steps, &variables)
    }

    /// What the forge puts in place of an expression.
    fn filled(&self, value: &str) -> String {
        match value {
            "${{ github.event.pull_request.base.sha }}" => self.base.clone(),
            "${{ github.token }}" => "a-token".to_owned(),
            "${{ github.event.pull_request.comments_url }}" => format!("{}/comments", self.forge),
            other => panic!("`{other}` is not known here: add what the forge puts in its place"),
        }
    }

    fn heard(&self) -> Heard {
        self.heard.recv_timeout(Duration::from_secs(60)).expect("the forge is sent a comment")
    }

    fn preview(&self) -> String {
        let preview = fs::read_to_string(self.workspace().join("preview.md")).unwrap();
        for part in ["production", "services.web.mem_limit", "256", "staging", "service/api", "create"] {
            assert!(preview.contains(part), "`{part}` is not in:\n{preview}");
        }
        preview
    }
}

/// Answers every request, and passes on what it heard.
fn forge() -> (String, Receiver<Heard>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (tell, heard) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let head: Vec<String> =
                reader.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
            let length =
                head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or_default()];
            reader.read_exact(&mut body).unwrap();
            reader.into_inner().write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}").unwrap();
            if tell.send(Heard { head, body: String::from_utf8(body).unwrap() }).is_err() {
                return;
            }
        }
    });
    (address, heard)
}

fn said(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{}\nstdout:\n{out}\nstderr:\n{err}", output.status)
}

fn edit(origin: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(origin.join(WEB)).unwrap();
    assert!(text.contains(from));
    fs::write(origin.join(WEB), text.replace(from, to)).unwrap();
}

/// One environment's limit changes, the other one gets an app.
fn newer(origin: &Path) {
    edit(origin, "128m", "256m");
    fs::write(origin.join("environments/staging/api.yaml"), "services: {api: {image: \"api:1\"}}\n").unwrap();
}

#[test]
fn the_job_for_gitlab_writes_a_preview_and_comments_it_with_a_token() {
    let request = Request::with(newer);
    request.gitlab(None).unwrap();
    let preview = request.preview();
    request.gitlab(Some("a-token")).unwrap();
    let heard = request.heard();
    assert_eq!(
        heard.head[0], "POST /api/v4/projects/7/merge_requests/12/notes HTTP/1.1",
        "the first was without a token"
    );
    assert!(heard.head.contains(&"PRIVATE-TOKEN: a-token".to_owned()), "{:?}", heard.head);
    assert_eq!(from_form(&heard.body), format!("body={preview}"));
    let artifacts = request.read(".gitlab-ci.yml")["preview"]["artifacts"]["paths"].clone();
    assert_eq!(artifacts, serde_json::json!(["preview.md"]));
}

#[test]
fn the_job_for_github_writes_a_summary_and_comments_it() {
    let request = Request::with(newer);
    request.github().unwrap();
    let preview = request.preview();
    let summary = fs::read_to_string(request.folder.path().join("summary.md")).unwrap();
    assert_eq!(summary, preview);
    let heard = request.heard();
    assert_eq!(heard.head[0], "POST /comments HTTP/1.1");
    assert!(heard.head.contains(&"Authorization: Bearer a-token".to_owned()), "{:?}", heard.head);
    let sent: Value = serde_json::from_str(&heard.body).unwrap();
    assert_eq!(sent, serde_json::json!({ "body": preview }));
}

#[test]
fn a_wrong_manifest_fails_both_jobs_with_its_place() {
    let request = Request::with(|origin| edit(origin, "mem_limit", "mem_limits"));
    for failed in [request.gitlab(Some("a-token")), request.github()] {
        let said = failed.expect_err("a wrong manifest passed");
        assert!(said.contains(&format!("{WEB}:")) && said.contains("mem_limits"), "{said}");
    }
    assert!(request.heard.try_recv().is_err(), "a preview of a wrong manifest was sent");
}

/// A form's value as it was before it was encoded.
fn from_form(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            }
            plain => bytes.push(plain),
        }
    }
    String::from_utf8(bytes).unwrap()
}
