//! `bartizan intent lint | fmt | read | json`.

use crate::app::Context;
use crate::cmd::date;
use crate::failure::{Failure, Outcome, reason};
use crate::load::{self, IntentFiles};
use crate::out::{self, Code};
use crate::settings;
use bartizan_base::{Diagnostic, Severity, Sources};
use bartizan_lang::{
    Date, Lang, exception_sentence, format_file, from_json, link_sentences, sentence, test_sentences, to_json,
};
use bartizan_report::{Style, text};
use clap::ValueEnum;
use std::path::Path;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Say what is wrong with an intent before any network is looked at
    #[command(
        after_help = "Examples:\n  bartizan intent lint shop/intent.btz\n  bartizan intent lint shop --as-of 2027-02-01"
    )]
    Lint {
        /// Intent files, or directories with `*.btz`
        #[arg(required = true, value_name = "FILE")]
        files: Vec<String>,
        /// Judge exceptions as of this date (default: today, UTC)
        #[arg(long, value_name = "DATE", value_parser = date)]
        as_of: Option<Date>,
    },
    /// Put intent files into the one layout
    #[command(
        after_help = "Examples:\n  bartizan intent fmt shop/intent.btz\n  bartizan intent fmt --check */*.btz     exits 1 where something would change\n  cat x.btz | bartizan intent fmt -"
    )]
    Fmt {
        /// Intent files, or directories with `*.btz`; `-` is standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<String>,
        /// Only say which files would change; exits 1 if there are any
        #[arg(long)]
        check: bool,
        /// Write to the files (the default)
        #[arg(long, conflicts_with = "check")]
        write: bool,
    },
    /// Read an intent aloud, clause by clause
    #[command(
        after_help = "Examples:\n  bartizan intent read shop\n  bartizan intent read shop/intent.btz --lang zh"
    )]
    Read {
        /// Intent files, or directories with `*.btz`
        #[arg(required = true, value_name = "FILE")]
        files: Vec<String>,
        /// The language of the sentences
        #[arg(long, value_enum, default_value = "en")]
        lang: Language,
    },
    /// Turn an intent into its canonical JSON form, or a `.json` back into text
    #[command(
        after_help = "Examples:\n  bartizan intent json shop/intent.btz > intent.json\n  bartizan intent json intent.json > intent.btz"
    )]
    Json {
        /// An intent file, or its JSON form
        #[arg(value_name = "FILE")]
        file: String,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    /// English
    En,
    /// Chinese, simplified
    Zh,
}

pub(crate) fn run(ctx: &Context, args: Args) -> Outcome {
    match args.what {
        What::Lint { files, as_of } => lint(ctx, &files, as_of.unwrap_or_else(settings::today)),
        What::Fmt { files, check, .. } => fmt(ctx, &files, check),
        What::Read { files, lang } => read(
            ctx,
            &files,
            if lang == Language::En { Lang::En } else { Lang::Zh },
        ),
        What::Json { file } => json(&file),
    }
}

/// Files as named, directories as the `*.btz` in them.
fn expand(files: &[String]) -> Result<Vec<String>, Failure> {
    let mut out = Vec::new();
    for f in files {
        if !Path::new(f).is_dir() {
            out.push(f.clone());
            continue;
        }
        let found = load::beside(f);
        if found.is_empty() {
            return Err(Failure::of(
                Diagnostic::error("INPUT001", format!("there is no intent (`*.btz`) in `{f}`"))
                    .help("name the file, or a directory that has one"),
            ));
        }
        out.extend(found);
    }
    Ok(out)
}

fn loaded(files: &[String], as_of: Date) -> Result<(IntentFiles, Sources), Failure> {
    let mut sources = Sources::default();
    let i = load::intent(&expand(files)?, &mut sources, as_of)?;
    Ok((i, sources))
}

fn lint(ctx: &Context, files: &[String], as_of: Date) -> Outcome {
    let (i, sources) = loaded(files, as_of)?;
    let style = ctx.style(None);
    let mut page = text::diagnostics(&i.diagnostics, &sources, style);
    let n = |s: Severity| i.diagnostics.iter().filter(|d| d.severity == s).count();
    let (e, w, k) = (n(Severity::Error), n(Severity::Warning), n(Severity::Note));
    let size = format!(
        "{} clauses, {} zones, {} exceptions, {} tests",
        i.intent.clauses.len(),
        i.intent.zones.len(),
        i.intent.exceptions.len(),
        i.intent.tests.len()
    );
    page.push_str(&if e + w + k == 0 {
        format!("{}  {size}, as of {as_of}\n", style.green("CLEAN"))
    } else {
        let count = |n: usize, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
        let counts = [count(e, "error"), count(w, "warning"), count(k, "note")].join(", ");
        format!("{counts} in {size}, as of {as_of}\n")
    });
    out::write(None, &page)?;
    Ok(if i.usable() { Code::Holds } else { Code::Bad })
}

