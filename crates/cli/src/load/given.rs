//! Values of Terraform's variables: options of the command line, in its order, and `TF_CLI_ARGS`.

use crate::failure::Failure;
use crate::settings;
use bartizan_base::{Diagnostic, Sources};
use bartizan_terraform::{Assignment, FileSet};
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::path::Path;

/// `--var` and `--var-file`, in the order in which they are given: the last one counts, as with Terraform.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given(pub(crate) Vec<Assignment>);

const VAR: &str = "vars";
const FILE: &str = "var_files";
const HEADING: &str = "Reading Terraform";

fn pair(s: &str) -> Result<(String, String), String> {
    s.split_once('=')
        .map(|(k, v)| (k.trim().to_string(), v.to_string()))
        .filter(|(k, _)| !k.is_empty())
        .ok_or_else(|| "expected NAME=VALUE".to_string())
}

impl clap::Args for Given {
    fn augment_args(cmd: Command) -> Command {
        let option = |id, long, value| {
            Arg::new(id)
                .long(long)
                .value_name(value)
                .action(ArgAction::Append)
                .help_heading(HEADING)
        };
        let var = option(VAR, "var", "NAME=VALUE").value_parser(pair);
        let file = option(FILE, "var-file", "FILE");
        cmd.arg(var.help("Value of a Terraform variable"))
            .arg(file.help("File of Terraform variables, as `terraform -var-file`"))
    }
    fn augment_args_for_update(cmd: Command) -> Command {
        Self::augment_args(cmd)
    }
}

impl clap::FromArgMatches for Given {
    fn from_arg_matches(m: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Given::default();
        given.update_from_arg_matches(m)?;
        Ok(given)
    }
    fn update_from_arg_matches(&mut self, m: &ArgMatches) -> Result<(), clap::Error> {
        let mut all: Vec<(usize, Assignment)> = Vec::new();
        let at = |id: &str| m.indices_of(id).into_iter().flatten().collect::<Vec<_>>();
        let vars = m.get_many::<(String, String)>(VAR).into_iter().flatten();
        let vars = vars.map(|(k, v)| Assignment::Var(k.clone(), v.clone()));
        all.extend(at(VAR).into_iter().zip(vars));
        let files = m.get_many::<String>(FILE).into_iter().flatten();
        all.extend(at(FILE).into_iter().zip(files.cloned().map(Assignment::File)));
        all.sort_by_key(|(i, _)| *i);
        self.0 = all.into_iter().map(|(_, a)| a).collect();
        Ok(())
    }
}

/// Options of `terraform plan` that change what it plans, and are no part of a directory.
const NARROW: [&str; 4] = ["target", "exclude", "destroy", "refresh-only"];

/// Everything that is given, the weakest first, with the files read into a set: `TF_CLI_ARGS_plan` and `TF_CLI_ARGS` come
/// before the command line, and their files are relative to the directory, in which Terraform runs.
pub(super) fn collect(
    given: &Given,
    dir: &str,
    files: &mut FileSet,
    sources: &mut Sources,
    early: &mut Vec<Diagnostic>,
) -> Result<Vec<Assignment>, Failure> {
    let mut out = Vec::new();
    let mut add = |a: &Assignment, shown: &str| {
        out.push(match a {
            Assignment::File(f) => {
                let text = std::fs::read_to_string(shown).map_err(|e| Failure::io("read", shown, &e))?;
                // Their paths are relative to where the user is, not to the root: they get names of their own.
                let key = format!("--var-file/{f}");
                let id = sources.add(shown, text);
                files.files.insert(key.clone(), id);
                Assignment::File(key)
            }
            v => v.clone(),
        });
        Ok::<(), Failure>(())
    };
    for (name, text) in settings::terraform_arguments() {
        let words = words(&text).ok_or_else(|| {
            let d = Diagnostic::error("INPUT001", format!("`{name}` has a quote without its end"));
            Failure::of(d.help("write it as in a shell, or unset it"))
        })?;
        let mut it = words.iter().map(String::as_str);
        while let Some(word) = it.next() {
            let Some(flag) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
                continue;
            };
            let (flag, value) = match flag.split_once('=') {
                Some((f, v)) => (f, Some(v)),
                None => (flag, None),
            };
            match flag {
                "var" | "var-file" => {
                    let Some(value) = value.or_else(|| it.next()) else {
                        continue;
                    };
                    let a = match (flag, pair(value)) {
                        ("var", Ok((k, v))) => Assignment::Var(k, v),
                        ("var", Err(_)) => continue,
                        _ => Assignment::File(value.to_string()),
                    };
                    add(&a, &Path::new(dir).join(value).to_string_lossy())?;
                }
                f if NARROW.contains(&f) => early.push(
                    Diagnostic::warning("INPUT006", format!("`-{f}` of `{name}` is not counted"))
                        .help("the directory is read as a whole; check the plan to see what it leaves out"),
                ),
                _ => {}
            }
        }
    }
    for a in &given.0 {
        let shown = match a {
            Assignment::File(f) => f.clone(),
            Assignment::Var(..) => String::new(),
        };
        add(a, &shown)?;
    }
    Ok(out)
}

/// The words of a text as a shell takes them; `None` where a quote has no end.
fn words(text: &str) -> Option<Vec<String>> {
    let mut out = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(chars.next()),
            (None, c) if c.is_whitespace() => out.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    out.extend(word);
    quote.is_none().then_some(out)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_those_of_a_shell() {
        let of = |t: &str| words(t).map(|all| all.join("|"));
        assert_eq!(
            of("  -var a=1\t-var-file='x y' "),
            Some("-var|a=1|-var-file=x y".into())
        );
        assert_eq!(of(r#"-var "a=\"b\" c" -x"#), Some("-var|a=\"b\" c|-x".into()));
        assert_eq!(of(r"a\ b ''"), Some("a b|".into()));
        assert_eq!(of("-var 'a=1"), None);
        assert_eq!(of(""), Some(String::new()));
    }
}
