//! What is given away: an archive with the program, the installer, checksums and a list of what it is built of, and a Debian package of
//! the same. The same commit gives the same octets, as far as the compiler does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::cargo::{cargo, target_folder};
use crate::sbom;
use crate::tally::Tally;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Take this program instead of building one
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Where the archive and the package go
    #[arg(long, value_name = "DIR", default_value = "target/dist")]
    out: PathBuf,
}

/// What stands in the archive beside the program: from, to, mode.
const FILES: &[(&str, &str, u32)] = &[
    ("installer/install.sh", "install.sh", 0o755),
    ("installer/relais.service", "relais.service", 0o644),
    ("docs/installing.md", "installing.md", 0o644),
    ("docs/operating.md", "operating.md", 0o644),
    ("docs/configuration.md", "configuration.md", 0o644),
    ("CHANGELOG.md", "CHANGELOG.md", 0o644),
    ("LICENSE-APACHE", "LICENSE-APACHE", 0o644),
    ("LICENSE-MIT", "LICENSE-MIT", 0o644),
];
/// Where the package's program is; the unit names the archive's place.
const UNIT_PROGRAM: (&str, &str) = ("/usr/local/bin/relais", "/usr/bin/relais");

/// Builds the program and makes both.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Tally> {
    let root = crate::root();
    let binary = match &arguments.binary {
        Some(binary) => binary.clone(),
        None => build()?,
    };
    let (version, out) = (version(&root)?, root.join(&arguments.out));
    let folder = folder(&binary, &version, &out)?;
    println!("ok   {}", archive(&folder)?.display());
    println!("ok   {}", package(&folder, &version)?.display());
    Ok(Tally { passed: 2, ..Tally::default() })
}

fn build() -> anyhow::Result<PathBuf> {
    let arguments = ["build", "--release", "--locked", "--package", "relais"];
    ensure!(cargo().args(arguments).status()?.success(), "the program can't be built");
    Ok(target_folder().join("release/relais"))
}

/// Of the workspace.
pub(crate) fn version(root: &Path) -> anyhow::Result<String> {
    let manifest: toml::Table = fs::read_to_string(root.join("Cargo.toml"))?.parse()?;
    let version = manifest.get("workspace").and_then(|of| of.get("package")).and_then(|of| of.get("version"));
    Ok(version.and_then(toml::Value::as_str).context("Cargo.toml names no version")?.to_owned())
}

/// What is in the archive, in a folder of its name below `out`; the installer runs from there, too.
pub(crate) fn folder(binary: &Path, version: &str, out: &Path) -> anyhow::Result<PathBuf> {
    let root = crate::root();
    let name = format!("relais-{version}-{}-linux", std::env::consts::ARCH);
    let folder = out.join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    install(binary, &folder.join("relais"), 0o755)?;
    for (from, to, mode) in FILES {
        install(&root.join(from), &folder.join(to), *mode)?;
    }
    fs::write(folder.join("sbom.cdx.json"), sbom::of(version)?)?;
    run_in(
        &folder,
        "sh",
        &["-c", "LC_ALL=C; export LC_ALL; sha256sum * >SHA256SUMS.new && mv SHA256SUMS.new SHA256SUMS"],
    )?;
    Ok(folder)
}

/// Packs it, beside it.
pub(crate) fn archive(folder: &Path) -> anyhow::Result<PathBuf> {
    const PACK: &str = "tar --sort=name --mtime=@\"$1\" --owner=0 --group=0 --numeric-owner --mode=go-w -cf - \"$2\" | gzip -9n >\"$2.tar.gz\"";
    let (out, name) = folder.parent().zip(folder.file_name()).context("the archive has a folder and a name")?;
    let name = name.to_string_lossy();
    run_in(out, "sh", &["-c", PACK, "pack", &commit_time()?, &name])?;
    Ok(out.join(format!("{name}.tar.gz")))
}

/// When the commit was made that is released: nothing else dates what is packed.
fn commit_time() -> anyhow::Result<String> {
    let output = Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(crate::root()).output()?;
    let time = String::from_utf8(output.stdout)?.trim().to_owned();
    Ok(if time.is_empty() { "0".to_owned() } else { time })
}

