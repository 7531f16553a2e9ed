//! The command line's words.

use std::ffi::OsString;
use std::path::PathBuf;

use axum::http::Method;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::DEFAULT_PATH;

/// Turns a bare Linux host into a complete mail system.
#[derive(Debug, Parser)]
#[command(name = "relais", version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    /// The bootstrap file.
    #[arg(long, global = true, env = "RELAIS_CONFIG", default_value = DEFAULT_PATH, value_name = "FILE")]
    pub(crate) config: PathBuf,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the server until SIGTERM.
    Serve,
    /// Runs a whole server on loopback with sample people and mail.
    Demo(DemoArguments),
    /// What is asked of the house, whether it serves now or not.
    #[command(flatten)]
    House(HouseCommand),
    /// Sends a message through every door of the running server, reads it at every other, and takes away what it made.
    SelfTest,
    /// Takes a message from standard input, as `sendmail` does; so it does, too, where it is called by that name.
    #[command(disable_help_flag = true)]
    Sendmail {
        /// As sendmail knows them: -t, -i, -f ADDRESS, -F NAME, recipients.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
    /// Reads the bootstrap file and says what is wrong with it.
    CheckConfig,
    /// Tells the version.
    Version,
}

/// What is asked of the house.
#[derive(Debug, Subcommand)]
pub(crate) enum HouseCommand {
    /// Domains whose mail is kept here.
    #[command(subcommand)]
    Domain(DomainCommand),
    /// People.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Mail that is brought along, from another server or from files. What stands here already isn't brought again.
    #[command(subcommand)]
    Import(ImportCommand),
    /// Takes all mail of a person out, into a new folder of mbox files or a new Maildir.
    Export(ExportArguments),
    /// Addresses that lead to others.
    #[command(subcommand)]
    Alias(AliasCommand),
    /// Mailing lists.
    #[command(subcommand)]
    List(ListCommand),
    /// Mail that waits to go out.
    #[command(subcommand)]
    Queue(QueueCommand),
    /// People whose mail is held, since they sent as never before.
    #[command(subcommand)]
    Hold(HoldCommand),
    /// Addresses elsewhere that mail is refused for, since other hosts refused them as nobody's.
    #[command(subcommand)]
    Suppressed(SuppressedCommand),
    /// Where did a message go?
    #[command(subcommand)]
    Message(MessageCommand),
    /// Tests a message: what would be done with it if it came now, and why. Nothing of it is kept. Ends with 1 where it would be refused.
    Judge(JudgeArguments),
    /// Senders who are let in or kept out, for a domain or for all.
    #[command(subcommand)]
    Sender(SenderCommand),
    /// Sieve scripts: what is done with mail as it comes.
    #[command(subcommand)]
    Sieve(SieveCommand),
    /// Certificates: what the doors show.
    #[command(subcommand)]
    Certificate(CertificateCommand),
    /// Lists who may not log in now, because too many attempts failed.
    Bans {
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Lets them log in again.
    Unban {
        /// A name, an address or a network as `bans` shows it, or `everybody`.
        #[arg(required_unless_present = "all")]
        target: Option<String>,
        /// All of them.
        #[arg(long, conflicts_with = "target")]
        all: bool,
    },
    /// Who changed what, and undoing it.
    #[command(subcommand)]
    Activity(ActivityCommand),
    /// What is set for the whole house.
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// What the DNS says of domains, and should.
    #[command(subcommand)]
    Dns(DnsCommand),
    /// The REST API's keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Makes the link by which a house without an owner is set up, once, within an hour; and says the fingerprint of the certificate behind it.
    SetupLink {
        /// Proposes the first domain on that page.
        #[arg(long)]
        domain: Option<String>,
        /// Proposes the owner's address.
        #[arg(long)]
        address: Option<String>,
    },
    /// Checks the database: counts, quota, dangling rows.
    CheckStore,
    /// Shows how the search index stands, or makes it anew.
    #[command(subcommand)]
    Index(IndexCommand),
    /// Asks the REST API itself, and prints its answer.
    Api {
        /// GET, POST, PUT, PATCH or DELETE.
        method: Method,
        /// Like /people/ann@example.org, with its query.
        path: String,
        /// The body, as JSON; `-` for standard input.
        body: Option<String>,
    },
}

/// `relais import …`
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// From another IMAP server, with folders, flags and dates; the password there is asked for, or read from standard input.
    Imap(ImportImapArguments),
    /// From an mbox file, or from a folder of them that are named after their mailboxes.
    Mbox {
        /// Whose mail it becomes.
        address: String,
        /// The file or folder.
        path: PathBuf,
        /// Into this mailbox, where it is one file; INBOX if it isn't said.
        #[arg(long)]
        mailbox: Option<String>,
    },
    /// From a Maildir with its folders.
    Maildir {
        /// Whose mail it becomes.
        address: String,
        /// The Maildir.
        path: PathBuf,
    },
    /// Tells how the import from another server stands.
    Status {
        /// Whose.
        address: String,
        /// JSON instead of sentences.
        #[arg(long)]
        json: bool,
    },
    /// Stops the import from another server. Begun again, it goes on where it was.
    Stop {
        /// Whose.
        address: String,
    },
}

