//! A language server in a process of its own, and as much of its protocol (LSP 3.17) as the tests speak.

use serde_json::{Value as Json, json};
use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

/// How long the server may take for one answer: it starts a JavaScript engine on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Something the server marks.
#[derive(Debug, PartialEq, Eq)]
pub struct Mark {
    /// From 1.
    pub line: u64,
    pub message: String,
}

/// A running language server with a folder of its own.
pub struct Server {
    process: Child,
    input: ChildStdin,
    messages: Receiver<Json>,
    /// What came while something else was awaited.
    published: HashMap<String, Vec<Mark>>,
    folder: tempfile::TempDir,
    next_id: u64,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when it is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    /// Starts it in a fresh folder that holds these files.
    pub fn start(files: &[(&str, Json)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, content) in files {
            write(&folder.path().join(name), &content.to_string());
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/editor-server");
        let output = Command::new(script).stderr(Stdio::inherit()).output().expect("scripts/editor-server runs");
        assert!(output.status.success(), "scripts/editor-server failed");
        let program = String::from_utf8(output.stdout).expect("a path");
        let mut process = Command::new("node")
            .args([program.trim(), "--stdio"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let input = process.stdin.take().expect("its input");
        let mut output = BufReader::new(process.stdout.take().expect("its output"));
        let (sender, messages) = channel();
        thread::spawn(move || {
            while let Some(message) = read_message(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let mut server = Self { process, input, messages, published: HashMap::new(), folder, next_id: 0 };
        server.greet();
        server
    }

    fn greet(&mut self) {
        let root = self.uri("");
        let capabilities = json!({"textDocument": {"publishDiagnostics": {}, "hover": {"contentFormat": ["plaintext"]},
            "completion": {"completionItem": {"snippetSupport": false}}}});
        self.ask("initialize", json!({"processId": null, "rootUri": root, "capabilities": capabilities}));
        self.tell("initialized", json!({}));
        // Only what the files themselves name: nothing is fetched from anywhere.
        let settings = json!({"yaml": {"validate": true, "hover": true, "completion": true,
            "schemaStore": {"enable": false}}, "http": {"proxy": "", "proxyStrictSSL": false}});
        self.tell("workspace/didChangeConfiguration", json!({"settings": settings}));
    }

    /// Opens a file with this text.
    pub fn open(&mut self, name: &str, text: &str) {
        write(&self.folder.path().join(name), text);
        let document = json!({"uri": self.uri(name), "languageId": "yaml", "version": 1, "text": text});
        self.tell("textDocument/didOpen", json!({"textDocument": document}));
    }

    /// Opens a file and gives its marks, once there are some.
    pub fn marks(&mut self, name: &str, text: &str) -> Vec<Mark> {
        self.open(name, text);
        let uri = self.uri(name);
        loop {
            // The first word on a file may come before its schema is read, and is empty then.
            if let Some(marks) = self.published.remove(&uri).filter(|marks| !marks.is_empty()) {
                return marks;
            }
            let message = self.message(&format!("a mark in {name}"));
            self.notice(&message);
        }
    }

    /// What is told of the character at a line and column from 1.
    pub fn hover(&mut self, name: &str, line: u64, column: u64) -> String {
        let answer = self.ask("textDocument/hover", self.position(name, line, column));
        let contents = &answer["contents"];
        contents["value"].as_str().or_else(|| contents.as_str()).unwrap_or_default().to_owned()
    }

    /// The words that are offered at a line and column from 1.
    pub fn completion(&mut self, name: &str, line: u64, column: u64) -> Vec<String> {
        let answer = self.ask("textDocument/completion", self.position(name, line, column));
        let items = answer["items"].as_array().or_else(|| answer.as_array()).expect("a list");
        items.iter().filter_map(|item| item["label"].as_str()).map(str::to_owned).collect()
    }

    fn position(&self, name: &str, line: u64, column: u64) -> Json {
        json!({"textDocument": {"uri": self.uri(name)}, "position": {"line": line - 1, "character": column - 1}})
    }

    fn uri(&self, name: &str) -> String {
        format!("file://{}/{name}", self.folder.path().display())
    }

    fn ask(&mut self, method: &str, parameters: Json) -> Json {
        self.next_id += 1;
        let id = self.next_id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": parameters}));
        loop {
            let mut message = self.message(method);
            if message.get("method").is_none() && message["id"] == id {
                assert_eq!(message.get("error"), None, "{method}");
                return message["result"].take();
            }
            self.notice(&message);
        }
    }

    fn tell(&mut self, method: &str, parameters: Json) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": parameters}));
    }

    fn send(&mut self, message: &Json) {
        let body = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("the server listens");
        self.input.flush().expect("the server listens");
    }

    fn message(&mut self, awaited: &str) -> Json {
        self.messages.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("waiting for {awaited}: {error}"))
    }

    /// Keeps what is published, and answers what the server asks with nothing.
    fn notice(&mut self, message: &Json) {
        if message["method"] == "textDocument/publishDiagnostics" {
            let uri = message["params"]["uri"].as_str().expect("a file").to_owned();
            let marks = message["params"]["diagnostics"].as_array().expect("a list").iter().map(mark).collect();
            self.published.insert(uri, marks);
        } else if let Some(id) = message.get("id").filter(|_| message.get("method").is_some()) {
            let id = id.clone();
            self.send(&json!({"jsonrpc": "2.0", "id": id, "result": null}));
        }
    }
}

fn mark(diagnostic: &Json) -> Mark {
    let line = diagnostic["range"]["start"]["line"].as_u64().expect("a line") + 1;
    Mark { line, message: diagnostic["message"].as_str().expect("a message").to_owned() }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
    fs::write(path, text).expect("a file can be written");
}

/// A message, or none when the server is gone.
fn read_message(output: &mut impl BufRead) -> Option<Json> {
    let mut length = None;
    loop {
        let mut header = String::new();
        if output.read_line(&mut header).ok()? == 0 {
            return None;
        }
        match header.trim_end() {
            "" => break,
            line => length = line.strip_prefix("Content-Length: ").and_then(|n| n.parse().ok()).or(length),
        }
    }
    let mut body = vec![0; length?];
    output.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}
