//! `bartizan explain CODE`.

use crate::app::Context;
use crate::failure::{Failure, Outcome};
use crate::out::{self, Code};
use bartizan_base::{CODES, Diagnostic, code_info};

pub(crate) const HELP: &str = "Examples:
  bartizan explain REACH001
  bartizan explain never-violated
  bartizan explain                   lists every code";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// A code or its name; without one every code is listed
    code: Option<String>,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Outcome {
    let style = ctx.style(None);
    let Some(code) = &args.code else {
        let width = CODES.iter().map(|c| c.name.len()).max().unwrap_or(0);
        let line = |c: &bartizan_base::CodeInfo| {
            format!(
                "{}  {:<width$}  {}\n",
                style.bold(&format!("{:<9}", c.code)),
                c.name,
                c.title
            )
        };
        out::write(None, &CODES.iter().map(line).collect::<String>())?;
        return Ok(Code::Holds);
    };
    let Some(info) = code_info(code) else {
        let d = Diagnostic::error("INTENT002", format!("there is no code `{code}`"));
        return Err(Failure::of(d.help("`bartizan explain` lists every code")));
    };
    let head = format!("{} {}: {}", info.code, info.name, info.title);
    out::write(
        None,
        &format!("{}\n\n{}\n", style.bold(&head), info.explain.trim_end()),
    )?;
    Ok(Code::Holds)
}
