//! Generators, fixtures and the harness that runs testdata on every engine
