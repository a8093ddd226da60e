//! The list of lints, as `docs/lints.md` and as JSON.

use std::io::{self, Write};

use portcullis_policy::lint::LINTS;
use serde_json::{Value, json};

use crate::environment::{SET_IT, UNSET_VARIABLE};

/// Writes every lint with what it finds and what to do.
pub(crate) fn write(as_json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if as_json {
        let all: Vec<Value> = rows()
            .map(|(code, finds, remedy)| json!({ "code": code, "finds": finds, "remedy": remedy }))
            .collect();
        serde_json::to_writer_pretty(&mut out, &all)?;
        writeln!(out)?;
    } else {
        write!(out, "{INTRODUCTION}")?;
        for (code, finds, remedy) in rows() {
            writeln!(out, "\n## `{code}`\n\n{finds}\n\nRemedy: {remedy}.")?;
        }
    }
    out.flush()
}

/// Code, what is found, what to do: by code.
fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let mut rows: Vec<_> = LINTS.iter().map(|lint| (lint.code, lint.finds, lint.remedy)).collect();
    rows.push((
        UNSET_VARIABLE,
        "A variable that the document names and that is not set where `portcullis check` runs. The proxy refuses a \
         document whose variables are not set.",
        SET_IT,
    ));
    rows.sort_unstable();
    rows.into_iter()
}

const INTRODUCTION: &str = "\
<!-- Made by `portcullis check --list`; a test compares the two. -->
# Lints

A document that loads can still say what nobody meant. `portcullis check` names such places as warnings, each with the
code of its lint, its line, its JSON Pointer and a remedy. A warning changes nothing: the gate loads the document and does
what it says.

```sh
portcullis check policy.yaml                               # problems and warnings
portcullis check --deny-warnings policy.yaml               # warnings count as problems: for a build server
portcullis check --allow unbound-tenant policy.yaml        # without the warnings of one lint
portcullis check --json policy.yaml                        # for programs
```

A code is for ever: it stands in other people's scripts. At most 100 warnings of one lint are listed, and the others are
counted. A lint gives up rather than search for long; it may then miss something.
";