/// The package, of what is in the archive's folder and beside it.
pub(crate) fn package(from: &Path, version: &str) -> anyhow::Result<PathBuf> {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => bail!("no packages are made for {other}"),
    };
    let tree = tempfile::Builder::new().prefix("relais-deb.").tempdir()?;
    let tree = tree.path();
    let documents = "usr/share/doc/relais";
    for folder in ["DEBIAN", "usr/bin", "usr/share/relais", "lib/systemd/system", documents] {
        fs::create_dir_all(tree.join(folder))?;
    }
    install(&from.join("relais"), &tree.join("usr/bin/relais"), 0o755)?;
    install(&from.join("install.sh"), &tree.join("usr/share/relais/install.sh"), 0o755)?;
    let unit = fs::read_to_string(from.join("relais.service"))?.replace(UNIT_PROGRAM.0, UNIT_PROGRAM.1);
    fs::write(tree.join("lib/systemd/system/relais.service"), unit)?;
    for file in ["installing.md", "operating.md", "configuration.md", "CHANGELOG.md", "sbom.cdx.json"] {
        install(&from.join(file), &tree.join(documents).join(file), 0o644)?;
    }
    let licences = format!(
        "{}\n{}",
        fs::read_to_string(from.join("LICENSE-MIT"))?,
        fs::read_to_string(from.join("LICENSE-APACHE"))?
    );
    fs::write(tree.join(documents).join("copyright"), licences)?;
    for script in ["preinst", "postinst", "prerm", "postrm"] {
        install(&crate::root().join("installer/debian").join(script), &tree.join("DEBIAN").join(script), 0o755)?;
    }
    fs::write(tree.join("DEBIAN/control"), control(version, architecture, &libc_of(&from.join("relais"))?))?;
    let package = from.with_file_name(format!("relais_{version}_{architecture}.deb"));
    let built = Command::new("dpkg-deb")
        .args(["--root-owner-group", "-Zxz", "-z1", "--build"])
        .arg(tree)
        .arg(&package)
        .env("SOURCE_DATE_EPOCH", commit_time()?)
        .stdout(std::process::Stdio::null())
        .status()
        .context("dpkg-deb runs")?;
    ensure!(built.success(), "dpkg-deb can't make the package");
    Ok(package)
}

fn control(version: &str, architecture: &str, libc: &str) -> String {
    format!(
        "Package: relais\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: Relais <postmaster@localhost>\n\
         Section: mail\nPriority: optional\nDepends: libc6 (>= {libc}), libgcc-s1, passwd, util-linux, hostname\n\
         Recommends: systemd, ca-certificates\nProvides: mail-transport-agent\nConflicts: mail-transport-agent\n\
         Replaces: mail-transport-agent\nDescription: whole mail system in one program\n SMTP, IMAP and POP3, a durable \
         queue, a web panel and a REST API,\n with one embedded database.\n"
    )
}

/// The newest interface of the C library that the program asks for.
fn libc_of(binary: &Path) -> anyhow::Result<String> {
    let output = Command::new("objdump").arg("-T").arg(binary).output().context("objdump runs (package binutils)")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let versions = text.split("GLIBC_").skip(1).filter_map(|rest| {
        let version = rest.split(|letter: char| !letter.is_ascii_digit() && letter != '.').next()?;
        let numbers: Vec<u32> = version.split('.').map_while(|number| number.parse().ok()).collect();
        Some((numbers, version.to_owned()))
    });
    Ok(versions.max().context("the program names no C library")?.1)
}

fn install(from: &Path, to: &Path, mode: u32) -> anyhow::Result<()> {
    let status = Command::new("install").arg("-m").arg(format!("{mode:o}")).arg(from).arg(to).status()?;
    ensure!(status.success(), "{} can't be put to {}", from.display(), to.display());
    Ok(())
}

fn run_in(folder: &Path, program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new(program).args(arguments).current_dir(folder).status()?;
    ensure!(status.success(), "{program} says no");
    Ok(())
}
