//! Why a commit is not believed.

/// Each names the commit.
#[derive(Debug, thiserror::Error)]
pub enum Distrust {
    /// Nobody signed it.
    #[error("commit {commit} is not signed")]
    Unsigned { commit: String },
    /// Signed in another way than with an SSH key.
    #[error("commit {commit} is signed with {kind}, which is not supported")]
    NotSsh { commit: String, kind: &'static str },
    /// A signature that is none.
    #[error("the signature of commit {commit} cannot be read: {why}")]
    Unreadable { commit: String, why: String },
    /// Made for something else than a commit.
    #[error("the signature of commit {commit} was made for `{namespace}`, not for git")]
    Namespace { commit: String, namespace: String },
    /// A kind of key that cannot be judged here.
    #[error("commit {commit} is signed with an `{kind}` key, which is not supported")]
    UnsupportedKey { commit: String, kind: String },
    /// Nobody we know.
    #[error("commit {commit} is signed by a key that is not allowed: {fingerprint}")]
    UnknownSigner { commit: String, fingerprint: String },
    /// Somebody we know, under another name.
    #[error(
        "commit {commit} is signed by {fingerprint}, which is allowed for {}, and its committer is `{email}`",
        quoted(.principals)
    )]
    OtherPrincipal { commit: String, fingerprint: String, principals: Vec<String>, email: String },
    /// The signature is of other content.
    #[error("commit {commit} was altered after it was signed by {fingerprint}, or its signature is of another commit")]
    Altered { commit: String, fingerprint: String },
    /// The branch does not go on from where it was.
    #[error("the branch was rewound: {tip} does not come after {accepted}, which was accepted before")]
    Rewound { accepted: String, tip: String },
    /// Git said something else.
    #[error("cannot {doing} commit {commit}")]
    Git { doing: &'static str, commit: String, source: git2::Error },
}

impl Distrust {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let allow = "in the file that `source.verify.allowed_signers` names";
        match self {
            Self::Unsigned { .. } => Some(
                "sign it: `git config gpg.format ssh`, `git config user.signingkey FILE.pub`, `git commit -S --amend`, or a \
                 signed commit on top where only the head must be signed"
                    .to_owned(),
            ),
            Self::NotSsh { .. } => Some("sign with an SSH key: `git config gpg.format ssh`".to_owned()),
            Self::UnsupportedKey { .. } => {
                Some("sign with an Ed25519 key (`ssh-keygen -t ed25519`), or one of NIST P-256".to_owned())
            }
            Self::UnknownSigner { .. } => {
                Some(format!("if the signer may decide what runs here, add a line for the key {allow}"))
            }
            Self::OtherPrincipal { .. } => {
                Some(format!("commit with the address that the key belongs to, or add the address to the key's line {allow}"))
            }
            Self::Rewound { tip, .. } => Some(format!(
                "what runs is left as it is. If history was rewritten on purpose: `reconcile accept-rewind {tip}`"
            )),
            Self::Altered { .. } => Some("somebody may be changing commits on their way; look at it before anything else".to_owned()),
            Self::Unreadable { .. } | Self::Namespace { .. } | Self::Git { .. } => None,
        }
    }
}

fn quoted(principals: &[String]) -> String {
    principals.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(" and ")
}
