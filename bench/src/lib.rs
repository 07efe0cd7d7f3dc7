//! Seeded large networks and the reach benchmark
