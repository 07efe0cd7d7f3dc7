//! Hashes.

use super::{Function, f};
use crate::config::eval::fault;
use crate::config::value::V;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Digest as _;

pub(super) const TABLE: &[Function] = &[
    f("md5", 1, 1, |c| {
        Ok(V::str(hex(&md5::Md5::digest(c.a.text(0)?.as_bytes()))))
    }),
    f("sha1", 1, 1, |c| {
        Ok(V::str(hex(&sha1::Sha1::digest(c.a.text(0)?.as_bytes()))))
    }),
    f("sha256", 1, 1, |c| {
        Ok(V::str(hex(&sha2::Sha256::digest(c.a.text(0)?.as_bytes()))))
    }),
    f("sha512", 1, 1, |c| {
        Ok(V::str(hex(&sha2::Sha512::digest(c.a.text(0)?.as_bytes()))))
    }),
    f("base64sha256", 1, 1, |c| {
        Ok(V::str(
            STANDARD.encode(sha2::Sha256::digest(c.a.text(0)?.as_bytes())),
        ))
    }),
    f("base64sha512", 1, 1, |c| {
        Ok(V::str(
            STANDARD.encode(sha2::Sha512::digest(c.a.text(0)?.as_bytes())),
        ))
    }),
    f("uuidv5", 2, 2, |c| {
        // RFC 4122 appendix C; the namespaces differ in one byte.
        let mut ns: [u8; 16] = [
            0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8,
        ];
        match &*c.a.text(0)? {
            "dns" => {}
            "url" => ns[3] = 0x11,
            "oid" => ns[3] = 0x12,
            "x500" => ns[3] = 0x14,
            other => match parse_uuid(other) {
                Some(u) => ns = u,
                None => return fault(format!("`{other}` is not a UUID")),
            },
        }
        let mut h = sha1::Sha1::new();
        h.update(ns);
        h.update(c.a.text(1)?.as_bytes());
        let mut u: Vec<u8> = h.finalize().iter().copied().take(16).collect();
        u[6] = (u[6] & 0x0f) | 0x50;
        u[8] = (u[8] & 0x3f) | 0x80;
        let t = hex(&u);
        Ok(V::str(format!(
            "{}-{}-{}-{}-{}",
            &t[..8],
            &t[8..12],
            &t[12..16],
            &t[16..20],
            &t[20..]
        )))
    }),
];

fn parse_uuid(t: &str) -> Option<[u8; 16]> {
    let digits: String = t.chars().filter(|c| *c != '-').collect();
    if digits.len() != 32 || t.len() != 36 {
        return None;
    }
    u128::from_str_radix(&digits, 16).ok().map(u128::to_be_bytes)
}

pub(super) fn hex(b: &[u8]) -> String {
    b.iter().map(|b| format!("{b:02x}")).collect()
}
