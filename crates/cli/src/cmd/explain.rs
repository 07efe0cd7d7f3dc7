//! `bartizan explain CODE` and `bartizan explain ASSUMPTION`.

use crate::app::Context;
use crate::failure::{Failure, Outcome};
use crate::out::{self, Code};
use bartizan_base::{CODES, Diagnostic, code_info};
use bartizan_model::{ASSUMPTIONS, AssumptionInfo, Use, assumption_info};
use bartizan_report::Style;

pub(crate) const HELP: &str = "Examples:
  bartizan explain REACH001
  bartizan explain never-violated
  bartizan explain A-NACL-1          an assumption: what is contested, and how to decide it
  bartizan explain                   lists every code and assumption";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// A code, its name, or an assumption; without one everything is listed
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
        let assumption = |a: &AssumptionInfo| {
            let id = style.bold(&format!("{:<12}", a.id));
            format!("{id}  {}\n", a.question)
        };
        let mut page: String = CODES.iter().map(line).collect();
        page.push('\n');
        page.extend(ASSUMPTIONS.iter().map(assumption));
        out::write(None, &page)?;
        return Ok(Code::Holds);
    };
    if let Some(a) = assumption_info(code) {
        out::write(None, &page(a, style))?;
        return Ok(Code::Holds);
    }
    let Some(info) = code_info(code) else {
        let d = Diagnostic::error("INTENT002", format!("there is no code or assumption `{code}`"));
        return Err(Failure::of(
            d.help("`bartizan explain` lists every code and assumption"),
        ));
    };
    let head = format!("{} {}: {}", info.code, info.name, info.title);
    out::write(
        None,
        &format!("{}\n\n{}\n", style.bold(&head), info.explain.trim_end()),
    )?;
    Ok(Code::Holds)
}

/// An assumption in words.
fn page(a: &AssumptionInfo, style: Style) -> String {
    let mut out = format!("{}\n\n", style.bold(&format!("{}: {}", a.id, a.question)));
    let reading = |u: Use| match (u, a.readings) {
        (Use::First, [first, _]) => first.name,
        (Use::Second, [_, second]) => second.name,
        _ => "either",
    };
    for r in a.readings {
        out.push_str(&format!("  {:<12} {}\n", r.name, r.meaning));
    }
    if let Some(why) = a.fixed {
        out.push_str(&format!("There is one reading: {}.\n{why}.\n", a.why));
    } else {
        let (absence, presence) = (reading(a.absence), reading(a.presence));
        out.push_str(&format!(
            "\n{}.\n\nIf nothing is decided, claims of absence (never, only, cannot reach) take: {absence}\n\
             and claims of presence (must, can reach) take: {presence}\n",
            a.why
        ));
        if a.absence != a.presence || a.absence == Use::Either {
            out.push_str("A claim that depends on it is undecided.\n");
        }
        out.push_str(&format!(
            "\n## What to do\n\nDecide with `--assume {}={}` or `--assume {}={}`; reports say so.\n",
            a.id, a.readings[0].name, a.id, a.readings[1].name
        ));
    }
    out.push_str(&format!(
        "\nSource: the data-plane reference, {}; docs/decisions/018-assumptions.md.\n",
        a.section
    ));
    out
}
