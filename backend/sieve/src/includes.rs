//! A script with all that it includes, checked before it is put to use (RFC 6609).

use crate::compile::Dialect;
use crate::fault::{Fault, Problem};
use crate::limit::Limits;
use crate::program::{Included, Place, Program};

impl Program {
    /// Checks a script, and all that it includes, as deep as that goes. `text` gives an included script's text, none where there is
    /// none.
    ///
    /// # Errors
    /// All faults, each with the name of the script that it stands in; the script's own have none. An inclusion that isn't there, goes in
    /// a circle or too deep is a fault of the script that includes.
    pub fn compile_all(
        source: &str,
        dialect: &Dialect,
        limits: Limits,
        text: &mut dyn FnMut(Place, &str) -> Option<String>,
    ) -> Result<Self, Vec<(Option<String>, Fault)>> {
        let (program, mut faults) = Self::check(source, dialect);
        let mut walk = Walk { dialect, limits, text, count: 0, inner: Vec::new() };
        faults.extend(walk.check(program.includes(), &mut Vec::new()));
        if faults.is_empty() {
            return Ok(program);
        }
        faults.sort_by_key(|fault| fault.at);
        Err(faults.into_iter().map(|fault| (None, fault)).chain(walk.inner).collect())
    }
}

struct Walk<'a> {
    dialect: &'a Dialect,
    limits: Limits,
    text: &'a mut dyn FnMut(Place, &str) -> Option<String>,
    count: usize,
    /// Faults inside of included scripts.
    inner: Vec<(Option<String>, Fault)>,
}

impl Walk<'_> {
    fn check(&mut self, includes: &[Included], path: &mut Vec<(Place, String)>) -> Vec<Fault> {
        let mut faults = Vec::new();
        for included in includes {
            if let Err(problem) = self.one(included, path) {
                faults.push(Fault { at: included.at, problem });
                // What comes behind would say the same.
                if self.count > self.limits.includes {
                    break;
                }
            }
        }
        faults
    }

    fn one(&mut self, included: &Included, path: &mut Vec<(Place, String)>) -> Result<(), Problem> {
        let key = (included.place, included.name.clone());
        if path.contains(&key) {
            return Err(Problem::Circular(included.name.clone()));
        }
        self.count += 1;
        if self.count > self.limits.includes || path.len() >= self.limits.include_depth {
            return Err(Problem::TooManyIncludes);
        }
        let Some(text) = (self.text)(included.place, &included.name) else {
            return if included.optional { Ok(()) } else { Err(Problem::NotThere(included.name.clone())) };
        };
        let (program, mut faults) = Program::check(&text, self.dialect);
        path.push(key);
        faults.extend(self.check(program.includes(), path));
        path.pop();
        if faults.is_empty() {
            return Ok(());
        }
        self.inner.extend(faults.into_iter().map(|fault| (Some(included.name.clone()), fault)));
        Err(Problem::Included(included.name.clone()))
    }
}