fn fmt(ctx: &Context, files: &[String], check: bool) -> Outcome {
    if files == ["-"] {
        let text = std::io::read_to_string(std::io::stdin())
            .map_err(|e| Failure::io("read", "standard input", &e))?;
        let formatted = formatted("<stdin>", text.clone())?;
        if check {
            return Ok(if formatted == text {
                Code::Holds
            } else {
                Code::Violated
            });
        }
        out::write(None, &formatted)?;
        return Ok(Code::Holds);
    }
    let mut code = Code::Holds;
    for f in expand(files)? {
        let done = std::fs::read_to_string(&f).map_err(|e| {
            Failure::of(Diagnostic::error(
                "INPUT001",
                format!("cannot read the intent `{f}`: {}", reason(&e)),
            ))
        });
        let text = match done {
            Ok(t) => t,
            Err(e) => {
                e.print(ctx.errors());
                code = Code::Bad;
                continue;
            }
        };
        match formatted(&f, text.clone()) {
            Ok(new) if new == text => {}
            Ok(_) if check => {
                out::write(
                    None,
                    &format!("{f}: not in the canonical layout (`bartizan intent fmt {f}`)\n"),
                )?;
                code = code.worst(Code::Violated);
            }
            Ok(new) => {
                out::atomically(Path::new(&f), &new)?;
                eprintln!("formatted {f}");
            }
            Err(e) => {
                e.print(ctx.errors());
                code = Code::Bad;
            }
        }
    }
    Ok(code)
}

/// The canonical layout of a text; a text that cannot be parsed is never touched.
fn formatted(name: &str, text: String) -> Result<String, Failure> {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
    let (tree, said) = bartizan_lang::parse(id, &sources);
    if said.iter().any(|d| d.severity == Severity::Error) {
        return Err(Failure::new(said, sources));
    }
    Ok(format_file(&tree))
}

fn read(ctx: &Context, files: &[String], lang: Lang) -> Outcome {
    let (i, sources) = loaded(files, settings::today())?;
    if !i.usable() {
        let errors = i
            .diagnostics
            .into_iter()
            .filter(|d| d.severity == Severity::Error)
            .collect();
        return Err(Failure::new(errors, sources));
    }
    out::write(None, &aloud(&i, lang, ctx.style(None)))?;
    Ok(Code::Holds)
}

fn aloud(i: &IntentFiles, lang: Lang, style: Style) -> String {
    let intent = &i.intent;
    let word = |en: &'static str, zh: &'static str| if lang == Lang::En { en } else { zh };
    let mut page = String::new();
    if let Some(n) = &intent.network {
        page.push_str(&format!("{}\n\n", style.bold(n)));
    }
    let links = link_sentences(intent, lang);
    if !links.is_empty() {
        page.push_str(&format!("{}\n", style.bold(word("Links", "链路"))));
        links.iter().for_each(|s| page.push_str(&format!("  {s}\n")));
        page.push('\n');
    }
    let mut last = None;
    for c in intent.clauses.iter().filter(|c| c.exception.is_none()) {
        if last != Some(c.boundary) {
            let gap = if last.is_some() { "\n" } else { "" };
            let head = intent.boundary_of(c).map_or_else(
                || word("Outside of boundaries", "边界之外").to_string(),
                |b| format!("{} {}", word("Boundary", "边界"), b.name),
            );
            page.push_str(&format!("{gap}{}\n", style.bold(&head)));
            last = Some(c.boundary);
        }
        page.push_str(&format!(
            "  {}  {}\n",
            style.dim(&c.id),
            sentence(intent, c, lang)
        ));
    }
    for e in &intent.exceptions {
        page.push_str(&format!(
            "\n{}\n",
            style.bold(&format!("{} {}", word("Exception", "例外"), e.id))
        ));
        page.push_str(&format!("  {}\n", exception_sentence(intent, e, lang)));
    }
    for t in &intent.tests {
        page.push_str(&format!(
            "\n{}\n",
            style.bold(&format!("{} {}", word("Test", "测试"), t.name))
        ));
        for s in test_sentences(intent, t, lang) {
            page.push_str(&format!("  {s}\n"));
        }
    }
    page
}

fn json(file: &str) -> Outcome {
    let text = std::fs::read_to_string(file).map_err(|e| Failure::io("read", file, &e))?;
    let mut sources = Sources::default();
    let id = sources.add(file, text.as_str());
    if file.ends_with(".json") {
        let value = serde_json::from_str(&text).map_err(|e| {
            let d = Diagnostic::error("INTENT017", format!("`{file}` is not JSON: {e}"));
            Failure::of(d.help("`bartizan intent json FILE.btz` prints the canonical form"))
        })?;
        let tree = from_json(id, &value).map_err(Failure::of)?;
        out::write(None, &format_file(&tree))?;
        return Ok(Code::Holds);
    }
    let (tree, said) = bartizan_lang::parse(id, &sources);
    if said.iter().any(|d| d.severity == Severity::Error) {
        return Err(Failure::new(said, sources));
    }
    // INVARIANT (serialisable): the value is JSON already.
    let page = serde_json::to_string_pretty(&to_json(&tree)).unwrap_or_default();
    out::write(None, &format!("{page}\n"))?;
    Ok(Code::Holds)
}