/// Another server, and who one is there.
#[derive(Debug, Args)]
pub(crate) struct ImportImapArguments {
    /// Whose mail it becomes.
    pub(crate) address: String,
    /// The other server.
    #[arg(long)]
    pub(crate) host: String,
    /// Its port; 993, or 143 without TLS from the start.
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// `tls`, `starttls`, or `none`, for networks that the settings allow.
    #[arg(long, default_value = "tls")]
    pub(crate) security: String,
    /// The name to log in with there.
    #[arg(long)]
    pub(crate) user: String,
    /// Waits for its end; ends with 1 where not all was brought.
    #[arg(long)]
    pub(crate) wait: bool,
}

/// `relais export …`
#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// Whose mail.
    pub(crate) address: String,
    /// A file a mailbox, in a new folder.
    #[arg(long, value_name = "FOLDER", required_unless_present = "maildir", conflicts_with = "maildir")]
    pub(crate) mbox: Option<PathBuf>,
    /// A new Maildir.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) maildir: Option<PathBuf>,
}

/// `relais certificate …`
#[derive(Debug, Subcommand)]
pub(crate) enum CertificateCommand {
    /// Lists those that are kept.
    List(ListArguments),
    /// Lists the names that certificates are wanted for, and how far each is.
    Names(ListArguments),
    /// Lists what came of the orders.
    Orders(ListArguments),
    /// Has names looked at and ordered now.
    Order {
        /// Which; all that wait or were refused where none is said.
        names: Vec<String>,
    },
    /// Renews an ordered one now.
    Renew {
        /// As `list` shows it.
        id: String,
    },
    /// Brings one; all doors show it at once.
    Upload {
        /// The certificate and those that certify it: PEM.
        #[arg(long, value_name = "FILE")]
        chain: PathBuf,
        /// Its private key: PEM. May be left out where it stands in the same file.
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Removes one with its private key.
    Remove {
        /// As `list` shows it.
        id: String,
    },
    /// Knocks at each door with TLS, and tells what it shows.
    Doors {
        /// The name that is asked for; the house's own where it isn't said.
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
}

/// `relais activity …`
#[derive(Debug, Subcommand)]
pub(crate) enum ActivityCommand {
    /// Lists changes, the latest first.
    List(ListArguments),
    /// Undoes one, where what it changed is still as it left it.
    Undo {
        /// As `list` shows it.
        id: String,
    },
}

/// `relais settings …`
#[derive(Debug, Subcommand)]
pub(crate) enum SettingsCommand {
    /// Lists all.
    List {
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Tells the value of one.
    Get {
        /// Like `mail.message_octets`.
        name: String,
        /// JSON, with its range and default.
        #[arg(long)]
        json: bool,
    },
    /// Sets one; it is in force at once.
    Set {
        /// Like `mail.message_octets`.
        name: String,
        /// Like `25 MiB`, `15 min`, `true`.
        value: String,
    },
    /// Gives one its default again.
    Reset {
        /// Like `mail.message_octets`.
        name: String,
    },
}

/// `relais index …`
#[derive(Debug, Subcommand)]
pub(crate) enum IndexCommand {
    /// How much is in it, and whether it is up to date.
    Status,
    /// Makes it anew, from the messages.
    Rebuild {
        /// Stays until it is done, and says how far it is.
        #[arg(long)]
        wait: bool,
    },
}

/// `relais key …`
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Lists everybody's.
    List(ListArguments),
    /// Makes one for somebody; it is shown once.
    Add {
        /// Whose it shall be.
        owner: String,
        /// Of the program that will use it.
        name: String,
        /// The most that it may: `user`, `help_desk`, `domain_admin` or `owner`.
        #[arg(long, default_value = "user")]
        role: String,
        /// What it may be used for, like people:write; * for all. Repeatable.
        #[arg(long = "scope", required = true, value_name = "SCOPE")]
        scopes: Vec<String>,
        /// Days that it lasts; for good where it isn't said.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: Option<u32>,
    },
    /// Takes one back.
    Revoke {
        /// As `list` shows it.
        id: String,
    },
}

/// `relais demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// One line of JSON instead of the table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Where it keeps its data; by default a temporary folder that goes away with it.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// The first of eleven ports; each protocol has its own.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u16).range(1..=65_500))]
    pub(crate) port_base: u16,
    /// Only the people and their first mail: no second domain, no mail of the day, nothing in the queue.
    #[arg(long)]
    pub(crate) bare: bool,
    /// Another database than SQLite: a postgres:// URL, read from this environment variable.
    #[arg(long, value_name = "VARIABLE")]
    pub(crate) database_from: Option<String>,
    /// The log's level, as `[log] level` takes it; by default warn, and info with --json.
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log: Option<String>,
    /// A piece of relais.toml that is added to the demo's own, for tests.
    #[arg(long, value_name = "FILE")]
    pub(crate) with: Option<PathBuf>,
}

/// Lists come in pages.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Only what comes after this one: the last of the page before.
    #[arg(long, value_name = "KEY")]
    pub(crate) after: Option<String>,
    /// Rows at most.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
}

