//! Intents: parsed, formatted, resolved, linted. Formatting twice is formatting once, and what parses still
//! parses after it.
#![no_main]

use bartizan_base::Sources;
use bartizan_lang::{Lang, format, from_json, lint, parse, resolve, sentence, to_json};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let mut sources = Sources::default();
    let file = sources.add("a.btz", data);
    let (tree, said) = parse(file, &sources);
    if said.is_empty() {
        let once = format(data).expect("what parses can be formatted");
        assert_eq!(format(&once).expect("formatted text parses"), once);
        assert!(from_json(file, &to_json(&tree)).is_ok());
    }
    let (intent, _) = resolve(&[tree], &sources);
    let _ = lint(&intent, "2026-11-23".parse().expect("a date"));
    for c in &intent.clauses {
        let _ = (sentence(&intent, c, Lang::En), sentence(&intent, c, Lang::Zh));
    }
});
