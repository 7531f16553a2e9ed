//! Domains, people and aliases at the command line: said to a running server, and where none runs.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use relais_testkit::secrets::Secrets;
use serde_json::{Value, json};

use crate::house::House;

/// A configuration that no server runs on.
struct Empty {
    folder: tempfile::TempDir,
}

impl Empty {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let empty = Self { folder };
        let data = empty.folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        empty.write(&format!("hostname = \"mx.example.org\"\ndata = \"{}\"\n", data.display()));
        empty
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("relais.toml")
    }

    fn write(&self, config: &str) {
        std::fs::write(self.config(), config).unwrap();
    }
}

/// `relais …`: whether it ended well, standard output, standard error.
fn say(config: &Path, words: &[&str], input: &str) -> (bool, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_relais"))
        .arg("--config")
        .arg(config)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // What wants no input may have ended before it comes.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    let done = child.wait_with_output().unwrap();
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
    for said in [&done.stdout, &done.stderr] {
        assert_eq!(Secrets::new([]).told_in(said.as_slice()).unwrap(), None, "a secret is said");
    }
    (done.status.success(), text(&done.stdout), text(&done.stderr))
}

#[track_caller]
fn must(config: &Path, words: &[&str], input: &str) -> String {
    let (is_done, output, errors) = say(config, words, input);
    assert!(is_done, "{words:?}: {errors}");
    output
}

#[track_caller]
fn refused(config: &Path, words: &[&str], input: &str, why: &str) {
    let (is_done, _, errors) = say(config, words, input);
    assert!(!is_done && errors.contains(why), "{words:?}: {errors}");
}

#[track_caller]
fn rows(config: &Path, words: &[&str]) -> Value {
    let output = must(config, &[words, &["--json"]].concat(), "");
    serde_json::from_str::<Value>(&output).unwrap()["rows"].take()
}

/// The same words, whether a server runs (then it does what is said) or not (then the command line does).
fn a_domain_is_furnished_and_emptied(config: &Path) {
    assert_eq!(must(config, &["domain", "add", "bücher.example"], ""), "bücher.example is here\n");
    refused(config, &["domain", "add", "xn--bcher-kva.example"], "", "is already here");
    refused(config, &["domain", "add", "not a domain"], "", "is not a domain");

    let jörg = "jörg@bücher.example";
    let added = must(config, &["account", "add", jörg, "--name", "Jörg", "--quota", "10M"], "unspeakable horse\n");
    assert_eq!(added, "jörg@bücher.example is here\n");
    refused(config, &["account", "add", jörg], "unspeakable horse\n", "is already");
    refused(config, &["account", "add", "eve@bücher.example"], "short\n", "a password of at least 8 characters");
    refused(config, &["account", "add", "eve@elsewhere.example"], "unspeakable horse\n", "elsewhere.example");
    refused(config, &["account", "add", "eve"], "unspeakable horse\n", "“eve” is not an address");
    must(config, &["account", "passwd", jörg], "unspeakable staple\n");
    refused(config, &["account", "passwd", "eve@bücher.example"], "unspeakable staple\n", "eve@");

    must(config, &["alias", "add", "team@bücher.example", jörg, "somebody@elsewhere.example"], "");
    refused(config, &["alias", "add", "team@bücher.example", jörg], "", "is already");

    // Of all that is told of a row, what is asserted here.
    let shows = |rows: Vec<Value>, expected: Value| {
        let expected = expected.as_array().unwrap();
        assert_eq!(rows.len(), expected.len(), "{rows:?}");
        for (row, expected) in rows.iter().zip(expected) {
            for (name, value) in expected.as_object().unwrap() {
                assert_eq!(&row[name], value, "{name} of {row}");
            }
        }
    };
    let of_domain = |rows: Value| {
        let here =
            |row: &Value| ["domain", "address"].iter().any(|key| row[*key].as_str().unwrap_or("").contains("bücher"));
        rows.as_array().unwrap().iter().filter(|row| here(row)).cloned().collect::<Vec<_>>()
    };
    let domain =
        json!([{"domain": "bücher.example", "catch_all": null, "postmaster": null, "people": 1, "aliases": 1}]);
    shows(of_domain(rows(config, &["domain", "list"])), domain);
    let account = json!([{"address": jörg, "name": "Jörg", "quota_octets": 10 << 20, "used_octets": 0, "used_messages": 0, "is_suspended": false}]);
    shows(of_domain(rows(config, &["account", "list"])), account);
    let alias = json!([{"address": "team@bücher.example", "targets": [jörg, "somebody@elsewhere.example"]}]);
    shows(of_domain(rows(config, &["alias", "list"])), alias);
    assert!(must(config, &["account", "list"], "").contains("jörg@bücher.example"));

    let csv = "name,address,password,hash,quota\n\
               Ann,ann@bücher.example,unspeakable horse,,1048576\n\
               ,twice@bücher.example,unspeakable horse,,\n\
               ,twice@bücher.example,unspeakable horse,,\n\
               ,no address,unspeakable horse,,\n\
               ,none@bücher.example,,,\n\
               ,two@bücher.example,unspeakable horse,{SSHA512}x,\n\
               ,large@bücher.example,unspeakable horse,,10G\n\
               ,gone@elsewhere.example,unspeakable horse,,\n";
    let (is_done, said, _) = say(config, &["account", "import", "-"], csv);
    assert!(!is_done, "a script must hear that lines were refused");
    for line in [
        "line 4: ",
        "line 5: address: “no address” is not an address",
        "line 7: hash: There is a password and a hash",
        "line 8: ",
        "line 9: ",
        "3 accounts added, 5 lines refused",
    ] {
        assert!(said.contains(line), "{line} in {said}");
    }
    refused(config, &["account", "import", "-"], "ann@x.example,pw\n", "The first line must name the columns");
    refused(config, &["account", "import", "/nowhere.csv"], "", "cannot read /nowhere.csv");

    refused(config, &["domain", "remove", "bücher.example"], "", "people (4)");
    refused(config, &["account", "remove", jörg], "", "say --yes if you mean it");
    for who in [jörg, "ann@bücher.example", "twice@bücher.example", "none@bücher.example"] {
        must(config, &["account", "remove", who, "--yes"], "");
    }
    must(config, &["alias", "remove", "team@bücher.example"], "");
    refused(config, &["alias", "remove", "team@bücher.example"], "", "team@");
    must(config, &["domain", "remove", "bücher.example"], "");
    refused(config, &["domain", "remove", "bücher.example"], "", "cher");

    assert_eq!(rows(config, &["queue", "list", "--destination", "nowhere.example"]), json!([]));
    refused(config, &["queue", "show", "nothing"], "", "is in the queue");
    refused(config, &["queue", "hold"], "", "name what is meant");
    assert_eq!(must(config, &["queue", "hold", "--destination", "nowhere.example"], ""), "0 recipients\n");
    refused(config, &["message", "trace", "not an id!"], "", "Nothing is known of not an id!");
    assert_eq!(must(config, &["check-store"], ""), "The database is clean.\n");
}

