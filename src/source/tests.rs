//! Real repositories, made with the git command in temporary folders.

use super::{LARGEST_FILE, MOST_FILES, Refusal, Repository, SourceError};
use std::{fs, os::unix::fs::symlink, path::Path, process::Command};
use tempfile::TempDir;

struct Scratch(TempDir);

impl Scratch {
    fn empty() -> Self {
        let scratch = Self(tempfile::tempdir().unwrap());
        scratch.git(&["init", "-q", "-b", "main"]);
        scratch
    }

    fn with(files: &[(&str, &str)]) -> Self {
        let scratch = Self::empty();
        for (path, text) in files {
            scratch.put(path, text);
        }
        scratch.commit("first");
        scratch
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn put(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(self.path(), arguments)
    }

    fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn open(&self) -> Repository {
        Repository::open(self.path().to_str().unwrap()).unwrap()
    }

    fn refused(&self) -> Vec<(String, Refusal)> {
        let repository = self.open();
        match repository.files(&repository.commit(None).unwrap(), "environments") {
            Err(SourceError::Refused { files, .. }) => files,
            other => panic!("nothing was refused: {other:?}"),
        }
    }
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "protocol.file.allow=always"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn said(error: &SourceError) -> String {
    format!("{error}\n{}", error.hint().unwrap_or_default())
}

#[test]
fn head_is_shown_by_its_branch() {
    let scratch = Scratch::with(&[("environments/production/web.yaml", "services: {}\n")]);
    let commit = scratch.open().commit(None).unwrap();
    assert_eq!(commit.revision(), format!("main@sha1:{}", scratch.git(&["rev-parse", "HEAD"])));
    assert_eq!((commit.author.as_str(), commit.subject.as_str()), ("Ada", "first"));
    assert_eq!(commit.at.as_second().to_string(), scratch.git(&["show", "-s", "--format=%ct"]));
}

#[test]
fn a_commit_is_found_by_branch_tag_id_and_expression() {
    let scratch = Scratch::with(&[]);
    let first = scratch.git(&["rev-parse", "HEAD"]);
    scratch.git(&["tag", "-a", "v1", "-m", "tagged"]);
    let second = scratch.commit("second");
    scratch.git(&["branch", "topic/one"]);
    let repository = scratch.open();
    for (reference, shown, id) in [
        ("main", "main", &second),
        ("refs/heads/main", "main", &second),
        ("topic/one", "topic/one", &second),
        ("v1", "v1", &first),
        ("HEAD~1", "HEAD~1", &first),
        ("HEAD", "HEAD", &second),
        (&first[..8], &first[..8], &first),
    ] {
        let commit = repository.commit(Some(reference)).unwrap();
        assert_eq!((commit.reference.as_str(), &commit.id), (shown, id), "{reference}");
    }
}

#[test]
fn a_tag_does_not_stand_in_for_the_branch_of_its_name() {
    let scratch = Scratch::with(&[]);
    scratch.git(&["tag", "main"]);
    let second = scratch.commit("second");
    assert_eq!(scratch.open().commit(Some("main")).unwrap().id, second);
}

#[test]
fn a_detached_head_is_shown_as_head() {
    let scratch = Scratch::with(&[]);
    scratch.git(&["checkout", "-q", "--detach"]);
    assert_eq!(scratch.open().commit(None).unwrap().reference, "HEAD");
}

#[test]
fn what_names_no_commit_is_told_apart() {
    let scratch = Scratch::with(&[]);
    let tree = scratch.git(&["rev-parse", "HEAD^{tree}"]);
    let repository = scratch.open();
    for reference in ["nowhere", "HEAD~7", &tree, "0000000000000000000000000000000000000000", "a b"] {
        let error = repository.commit(Some(reference)).unwrap_err();
        assert!(matches!(error, SourceError::NoCommit { shallow: false, .. }), "{reference}: {error:?}");
    }
    for reference in [":/first", "HEAD^{/first}"] {
        assert!(matches!(repository.commit(Some(reference)), Err(SourceError::Search { .. })), "{reference}");
    }
}

#[test]
fn a_shallow_clone_says_how_to_get_the_rest() {
    let scratch = Scratch::with(&[]);
    scratch.commit("second");
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", scratch.path().display());
    git(folder.path(), &["clone", "-q", "--depth", "1", &url, "clone"]);
    let clone = Repository::open(folder.path().join("clone").to_str().unwrap()).unwrap();
    let error = clone.commit(Some("HEAD~1")).unwrap_err();
    assert!(said(&error).contains("git fetch --unshallow"), "{}", said(&error));
}

#[test]
fn a_repository_without_a_commit_names_its_branch() {
    let repository = Scratch::empty();
    for reference in [None, Some("HEAD"), Some("main"), Some("refs/heads/main")] {
        match repository.open().commit(reference) {
            Err(SourceError::Unborn { reference, .. }) => assert_eq!(reference, "main"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn files_come_with_their_path_from_the_root() {
    let scratch = Scratch::with(&[
        ("environments/production/web.yaml", "a\n"),
        ("environments/_base/web.yaml", "b\n"),
        ("elsewhere/big", "c\n"),
    ]);
    fs::write(scratch.path().join("environments/production/web.yaml"), "not committed").unwrap();
    let repository = scratch.open();
    let head = repository.commit(None).unwrap();
    for below in ["environments", "environments/", "/environments"] {
        let files = repository.files(&head, below).unwrap();
        let seen: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        assert_eq!(seen, [("environments/_base/web.yaml", "b\n"), ("environments/production/web.yaml", "a\n")]);
    }
    assert_eq!(repository.files(&head, ".").unwrap().len(), 3);
    assert_eq!(repository.files(&head, "environments/_base").unwrap().len(), 1);
}

#[test]
fn a_bare_repository_is_read_in_place() {
    let scratch = Scratch::with(&[("environments/production/web.yaml", "a\n")]);
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["clone", "-q", "--bare", scratch.path().to_str().unwrap(), "m.git"]);
    let bare = folder.path().join("m.git");
    let before = fs::read_dir(&bare).unwrap().count();
    let repository = Repository::open(&format!("file://{}", bare.display())).unwrap();
    assert_eq!(repository.files(&repository.commit(None).unwrap(), "environments").unwrap().len(), 1);
    assert_eq!(fs::read_dir(&bare).unwrap().count(), before);
    let error = repository.worktree_files("environments").unwrap_err();
    assert!(matches!(error, SourceError::Bare { .. }), "{error:?}");
}

#[test]
fn a_tree_without_the_folder_is_told_apart_from_an_unreadable_one() {
    let scratch = Scratch::with(&[("environments", "a file\n")]);
    let repository = scratch.open();
    let head = repository.commit(None).unwrap();
    for below in ["environments", "missing", "missing/deeper"] {
        assert!(repository.files(&head, below).unwrap_err().is_missing_folder(), "{below}");
    }
    assert!(repository.worktree_files("missing").unwrap_err().is_missing_folder());
}

#[test]
fn links_pointers_and_what_is_no_text_are_refused_all_at_once_by_name() {
    let scratch = Scratch::with(&[("environments/p/web.yaml", "fine\n")]);
    symlink("/etc/passwd", scratch.path().join("environments/p/link.yaml")).unwrap();
    scratch.put("environments/p/pointer.yaml", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
    scratch.put("environments/p/latin.yaml", [b'a', 0xff]);
    scratch.put("environments/p/large.yaml", vec![b'a'; LARGEST_FILE as usize + 1]);
    scratch.put("environments/p/full.yaml", vec![b'a'; LARGEST_FILE as usize]);
    scratch.commit("odd");
    let seen = scratch.refused();
    let wanted = [
        ("environments/p/large.yaml".to_owned(), Refusal::TooLarge { bytes: LARGEST_FILE + 1 }),
        ("environments/p/latin.yaml".to_owned(), Refusal::NotText),
        ("environments/p/link.yaml".to_owned(), Refusal::Symlink),
        ("environments/p/pointer.yaml".to_owned(), Refusal::LargeFileStoragePointer),
    ];
    assert_eq!(seen, wanted);
    match scratch.open().worktree_files("environments") {
        Err(SourceError::Refused { files, .. }) => assert_eq!(files, wanted),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_submodule_is_refused_by_name() {
    let inner = Scratch::with(&[("a.yaml", "a\n")]);
    let scratch = Scratch::with(&[("environments/p/web.yaml", "fine\n")]);
    scratch.git(&["submodule", "--quiet", "add", inner.path().to_str().unwrap(), "environments/p/sub"]);
    scratch.commit("submodule");
    assert_eq!(scratch.refused(), [("environments/p/sub".to_owned(), Refusal::Submodule)]);
    let error = scratch.open().worktree_files("environments").unwrap_err();
    assert!(error.to_string().contains("`environments/p/sub` is a submodule"), "{error}");
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let scratch = Scratch::with(&[]);
    // Git's own commands refuse such a name, so the tree is written as an object.
    let repository = scratch.open();
    let blob = repository.git.blob(b"a\n").unwrap();
    let tree = |name: &[u8], mode: &[u8], id: git2::Oid| {
        let body = [mode, b" ", name, b"\0", id.as_bytes()].concat();
        repository.git.odb().unwrap().write(git2::ObjectType::Tree, &body).unwrap()
    };
    for name in ["..", "a\nb", "a\\b", "\u{1b}[2J"] {
        let folder = tree(name.as_bytes(), b"100644", blob);
        let root = repository.git.find_tree(tree(b"environments", b"40000", folder)).unwrap();
        let ada = git2::Signature::now("Ada", "ada@example.com").unwrap();
        let id = repository.git.commit(None, &ada, &ada, "odd", &root, &[]).unwrap();
        let commit = repository.commit(Some(&id.to_string())).unwrap();
        let error = repository.files(&commit, "environments").unwrap_err();
        assert!(error.to_string().contains("characters that a manifest's path cannot have"), "{name}: {error}");
        assert!(!error.to_string().contains('\u{1b}'), "the name is not escaped: {error:?}");
    }
}

#[test]
fn a_tree_of_folders_that_hold_each_other_ten_times_over_ends_early() {
    let scratch = Scratch::with(&[]);
    let repository = scratch.open();
    let objects = repository.git.odb().unwrap();
    let mut folder = objects.write(git2::ObjectType::Tree, b"").unwrap();
    for _ in 0..10 {
        let body: Vec<u8> =
            (b'a'..=b'j').flat_map(|name| [b"40000 ", &[name][..], b"\0", folder.as_bytes()].concat()).collect();
        folder = objects.write(git2::ObjectType::Tree, &body).unwrap();
    }
    let ada = git2::Signature::now("Ada", "ada@example.com").unwrap();
    let root = repository.git.find_tree(folder).unwrap();
    let id = repository.git.commit(None, &ada, &ada, "bomb", &root, &[]).unwrap();
    let commit = repository.commit(Some(&id.to_string())).unwrap();
    assert!(matches!(repository.files(&commit, "a"), Err(SourceError::TooMany { .. })));
}

#[test]
fn more_files_or_bytes_than_anyone_writes_are_refused() {
    let many = Scratch::empty();
    for number in 0..=MOST_FILES {
        many.put(&format!("environments/p/{number}.yaml"), "");
    }
    many.commit("many");
    let much = Scratch::empty();
    for number in 0..=64 {
        much.put(&format!("environments/{number}.yaml"), vec![b'a'; LARGEST_FILE as usize]);
    }
    much.commit("much");
    for (scratch, wanted) in [(many, "more than 2000 files"), (much, "more than 16777216 bytes")] {
        let repository = scratch.open();
        let head = repository.commit(None).unwrap();
        for error in [repository.files(&head, "environments"), repository.worktree_files("environments")] {
            let error = error.unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }
}

#[test]
fn the_working_tree_is_read_without_what_git_ignores() {
    let scratch = Scratch::with(&[
        (".gitignore", "*.tmp.yaml\nbuild/\n"),
        ("environments/p/web.yaml", "old\n"),
        ("environments/p/gone.yaml", "old\n"),
    ]);
    scratch.put("environments/p/web.yaml", "new\n");
    scratch.put("environments/p/added.yaml", "added\n");
    scratch.put("environments/p/note.tmp.yaml", "ignored\n");
    scratch.put("environments/p/kept.tmp.yaml", "tracked although ignored\n");
    scratch.git(&["add", "-f", "environments/p/kept.tmp.yaml"]);
    scratch.put("environments/build/out.yaml", "ignored\n");
    fs::remove_file(scratch.path().join("environments/p/gone.yaml")).unwrap();
    let files = scratch.open().worktree_files("environments").unwrap();
    let seen: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.trim())).collect();
    assert_eq!(
        seen,
        [
            ("environments/p/added.yaml", "added"),
            ("environments/p/kept.tmp.yaml", "tracked although ignored"),
            ("environments/p/web.yaml", "new"),
        ]
    );
}

#[test]
fn a_working_tree_whose_folder_is_a_link_is_refused() {
    let scratch = Scratch::with(&[("real/p/web.yaml", "a\n")]);
    symlink("real", scratch.path().join("environments")).unwrap();
    let error = scratch.open().worktree_files("environments/p").unwrap_err();
    assert!(error.to_string().contains("`environments` is a symbolic link"), "{error}");
}

#[test]
fn a_repository_elsewhere_is_not_opened_in_place() {
    for location in ["https://example.com/m.git", "ssh://git@example.com/m.git", "git@example.com:m.git"] {
        let error = Repository::open(location).err().expect("a remote source was opened");
        assert!(matches!(error, SourceError::NotHere { .. }), "{error:?}");
    }
    let error = Repository::open("https://ada:hunter2@example.com/m.git").err().expect("a password was taken");
    assert!(!said(&error).contains("hunter2") && said(&error).contains("source.token_file"), "{}", said(&error));
}

#[test]
fn what_is_no_repository_says_where_one_begins() {
    let nothing = tempfile::tempdir().unwrap();
    let error = Repository::open(nothing.path().to_str().unwrap()).err().unwrap();
    assert!(said(&error).contains("is not a git repository") && said(&error).contains("--source PATH"));

    let scratch = Scratch::with(&[("environments/p/web.yaml", "a\n")]);
    let inside = scratch.path().join("environments");
    let error = Repository::open(inside.to_str().unwrap()).err().unwrap();
    assert!(said(&error).contains("lies inside the repository"), "{}", said(&error));
}

#[test]
fn a_reftable_is_named_with_its_remedy() {
    let scratch = Scratch::with(&[]);
    scratch.git(&["config", "core.repositoryformatversion", "1"]);
    scratch.git(&["config", "extensions.refstorage", "reftable"]);
    fs::create_dir_all(scratch.path().join(".git/reftable")).unwrap();
    let error = Repository::open(scratch.path().to_str().unwrap()).err().unwrap();
    assert!(said(&error).contains("refs migrate --ref-format=files"), "{}", said(&error));
}

#[test]
fn a_repository_of_another_user_is_told_with_its_remedy() {
    let scratch = Scratch::with(&[]);
    let nobody = 65534;
    let given = Command::new("chown").args(["-R", &nobody.to_string()]).arg(scratch.path()).status().unwrap();
    assert!(given.success(), "this test gives a repository away, which needs root");
    let error = Repository::open(scratch.path().to_str().unwrap()).err().unwrap();
    assert!(matches!(error, SourceError::ForeignOwner { .. }), "{error:?}");
    let remedy = format!("git config --global --add safe.directory {}", scratch.path().display());
    assert!(said(&error).contains(&remedy), "{}", said(&error));
}