/// `relais domain …`
#[derive(Debug, Subcommand)]
pub(crate) enum DomainCommand {
    /// Takes a domain in.
    Add {
        /// As A- or U-labels.
        domain: String,
        /// Where mail to unknown addresses of it goes.
        #[arg(long, value_name = "ADDRESS")]
        catch_all: Option<String>,
        /// Who reads postmaster@ of it.
        #[arg(long, value_name = "ADDRESS")]
        postmaster: Option<String>,
    },
    /// Lists them.
    List(ListArguments),
    /// Gives a domain up. Refused while people or aliases are in it.
    Remove {
        /// Which.
        domain: String,
    },
}

/// `relais account …`
#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Adds a person; the password is asked for, or read from standard input.
    Add {
        /// Their address.
        address: String,
        /// Their name.
        #[arg(long, default_value = "")]
        name: String,
        /// Like 500M or 10G; none: as the domain says.
        #[arg(long, value_name = "SIZE", value_parser = parse_size)]
        quota: Option<u64>,
    },
    /// Lists them.
    List(ListArguments),
    /// Changes a password; asked for, or read from standard input.
    Passwd {
        /// Whose.
        address: String,
    },
    /// Says which extensions of IMAP a person's programs aren't told of; none: they are told of all that the house announces.
    Hide {
        /// Whose.
        address: String,
        /// Like CONDSTORE, as `imap.hidden` may have them.
        names: Vec<String>,
    },
    /// Passwords for mail programs, one a device.
    #[command(subcommand)]
    AppPassword(AppPasswordCommand),
    /// Removes a person and their mail.
    Remove {
        /// Who.
        address: String,
        /// Really.
        #[arg(long)]
        yes: bool,
    },
    /// Adds many from a CSV file: columns address, name, password or hash, quota.
    Import {
        /// `-` for standard input.
        file: PathBuf,
    },
}

