//! Configurations in JSON syntax.
#![no_main]

use bartizan_base::Sources;
use bartizan_terraform::{FileSet, ReadOptions, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let mut sources = Sources::default();
    let mut files = FileSet::default();
    files.add(&mut sources, "main.tf.json", data);
    let _ = read(&files, &mut sources, &ReadOptions::default());
});
