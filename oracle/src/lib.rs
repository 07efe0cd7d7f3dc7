//! An independent packet-at-a-time interpreter of ALIBABA.md, for tests
