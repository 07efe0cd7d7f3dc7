//! Plans, states and snapshots: one JSON file, told apart by its content.
#![no_main]

use bartizan_base::Sources;
use bartizan_terraform::{FileSet, ReadOptions, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let mut sources = Sources::default();
    let mut files = FileSet::default();
    files.add(&mut sources, "plan.json", data);
    let _ = read(&files, &mut sources, &ReadOptions::default());
    let _ = bartizan_model::from_snapshot(data, &mut Sources::default());
});
