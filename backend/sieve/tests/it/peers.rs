//! procmail and maildrop themselves, Debian's, on the same messages as the scripts that were made of their recipes. Where a program isn't found
//! (in the path, or under `$PROCMAIL` and `$MAILDROP`), that is said aloud; on the CI server it fails.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use relais_sieve::import::{maildrop, procmail};
use relais_sieve::{Acting, Recipient};

use crate::scene::Scene;

const MESSAGES: &[&str] = &[
    "From: a@x.example\nTo: me@y.example\nSubject: hello\n\nplain\n",
    "From: list@x.example\nTo: dev@lists.example\nList-Id: <rust.lists.example>\nSubject: [rust] release 1.95\n\nMore money\n",
    "From: Boss <boss@x.example>\nTo: other@y.example, me@y.example\nCc: c@z.example\nSubject: Re: urgent: now\nX-Priority: 1 (Highest)\n\nsee below\nunsubscribe\n",
    "From: MAILER-DAEMON@x.example\nTo: me@y.example\nSubject: Undelivered\nX-Spam-Flag: YES\n\nx\n",
    "From: b@x.example\nTo: someone@y.example\nSubject:  win 1000 now\nX-Priority: 3\n\nmoney back\n",
    "From: c@x.example\nTo: me+tag@y.example\nSubject: folded\n subject line\n\nend\n",
];

/// The program of that name.
fn program(name: &str) -> Option<PathBuf> {
    let named = std::env::var_os(name.to_uppercase()).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = named
        .into_iter()
        .chain(std::env::split_paths(&path).map(|folder| folder.join(name)))
        .find(|file| file.is_file());
    if found.is_none() {
        let how = format!("apt-get install --no-install-recommends {name}, or set ${}", name.to_uppercase());
        assert!(std::env::var_os("CI").is_none(), "tests with {name} must run in CI: {how}");
        println!("\nSKIPPED: no {name}: {how}\n");
    }
    found
}