#[test]
fn the_directory_is_kept_through_a_running_server() {
    let house = House::open();
    a_domain_is_furnished_and_emptied(&house.server.folder().join("relais.toml"));
}

/// The API's pages are shorter than what one may ask the command line for: the second page was once asked for before the connection
/// was ready for it, which seldom showed: this sees only that all of it comes.
#[test]
fn a_list_of_several_pages_comes_whole_over_one_connection() {
    let house = House::open();
    let config = &house.server.folder().join("relais.toml");
    must(config, &["domain", "add", "many.example"], "");
    let lines = (0..900).map(|number| format!("person{number}@many.example,,\n"));
    must(config, &["account", "import", "-"], &format!("address,password,hash\n{}", lines.collect::<String>()));
    let people = rows(config, &["account", "list", "--limit", "1000"]);
    let is_theirs = |row: &&Value| row["address"].as_str().unwrap().ends_with("@many.example");
    assert_eq!(people.as_array().unwrap().iter().filter(is_theirs).count(), 900);
}

#[test]
fn the_directory_is_kept_where_no_server_runs() {
    a_domain_is_furnished_and_emptied(&Empty::new().config());
}

/// What the panel shows, at the command line; and what has no word of its own.
fn the_house_is_kept(config: &Path) {
    let shown = must(config, &["settings", "list"], "");
    assert!(shown.contains("mail.message_octets"), "{shown}");
    assert_eq!(must(config, &["settings", "set", "password.minimum_length", "12"], "").lines().count(), 1);
    assert_eq!(must(config, &["settings", "get", "password.minimum_length"], ""), "12\n");
    must(config, &["settings", "reset", "password.minimum_length"], "");
    refused(config, &["settings", "get", "no.such"], "", "no.such");

    must(config, &["domain", "add", "kept.example"], "");
    let done = rows(config, &["activity", "list"]);
    assert_eq!((&done[0]["act"], &done[0]["subject"]), (&json!("domain.create"), &json!("kept.example")));
    must(config, &["activity", "undo", done[0]["id"].as_str().unwrap()], "");
    refused(config, &["domain", "remove", "kept.example"], "", "kept.example");

    refused(config, &["key", "revoke", "0"], "", "key");
    let (is_done, problem, _) = say(config, &["api", "GET", "/domains/kept.example"], "");
    let problem: Value = serde_json::from_str(&problem).unwrap();
    assert_eq!((is_done, &problem["type"]), (false, &json!("/api/v1/problems/absent")));
    let asked = must(config, &["api", "POST", "/api/v1/domains", "-"], r#"{"domain":"raw.example"}"#);
    assert_eq!(serde_json::from_str::<Value>(&asked).unwrap()["domain"], "raw.example");
    must(config, &["domain", "remove", "raw.example"], "");
}

#[test]
fn the_house_is_kept_with_and_without_a_server() {
    let house = House::open();
    let config = house.server.folder().join("relais.toml");
    the_house_is_kept(&config);
    assert!(!rows(&config, &["key", "list"]).as_array().unwrap().is_empty(), "the demo's owner has a key");
    refused(&config, &["setup-link"], "", "has an owner already");

    let empty = Empty::new();
    the_house_is_kept(&empty.config());
    let link = must(&empty.config(), &["setup-link"], "");
    assert!(link.starts_with("https://mx.example.org/setup/") && link.ends_with('\n'), "a link to this host");
    let words = ["setup-link", "--domain", "example.org", "--address", "ann+x@example.org"];
    let link = must(&empty.config(), &words, "");
    assert!(link.ends_with("?domain=example.org&address=ann%2Bx%40example.org\n"), "what is proposed goes along");
}

/// RFC 6531, RFC 5890: a local part and a domain beyond ASCII, from the command line to the mailbox and back.
#[test]
fn mail_reaches_letters_of_all_kinds() {
    let house = House::open();
    let jörg = "jörg@bücher.example";
    house.must(&["domain", "add", "bücher.example"], "");
    house.must(&["account", "add", jörg], "unspeakable horse\n");
    let mut client = house.stranger();
    client.command("MAIL FROM:<zoë@elsewhere.example> SMTPUTF8").unwrap().must(250).unwrap();
    client.command("RCPT TO:<jörg@bücher.example>").unwrap().must(250).unwrap();
    client.command("RCPT TO:<JÖRG@xn--bcher-kva.example>").unwrap().must(250).unwrap();
    client.command("RCPT TO:<nobody@bücher.example>").unwrap().must(550).unwrap();
    client.command("RSET").unwrap().must(250).unwrap();
    client.command("MAIL FROM:<zoë@elsewhere.example> SMTPUTF8").unwrap().must(250).unwrap();
    client.command("RCPT TO:<jörg@bücher.example>").unwrap().must(250).unwrap();
    client.command("DATA").unwrap().must(354).unwrap();
    client.command("Subject: grüße\r\n\r\nÄ\r\n.").unwrap().must(250).unwrap();

    let mut reader =
        relais_testkit::imap::Client::connect_tls("127.0.0.1", house.server.port("imaps"), &house.trust).unwrap();
    let plain = data_encoding::BASE64.encode(format!("\0{jörg}\0unspeakable horse").as_bytes());
    reader.must(format!("AUTHENTICATE PLAIN {plain}")).unwrap();
    reader.must("SELECT INBOX").unwrap();
    let fetched = reader.must("FETCH 1 BODY.PEEK[]").unwrap().texts().collect::<String>();
    assert!(fetched.contains("Return-Path: <zoë@") && fetched.contains("Subject: grüße"), "{fetched}");
    let steps = house.rows(&["message", "trace", jörg]);
    assert_eq!((steps.len(), steps[0]["kind"].as_str()), (1, Some("delivered")));
}

/// Other users of the host read no mail, wherever it lies.
#[test]
fn what_is_kept_is_for_nobody_elses_eyes() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let mail = folder.path().join("mail");
    let house = House::with(&format!("\n[blobs]\ndirectory = \"{}\"\n", mail.display()));
    for private in [house.server.folder().join("data"), mail] {
        assert_eq!(private.metadata().unwrap().permissions().mode() & 0o777, 0o700, "{}", private.display());
    }
}

