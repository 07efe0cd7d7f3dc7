//! The engine: who can reach whom, exactly, with witnesses and certificates
