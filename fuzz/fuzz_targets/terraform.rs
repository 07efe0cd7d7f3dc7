//! Configurations in native syntax, with a variable file: evaluated and linked.
#![no_main]

use bartizan_base::Sources;
use bartizan_terraform::{FileSet, ReadOptions, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let mut sources = Sources::default();
    let mut files = FileSet::default();
    let (main, rest) = data.split_once("\u{1}").unwrap_or((data, ""));
    let (module, vars) = rest.split_once("\u{1}").unwrap_or((rest, ""));
    files.add(&mut sources, "main.tf", main);
    files.add(&mut sources, "m/main.tf", module);
    files.add(&mut sources, "terraform.tfvars", vars);
    let _ = read(&files, &mut sources, &ReadOptions::default());
});
