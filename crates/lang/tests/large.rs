//! A large intent is read and judged in reasonable time.

use bartizan_base::Sources;
use bartizan_lang::{Date, lint, parse, resolve};
use std::fmt::Write;
use std::time::{Duration, Instant};

#[test]
fn a_large_intent_is_judged_in_reasonable_time() {
    let mut text = String::from("env prod = vpc \"prod-*\"\nzone internet = outside\n");
    for i in 0..400 {
        let _ = writeln!(text, "zone z{i} = tag tier=t{i} in env prod");
    }
    text.push_str("boundary all governs env prod {\n");
    for i in 0..4000 {
        let _ = writeln!(
            text,
            "  allow z{} -> z{} : tcp/{} because \"r\"",
            i % 400,
            (i * 7 + 1) % 400,
            1000 + i
        );
    }
    for i in 0..200 {
        let _ = writeln!(text, "  never internet -> z{i} : tcp/22");
        let _ = writeln!(text, "  only z{i} -> z{} : tcp/{} because \"r\"", i + 1, 6000 + i);
    }
    text.push_str("}\n");
    let start = Instant::now();
    let mut sources = Sources::default();
    let id = sources.add("a.btz", text.as_str());
    let (file, problems) = parse(id, &sources);
    assert!(problems.is_empty());
    let (intent, problems) = resolve(std::slice::from_ref(&file), &sources);
    assert!(problems.is_empty());
    assert_eq!(intent.clauses.len(), 4400);
    let found = Date::new(2026, 11, 23)
        .map(|d| lint(&intent, d))
        .unwrap_or_default();
    assert!(found.is_empty(), "{:#?}", found.first());
    println!("{:?}", start.elapsed());
    // Unoptimised and on a busy machine; it is there to notice the next power of the size.
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}