/// A home with a Maildir, and a sendmail that notes to whom.
struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let home = std::env::temp_dir().join(format!("relais-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&home));
        for folder in ["", "/.Lists.rust", "/.Urgent", "/.Spam", "/.Big", "/.Other"] {
            for inside in ["new", "cur", "tmp"] {
                fs::create_dir_all(home.join(format!("Maildir{folder}/{inside}"))).unwrap();
            }
        }
        let sendmail = home.join("sendmail");
        fs::write(
            &sendmail,
            format!(
                "#!/bin/sh\nfor a; do case $a in -*|'') ;; *) echo \"$a\" >> {}/sent;; esac; done\ncat > /dev/null\n",
                home.display()
            ),
        )
        .unwrap();
        fs::set_permissions(&sendmail, fs::Permissions::from_mode(0o755)).unwrap();
        Self(home)
    }

    /// Feeds a message to the program, and gives where it went.
    fn deliver(&self, program: &Path, arguments: &[String], message: &str) -> BTreeSet<String> {
        let mut child = Command::new(program)
            .args(arguments)
            .env("HOME", &self.0)
            .current_dir(&self.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(message.as_bytes()).unwrap();
        child.wait().unwrap();
        let mut went = BTreeSet::new();
        for entry in fs::read_dir(self.0.join("Maildir")).unwrap() {
            let folder = entry.unwrap().file_name().to_string_lossy().into_owned();
            let (name, path) = match folder.strip_prefix('.') {
                Some(name) => (name.replace('.', "/"), self.0.join("Maildir").join(&folder).join("new")),
                None if folder == "new" => ("INBOX".to_owned(), self.0.join("Maildir/new")),
                None => continue,
            };
            for file in fs::read_dir(path).unwrap() {
                fs::remove_file(file.unwrap().path()).unwrap();
                went.insert(name.clone());
            }
        }
        let sent = self.0.join("sent");
        went.extend(fs::read_to_string(&sent).unwrap_or_default().lines().map(|to| format!("!{to}")));
        drop(fs::remove_file(sent));
        went
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Where the script sends it.
fn ours(script: &str, message: &str) -> BTreeSet<String> {
    let outcome = Scene::new(message).run(script);
    assert_eq!(outcome.failure, None, "{script}");
    let place = |act: &Acting| match act {
        Acting::Keep { .. } => "INBOX".to_owned(),
        Acting::FileInto(filing) => filing.mailbox.to_string(),
        Acting::Redirect(redirection) => match &redirection.to {
            Recipient::Address(address) => format!("!{address}"),
            Recipient::List(name) => name.clone(),
        },
        other => panic!("{other:?}"),
    };
    outcome.actions.iter().map(|action| place(&action.act)).collect()
}

#[test]
fn procmail_itself() {
    let Some(program) = program("procmail") else { return };
    let home = Home::new("procmail");
    let recipes = [
        ":0\n* ^List-Id:.*rust\\.lists\n.Lists.rust/\n",
        ":0\n* ^Subject:.*\\[rust\\]\n.Lists.rust/\n:0:\n* ^X-Priority: *1\n.Urgent/\n",
        ":0 cw\n* ^From:.*boss@x\\.example\n! phone@z.example\n",
        ":0\n* ^TO_me@y\\.example\n.Other/\n",
        ":0\n* !^TO_me@y\\.example\n* > 120\n/dev/null\n",
        ":0\n* ^X-Spam-Flag: YES\n.Spam/\n:0 B\n* money\n.Big/\n",
        ":0\n* B ?? ^unsubscribe$\n.Spam/\n",
        ":0\n* ^Subject: *(win|won)[ ]+[0-9]+\n.Spam/\n",
        // procmail keeps all blanks of a fold.
        ":0\n* ^Subject: folded.*subject line$\n.Other/\n",
        ":0 D\n* ^Subject:.*URGENT\n.Urgent/\n:0\n* ^Subject:.*URGENT\n{\n:0 c\n.Urgent/\n:0\n* ^Cc:\n.Other/\n}\n",
        ":0 c\n* ^From:.*(boss|list)\n.Big/\n:0 A\n* ^To:.*dev\n.Lists.rust/\n",
        ":0 c\n* ^To:.*dev@\n.Lists.rust/\n:0 E\n.Other/\n",
        ":0\n* ^FROM_MAILER\n.Spam/\n",
        ":0\n* < 100\n.Other/\n:0 w\n* ^(To|Cc):.*c@z\n! phone@z.example\n",
    ];
    let mut compared = 0;
    for recipe in recipes {
        let head = format!(
            "SHELL=/bin/sh\nMAILDIR={0}/Maildir\nDEFAULT={0}/Maildir/\nSENDMAIL={0}/sendmail\nLOGFILE=/dev/null\n",
            home.0.display()
        );
        let rc = home.0.join("rc");
        fs::write(&rc, format!("{head}{recipe}")).unwrap();
        let script = procmail(&format!("MAILDIR=$HOME/Maildir\nDEFAULT=$HOME/Maildir/\n{recipe}")).script;
        for message in MESSAGES {
            let theirs = home.deliver(&program, &["-m".to_owned(), rc.display().to_string()], message);
            assert_eq!(ours(&script, message), theirs, "{recipe}\n{message}\n{script}");
            compared += 1;
        }
    }
    println!("procmail: {compared} messages went the same ways");
}

#[test]
fn maildrop_itself() {
    let Some(program) = program("maildrop") else { return };
    let home = Home::new("maildrop");
    let filters = [
        "if (/^List-Id:.*rust\\.lists/)\n{\n  to \"Maildir/.Lists.rust/\"\n}\n",
        "if (/^From:.*boss@x\\.example/ && /^X-Priority: *1/)\n{\n  cc \"!phone@z.example\"\n  to \"$HOME/Maildir/.Urgent/\"\n}\n",
        "if (hasaddr(\"me@y.example\"))\n  to \"Maildir/.Other/\"\nelse\n  to \"Maildir/.Big/\"\n",
        "if (/money/:b || /^X-Spam-Flag: YES/)\n  to \"Maildir/.Spam/\"\n",
        "if (!/^Subject:.*(win|urgent)/)\n{\n  cc \"Maildir/.Other/\"\n}\n",
        "if (/^Subject:.*URGENT/:D)\n  to \"Maildir/.Urgent/\"\nelsif (/^Subject:.*URGENT/)\n  to \"Maildir/.Big/\"\n",
    ];
    let mut compared = 0;
    for filter in filters {
        // Where a file is named, maildrop delivers nothing by itself at its end.
        let filter = format!("{filter}to \"$DEFAULT\"\n");
        let file = home.0.join("filter");
        // Both programs take a home from the system's accounts, whatever the environment says: all paths are whole.
        let maildir = home.0.join("Maildir").display().to_string();
        let theirs = filter.replace("$HOME/Maildir", &maildir).replace("\"Maildir", &format!("\"{maildir}"));
        let head = format!("DEFAULT=\"{maildir}/\"\nSENDMAIL=\"{}/sendmail\"\n", home.0.display());
        fs::write(&file, format!("{head}{theirs}")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let script = maildrop(&filter).script;
        for message in MESSAGES {
            let theirs = home.deliver(&program, &[file.display().to_string()], message);
            assert_eq!(ours(&script, message), theirs, "{filter}\n{message}\n{script}");
            compared += 1;
        }
    }
    println!("maildrop: {compared} messages went the same ways");
}
