//! What is taken from the environment, all in one place: the terminal, the day, `TF_VAR_*`.

use bartizan_lang::Date;
use bartizan_report::Style;
use clap::ValueEnum;
use std::collections::BTreeMap;
use std::io::IsTerminal;

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

fn set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|v| !v.is_empty() && v != "0")
}

fn colored(choice: Color, terminal: bool) -> bool {
    match choice {
        Color::Always => true,
        Color::Never => false,
        // https://no-color.org: any value but the empty one counts.
        Color::Auto if std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty()) => false,
        Color::Auto if set("CLICOLOR_FORCE") => true,
        Color::Auto => terminal && std::env::var_os("TERM").is_none_or(|t| t != "dumb"),
    }
}

/// Columns of a page that nobody's terminal limits.
const WIDTH: usize = 100;

fn style(choice: Color, terminal: bool, size: Option<usize>) -> Style {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|v| std::env::var(v).ok().filter(|v| !v.is_empty()));
    let utf8 = locale.is_none_or(|l| l.to_ascii_lowercase().replace('-', "").contains("utf8"));
    let width = if terminal {
        let asked = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
        asked.or(size).unwrap_or(WIDTH).clamp(60, 160)
    } else {
        WIDTH
    };
    Style {
        color: colored(choice, terminal),
        unicode: !terminal || utf8,
        width,
    }
}

/// The style of standard output, or of a file.
pub(crate) fn stdout_style(choice: Color, to_file: bool) -> Style {
    let terminal = !to_file && std::io::stdout().is_terminal();
    let size = terminal_size::terminal_size_of(std::io::stdout()).map(|(w, _)| usize::from(w.0));
    style(choice, terminal, size)
}

/// The style of standard error.
pub(crate) fn stderr_style(choice: Color) -> Style {
    let size = terminal_size::terminal_size_of(std::io::stderr()).map(|(w, _)| usize::from(w.0));
    style(choice, std::io::stderr().is_terminal(), size)
}

/// Today in UTC; the first day of 1970 for a clock that is out of range.
pub(crate) fn today() -> Date {
    let days = jiff::Timestamp::now().as_second().div_euclid(86_400);
    Date::from_days(days)
        .or_else(|| Date::from_days(0))
        .unwrap_or_else(|| unreachable!("1970-01-01 is a day"))
}

/// `TF_VAR_*` without the prefix.
pub(crate) fn terraform_variables() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
        .filter_map(|(k, v)| k.strip_prefix("TF_VAR_").map(|k| (k.to_string(), v)))
        .collect()
}

/// What is added to every `terraform plan`, by the name of its variable; what comes later is stronger.
pub(crate) fn terraform_arguments() -> Vec<(&'static str, String)> {
    let of = |name| Some((name, std::env::var(name).ok()?));
    ["TF_CLI_ARGS_plan", "TF_CLI_ARGS"]
        .into_iter()
        .filter_map(of)
        .collect()
}

/// `TF_WORKSPACE`, as Terraform reads it.
pub(crate) fn terraform_workspace() -> Option<String> {
    std::env::var("TF_WORKSPACE").ok().filter(|w| !w.is_empty())
}

/// The workspace that `terraform workspace select` has left in a directory, where Terraform keeps it.
pub(crate) fn selected_workspace(dir: &std::path::Path) -> Option<String> {
    let data = std::env::var_os("TF_DATA_DIR").map_or_else(|| ".terraform".into(), std::path::PathBuf::from);
    let text = std::fs::read_to_string(dir.join(data).join("environment")).ok()?;
    Some(text.trim().to_string()).filter(|w| !w.is_empty())
}
