//! What a world leaves behind: nothing.

use super::World;

impl Drop for World {
    fn drop(&mut self) {
        if std::env::var_os("RECONCILE_TEST_KEEP").is_some() {
            eprintln!("kept: {} in {}", self.name, self.folder.path().display());
            let _ = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap()).keep();
            return;
        }
        // Best effort, and no panic: the story may be failing already.
        for label in [format!("reconcile.installation={}", self.name), self.label()] {
            let filter = format!("label={label}");
            self.remove_all(&["ps", "-aq", "--filter", &filter], &["rm", "-fv"]);
            self.remove_all(&["network", "ls", "-q", "--filter", &filter], &["network", "rm"]);
            self.remove_all(&["volume", "ls", "-q", "--filter", &filter], &["volume", "rm"]);
        }
        // What is delivered lies outside the world's folder, below one of the engine and installation.
        for root in std::fs::read_dir("/run/reconcile/secrets").into_iter().flatten().filter_map(Result::ok) {
            for environment in std::fs::read_dir(root.path()).into_iter().flatten().filter_map(Result::ok) {
                if environment.file_name().to_string_lossy().starts_with(&self.name) {
                    let _ = std::fs::remove_dir_all(environment.path());
                    let _ = std::fs::remove_dir(root.path());
                }
            }
        }
        let images = self.engine.try_ask(&["images", "--format", "{{.Repository}}:{{.Tag}}"]);
        for tag in String::from_utf8_lossy(&images.stdout).lines().filter(|tag| tag.contains(&self.name)) {
            self.engine.try_ask(&["rmi", tag]);
        }
    }
}

impl World {
    fn remove_all(&self, list: &[&str], remove: &[&str]) {
        let found = self.engine.try_ask(list);
        let found = String::from_utf8_lossy(&found.stdout);
        for id in found.lines() {
            self.engine.try_ask(&[remove, &[id]].concat());
        }
    }
}
