//! A sentence that one language lacks, or whose gaps have other names there, fails the build.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::Path;

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};

const CATALOGUES: &str = "../../templates/words";
const LANGUAGES: [&str; 2] = ["en", "fr"];

type Sentences = BTreeMap<String, BTreeSet<String>>;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={CATALOGUES}");
    let [english, french] = LANGUAGES.map(|language| read(&Path::new(CATALOGUES).join(language)));
    let (english, french) = (english?, french?);
    let mut faults = Vec::new();
    for id in english.keys().chain(french.keys()).collect::<BTreeSet<_>>() {
        match (english.get(id), french.get(id)) {
            (Some(one), Some(other)) if one == other => {}
            (Some(one), Some(other)) => faults.push(format!("{id}: gaps are {one:?} in en, {other:?} in fr")),
            (Some(_), None) => faults.push(format!("{id}: missing in fr")),
            (None, _) => faults.push(format!("{id}: missing in en")),
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

/// Each sentence of a language with the names of its gaps.
fn read(folder: &Path) -> Result<Sentences, Box<dyn Error>> {
    let mut sentences = Sentences::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        println!("cargo::rerun-if-changed={}", path.display());
        let text = fs::read_to_string(&path)?;
        let resource = fluent_syntax::parser::parse(text.as_str())
            .map_err(|(_, errors)| format!("{}: {errors:?}", path.display()))?;
        for entry in resource.body {
            let Entry::Message(message) = entry else { continue };
            let mut gaps = BTreeSet::new();
            if let Some(pattern) = &message.value {
                gaps_of(pattern, &mut gaps);
            }
            if sentences.insert(message.id.name.to_owned(), gaps).is_some() {
                return Err(format!("{}: {} stands twice", path.display(), message.id.name).into());
            }
        }
    }
    Ok(sentences)
}

fn gaps_of(pattern: &Pattern<&str>, gaps: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else { continue };
        match expression {
            Expression::Inline(inline) => gap_of(inline, gaps),
            Expression::Select { selector, variants } => {
                gap_of(selector, gaps);
                for variant in variants {
                    gaps_of(&variant.value, gaps);
                }
            }
        }
    }
}

fn gap_of(inline: &InlineExpression<&str>, gaps: &mut BTreeSet<String>) {
    match inline {
        InlineExpression::VariableReference { id } => {
            gaps.insert(id.name.to_owned());
        }
        InlineExpression::FunctionReference { arguments, .. } => {
            for argument in &arguments.positional {
                gap_of(argument, gaps);
            }
        }
        _ => {}
    }
}