/// `relais account app-password …`
#[derive(Debug, Subcommand)]
pub(crate) enum AppPasswordCommand {
    /// Makes one and tells it, once.
    Add {
        /// Whose.
        address: String,
        /// Of the program or device.
        #[arg(long)]
        name: String,
        /// What it is for: imap, pop3, smtp; by default all of them.
        #[arg(long, value_name = "LIST", value_delimiter = ',')]
        protocols: Option<Vec<String>>,
        /// A token, for programs that speak OAUTHBEARER or XOAUTH2.
        #[arg(long)]
        token: bool,
        /// Until the token ends; by default 365.
        #[arg(long, requires = "token")]
        days: Option<u32>,
    },
    /// Lists them; not the passwords themselves.
    List {
        /// Whose.
        address: String,
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Takes one back.
    Remove {
        /// Whose.
        address: String,
        /// Which, as `list` shows it.
        name: String,
    },
}

/// What is said of an alias.
#[derive(Debug, Args)]
pub(crate) struct AliasTerms {
    /// Who may send as it: targets, people, nobody.
    #[arg(long, value_name = "WHO")]
    pub(crate) senders: Option<String>,
    /// One of the people who may; stands once for each.
    #[arg(long = "sender", value_name = "ADDRESS")]
    pub(crate) sender_people: Vec<String>,
    /// Of regular expressions: those with smaller numbers are asked first.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) turn: Option<u32>,
    /// From when on its mail is refused, as 2027-01-31T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub(crate) ends: Option<String>,
    /// A note on it.
    #[arg(long)]
    pub(crate) note: Option<String>,
    /// What senders are told after its end, in plain letters.
    #[arg(long, value_name = "TEXT")]
    pub(crate) ended_text: Option<String>,
}

/// `relais alias …`
#[derive(Debug, Subcommand)]
pub(crate) enum AliasCommand {
    /// Makes an address lead to others, here or elsewhere.
    Add {
        /// The alias; or a wildcard, 'sales-*@example.org'; or a regular expression, '/sales-[0-9]+/@example.org'.
        address: String,
        /// Where to.
        #[arg(required = true)]
        targets: Vec<String>,
        #[command(flatten)]
        terms: AliasTerms,
    },
    /// Changes what is said of one; also brings one back that has ended.
    Change {
        /// Which.
        address: String,
        /// Where to: these instead of those that it has.
        #[arg(long = "to", value_name = "ADDRESS")]
        targets: Vec<String>,
        #[command(flatten)]
        terms: AliasTerms,
        /// It doesn't end.
        #[arg(long, conflicts_with = "ends")]
        endless: bool,
    },
    /// Whether a sample would fit a wildcard or a regular expression; nothing is saved. Ends with 1 where it would not.
    Try {
        /// As for `add`.
        address: String,
        /// An address, or what stands before its @.
        sample: String,
    },
    /// Lists them.
    List(ListArguments),
    /// Takes one away.
    Remove {
        /// Which.
        address: String,
    },
}

/// `relais list …`
#[derive(Debug, Subcommand)]
pub(crate) enum ListCommand {
    /// Makes a mailing list.
    Add {
        /// Its address.
        address: String,
        /// What it is about.
        #[arg(long, default_value = "")]
        title: String,
        /// Who may post: members, owners, moderated, anyone.
        #[arg(long, value_name = "WHO", default_value = "members")]
        posters: String,
        /// People subscribe themselves.
        #[arg(long)]
        open: bool,
        /// Who looks after it; stands once for each.
        #[arg(long = "owner", value_name = "ADDRESS")]
        owners: Vec<String>,
    },
    /// Lists them.
    List(ListArguments),
    /// Who is on one.
    Members {
        /// Which.
        list: String,
        #[command(flatten)]
        wanted: ListArguments,
    },
    /// Adds people to one.
    Join {
        /// Which.
        list: String,
        /// Who; none: as standard input says, one a line.
        members: Vec<String>,
    },
    /// Takes somebody off one.
    Leave {
        /// Which.
        list: String,
        /// Who.
        member: String,
    },
    /// All its addresses, one a line.
    Export {
        /// Which.
        list: String,
    },
    /// Posts that wait for an owner.
    Posts {
        /// Of which.
        list: String,
        #[command(flatten)]
        wanted: ListArguments,
    },
    /// Lets a post go out.
    Approve {
        /// Of which list.
        list: String,
        /// As `posts` shows it.
        post: String,
    },
    /// Turns a post away.
    Reject {
        /// Of which list.
        list: String,
        /// As `posts` shows it.
        post: String,
    },
    /// Takes one away, with its members.
    Remove {
        /// Which.
        list: String,
    },
}

/// Which of the queue.
#[derive(Debug, Args)]
pub(crate) struct QueueSelection {
    /// Numbers as `list` shows them.
    pub(crate) ids: Vec<String>,
    /// All that waits for this destination.
    #[arg(long, value_name = "DOMAIN", conflicts_with = "ids")]
    pub(crate) destination: Option<String>,
    /// All of it.
    #[arg(long, conflicts_with_all = ["ids", "destination"])]
    pub(crate) all: bool,
}

/// `relais queue …`
#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// Lists what waits.
    List {
        /// Paging.
        #[command(flatten)]
        list: ListArguments,
        /// Only this destination.
        #[arg(long, value_name = "DOMAIN")]
        destination: Option<String>,
        /// Only this sender.
        #[arg(long, value_name = "ADDRESS")]
        sender: Option<String>,
    },
    /// Shows one message with its recipients and their last replies.
    Show {
        /// As `list` shows it.
        id: String,
        /// JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Tries now.
    Retry(QueueSelection),
    /// Keeps it back until release.
    Hold(QueueSelection),
    /// Lets it go on.
    Release(QueueSelection),
    /// Takes it out; nobody is told.
    Remove(QueueSelection),
}

/// `relais hold …`
#[derive(Debug, Subcommand)]
pub(crate) enum HoldCommand {
    /// Lists whose mail is held, and why.
    List(ListArguments),
    /// Shows what waits of one person.
    Show {
        /// Their address.
        address: String,
        /// JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// It was them: lets their mail go on.
    Release {
        /// Their address.
        address: String,
    },
    /// It was not them: takes the mail away, and shuts out whoever is in their account.
    Drop {
        /// Their address.
        address: String,
        /// I mean it.
        #[arg(long)]
        yes: bool,
    },
}

/// `relais suppressed …`
#[derive(Debug, Subcommand)]
pub(crate) enum SuppressedCommand {
    /// Lists the addresses.
    List {
        /// Paging.
        #[command(flatten)]
        list: ListArguments,
        /// Only those with this in them.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// Lets mail go to an address again.
    Remove {
        /// The address.
        address: String,
    },
}

/// `relais message …`
#[derive(Debug, Subcommand)]
pub(crate) enum MessageCommand {
    /// Tells each step of a message's way, or what became of all messages of an address.
    Trace {
        /// An address (sender or recipient), or an id as it stands in Received.
        wanted: String,
        /// Paging, of an address's messages.
        #[command(flatten)]
        list: ListArguments,
    },
}

/// `relais sender …`
#[derive(Debug, Subcommand)]
pub(crate) enum SenderCommand {
    /// Lists them.
    List {
        /// Paging.
        #[command(flatten)]
        list: ListArguments,
        /// Of this domain; of the house where it isn't said.
        #[arg(long, value_name = "DOMAIN")]
        domain: Option<String>,
        /// Only senders that contain this.
        #[arg(long, value_name = "WORDS")]
        search: Option<String>,
    },
    /// Lets one in, unless their name is forged.
    Allow(SenderArguments),
    /// Keeps one out.
    Block(SenderArguments),
    /// Lets the filter decide about one again.
    Remove(SenderArguments),
}

/// Which sender, for whom.
#[derive(Debug, Args)]
pub(crate) struct SenderArguments {
    /// An address, or a domain with all below it.
    pub(crate) sender: String,
    /// For this domain; for the house where it isn't said.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: Option<String>,
}

/// `relais sieve …`
#[derive(Debug, Subcommand)]
pub(crate) enum SieveCommand {
    /// Lists them.
    List {
        /// Whose.
        #[command(flatten)]
        of: SieveArguments,
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Shows one.
    Get {
        /// Its name.
        name: String,
        /// Whose.
        #[command(flatten)]
        of: SieveArguments,
    },
    /// Keeps one, in place of one that has the name. What is wrong with it is told with line and column.
    Put {
        /// Its name. Of a domain or the house `before` and `after` run, others can be included.
        name: String,
        /// Its file; `-` for standard input.
        file: PathBuf,
        /// And lets it run: of an account's.
        #[arg(long, requires = "account")]
        activate: bool,
        /// Whose.
        #[command(flatten)]
        of: SieveArguments,
    },
    /// What is wrong with a file; nothing is kept. Ends with 1 where it has faults.
    Check {
        /// The file; `-` for standard input.
        file: PathBuf,
    },
    /// Makes a script of another filter's recipes, and shows it. What has no like in Sieve stands at its end, with its line and why; then it ends with 1.
    Import {
        /// The file; `-` for standard input.
        file: PathBuf,
        /// What it is.
        #[arg(long)]
        from: Recipes,
    },
    /// Lets one of an account's run over mail that comes.
    Activate {
        /// Its name.
        name: String,
        /// Of this account.
        #[arg(long, value_name = "ADDRESS")]
        account: String,
    },
    /// Lets none of an account's run.
    Off {
        /// Of this account.
        #[arg(long, value_name = "ADDRESS")]
        account: String,
    },
    /// Removes one that isn't active.
    Remove {
        /// Its name.
        name: String,
        /// Whose.
        #[command(flatten)]
        of: SieveArguments,
    },
}

/// What other filters read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Recipes {
    /// `.forward`.
    Forward,
    /// `.procmailrc`.
    Procmail,
    /// `.mailfilter`.
    Maildrop,
}

/// Whose scripts; the house's where it isn't said.
#[derive(Debug, Args)]
pub(crate) struct SieveArguments {
    /// Of this account.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "domain")]
    pub(crate) account: Option<String>,
    /// Of this domain.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: Option<String>,
}

/// `relais judge`
#[derive(Debug, Args)]
pub(crate) struct JudgeArguments {
    /// The message's file; `-` for standard input.
    pub(crate) file: PathBuf,
    /// To whom: an address here.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) to: String,
    /// Which of its Received fields tells how it came, counted from the top; 0: none.
    #[arg(long, value_name = "N")]
    pub(crate) hop: Option<u32>,
    /// From which IP address; what is left out of this and what follows, that field says.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) peer: Option<String>,
    /// What the host there calls itself.
    #[arg(long, value_name = "NAME")]
    pub(crate) hello: Option<String>,
    /// MAIL FROM; <> for a notice.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Option<String>,
    /// JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `500M`, `10G`, `1048576`: octets, with binary multiples.
fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default().to_ascii_uppercase();
    let shift = match unit.as_str() {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return Err(format!("`{unit}` is no unit: K, M, G or T")),
    };
    let number: u64 = digits.parse().map_err(|_| format!("`{text}` is no size like 500M or 10G"))?;
    number.checked_mul(1 << shift).ok_or_else(|| format!("`{text}` is too large"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_words_fit_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("10G"), Ok(10 << 30));
        assert_eq!(parse_size("17"), Ok(17));
        assert!(parse_size("10X").is_err() && parse_size("M").is_err() && parse_size("99999999999T").is_err());
    }
}

/// `relais dns …`
#[derive(Debug, Subcommand)]
pub(crate) enum DnsCommand {
    /// Checks a domain's records, or the host's, and waits for the end. Ends with 1 where something is wrong.
    Check {
        /// The domain; `host` for the host.
        domain: String,
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Shows the records that a domain wants.
    Records {
        /// The domain; `host` for the host.
        domain: String,
        /// As a zone file (RFC 1035), with those of the host that stand in the domain's zone.
        #[arg(long, conflicts_with = "json")]
        zone_file: bool,
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Shows the keys that sign a domain's mail.
    Keys {
        /// The domain.
        domain: String,
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Makes new keys for a domain now; they sign once their records are seen.
    Rotate {
        /// The domain.
        domain: String,
    },
}