#[test]
fn a_bootstrap_file_is_judged_with_its_line() {
    let empty = Empty::new();
    let config = empty.config();
    assert!(must(&config, &["check-config"], "").ends_with("is fine.\n"));
    empty.write("hostname = \"mx.example.org\"\ndata = \"/x\"\n\n[[listen]]\nprotocol = \"imap\"\nat = \"143\"\n");
    refused(&config, &["check-config"], "", "line 4");
    refused(&config, &["serve"], "", "`at = \"143\"` is neither ADDRESS:PORT nor unix:PATH");
    // Where the fault stands in the line with the password, the line isn't shown.
    for line in [
        "database = \"mysql://relais:unspeakable@db/relais\"",
        "database = \"postgres:relais:unspeakable@db/relais\"",
        "databse = \"postgres://relais:unspeakable@db/relais\"",
        "database = \"postgres://relais:unspeakable@db/relais",
        "database = postgres://relais:unspeakable@db/relais",
    ] {
        empty.write(&format!("hostname = \"mx.example.org\"\ndata = \"/x\"\n{line}\n"));
        refused(&config, &["check-config"], "", "line 3,");
    }
    refused(Path::new("/nowhere.toml"), &["check-config"], "", "cannot read /nowhere.toml");
    assert!(must(&config, &["version"], "").starts_with("relais "));
}
