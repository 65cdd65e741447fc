//! A bare repository that a server gives out, and a clone that pushes to it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

pub struct Bare {
    folder: PathBuf,
}

impl Bare {
    /// With a first manifest on `main`.
    pub fn in_folder(folder: &Path) -> Self {
        let bare = Self { folder: folder.to_owned() };
        git(folder, &["init", "-q", "--bare", "-b", "main", "m.git"]);
        git(folder, &["clone", "-q", "m.git", "clone"]);
        git(&bare.clone(), &["symbolic-ref", "HEAD", "refs/heads/main"]);
        bare.put("environments/production/web.yaml", "services: {web: {image: \"app:1\"}}\n");
        bare.push("first");
        bare
    }

    pub fn path(&self) -> PathBuf {
        self.folder.join("m.git")
    }

    pub fn clone(&self) -> PathBuf {
        self.folder.join("clone")
    }

    pub fn put(&self, path: &str, text: &str) {
        let path = self.clone().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Commits and pushes; tells the commit.
    pub fn push(&self, message: &str) -> String {
        let commit = self.commit(message);
        self.git(&["push", "-q", "--force", "origin", "HEAD"]);
        commit
    }

    /// As `push`, where a tag has the branch's name.
    pub fn push_branch(&self, message: &str) -> String {
        let commit = self.commit(message);
        self.git(&["push", "-q", "origin", "HEAD:refs/heads/main"]);
        commit
    }

    /// Git in the clone.
    pub fn git(&self, arguments: &[&str]) -> String {
        git(&self.clone(), arguments)
    }
}

pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "gc.auto=0"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A new SSH key without a passphrase; its public half lies beside it.
pub fn key(path: &Path, kind: &str) -> PathBuf {
    let words = ["-q", "-t", kind, "-N", "", "-C", "", "-f"];
    let made = Command::new("ssh-keygen").args(words).arg(path).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    path.to_owned()
}

/// The public half of a key, its kind and itself.
pub fn public(key: &Path) -> String {
    let text = fs::read_to_string(key.with_extension("pub")).unwrap();
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// `SHA256:…` of a key, as `ssh-keygen` prints it.
pub fn fingerprint(key: &Path) -> String {
    let printed = Command::new("ssh-keygen").arg("-lf").arg(key.with_extension("pub")).output().unwrap();
    String::from_utf8(printed.stdout).unwrap().split_whitespace().nth(1).unwrap().to_owned()
}
