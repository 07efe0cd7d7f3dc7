//! The vectors of ALIBABA.md §21, read from their Terraform and asked of the oracle.

use bartizan_testkit::{EngineUnderTest, MatrixEngine, OracleEngine, PointEngine, load_vectors, run};
use std::path::Path;

#[test]
fn every_vector_holds_on_the_oracle() {
    let vectors = load_vectors(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/vectors")).unwrap();
    assert!(vectors.len() >= 64, "{} vectors", vectors.len());
    let failures: Vec<String> = vectors
        .iter()
        .filter_map(|v| run(v, &OracleEngine).err())
        .map(|e| e.to_string())
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        vectors.len(),
        failures.concat()
    );
}

#[test]
fn every_vector_holds_on_the_engine() {
    let vectors = load_vectors(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/vectors")).unwrap();
    for engine in [&PointEngine as &dyn EngineUnderTest, &MatrixEngine] {
        let failures: Vec<String> = vectors
            .iter()
            .filter_map(|v| run(v, engine).err())
            .map(|e| e.to_string())
            .collect();
        assert!(
            failures.is_empty(),
            "{} of {}:\n{}",
            failures.len(),
            vectors.len(),
            failures.concat()
        );
    }
}
