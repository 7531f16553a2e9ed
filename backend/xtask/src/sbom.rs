//! What the program is built of, in `CycloneDX` 1.5 (JSON): every crate that is compiled into it, with its licence, and who needs whom.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::cargo::cargo;

/// The crate whose program is given away.
const PROGRAM: &str = "relais";

/// The document, as text.
pub(crate) fn of(version: &str) -> anyhow::Result<String> {
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = cargo()
        .args(["metadata", "--format-version=1", "--locked", "--filter-platform", &triple])
        .output()
        .context("cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let document = read(&serde_json::from_slice(&output.stdout)?, version)?;
    Ok(format!("{document:#}\n"))
}

/// From cargo's own words.
fn read(metadata: &Value, version: &str) -> anyhow::Result<Value> {
    let list = |of: &Value, name: &str| of.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).map(str::to_owned);
    let packages: BTreeMap<String, Value> =
        list(metadata, "packages").into_iter().filter_map(|one| Some((text(&one, "id")?, one))).collect();
    let nodes = list(metadata.get("resolve").context("cargo resolved nothing")?, "nodes");
    let needs: BTreeMap<String, BTreeSet<String>> =
        nodes.iter().filter_map(|node| Some((text(node, "id")?, compiled_in(node)))).collect();
    let is_program = |one: &&Value| text(one, "name").as_deref() == Some(PROGRAM);
    let program = packages.values().find(is_program).and_then(|one| text(one, "id")).context("there is no relais")?;

    let mut reached = BTreeSet::new();
    let mut ahead = vec![program.clone()];
    while let Some(id) = ahead.pop() {
        if reached.insert(id.clone()) {
            ahead.extend(needs.get(&id).into_iter().flatten().cloned());
        }
    }
    let reference = reference_of(&packages);
    let mut components = BTreeMap::new();
    let mut dependencies = BTreeMap::new();
    for id in &reached {
        let (Some(package), Some(own)) = (packages.get(id), reference(id)) else { continue };
        let on: BTreeSet<String> = needs.get(id).into_iter().flatten().filter_map(&reference).collect();
        dependencies.insert(own.clone(), json!({ "ref": own, "dependsOn": on }));
        if *id == program {
            continue;
        }
        let mut component = json!({
            "type": "library",
            "bom-ref": own,
            "name": package.get("name"),
            "version": package.get("version"),
            "purl": own,
        });
        // Some older crates write `MIT/Apache-2.0`, which is no SPDX expression any more.
        let licence = text(package, "license").map(|licence| licence.replace('/', " OR "));
        if let (Some(licence), Some(members)) = (licence, component.as_object_mut()) {
            members.insert("licenses".to_owned(), json!([{ "expression": licence }]));
        }
        components.insert(own, component);
    }
    let own = format!("pkg:cargo/{PROGRAM}@{version}");
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": {
            "type": "application", "bom-ref": own, "name": PROGRAM, "version": version, "purl": own,
            "licenses": [{ "expression": "MIT OR Apache-2.0" }],
        }},
        "components": components.into_values().collect::<Vec<_>>(),
        "dependencies": dependencies.into_values().collect::<Vec<_>>(),
    }))
}

fn reference_of(packages: &BTreeMap<String, Value>) -> impl Fn(&String) -> Option<String> {
    move |id| {
        let package = packages.get(id)?;
        let (name, version) = (package.get("name")?.as_str()?, package.get("version")?.as_str()?);
        Some(format!("pkg:cargo/{name}@{version}"))
    }
}

/// Those that a crate needs in the program or to build it; not those of its tests.
fn compiled_in(node: &Value) -> BTreeSet<String> {
    let is_wanted = |kind: &Value| kind.get("kind").and_then(Value::as_str) != Some("dev");
    let dependencies = node.get("deps").and_then(Value::as_array).into_iter().flatten();
    dependencies
        .filter(|one| one.get("dep_kinds").and_then(Value::as_array).is_some_and(|kinds| kinds.iter().any(is_wanted)))
        .filter_map(|one| one.get("pkg").and_then(Value::as_str).map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compiled_in_is_listed_and_what_tests_need_is_not() {
        let package =
            |name: &str, licence: &str| json!({ "id": name, "name": name, "version": "1.0.0", "license": licence });
        let need = |name: &str, kind: Value| json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] });
        let metadata = json!({
            "packages": [package("relais", "MIT"), package("b", "MIT/Apache-2.0"), package("c", "MIT"), package("d", "MIT")],
            "resolve": { "nodes": [
                { "id": "relais", "deps": [need("b", Value::Null), need("d", json!("dev"))] },
                { "id": "b", "deps": [need("c", json!("build"))] },
                { "id": "c", "deps": [] },
                { "id": "d", "deps": [] },
            ]},
        });
        let document = read(&metadata, "1.0.0").unwrap();
        let names: Vec<_> = document["components"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
        assert_eq!(names, ["b", "c"]);
        assert_eq!(document["components"][0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(document["dependencies"][2]["dependsOn"], json!(["pkg:cargo/b@1.0.0"]));
    }
}
