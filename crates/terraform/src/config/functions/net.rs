//! Addresses and prefixes.

use super::{Call, Function, MANY, f};
use crate::config::eval::{Fault, fault};
use crate::config::value::V;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) const TABLE: &[Function] = &[
    f("cidrhost", 2, 2, |c| {
        let n = prefix(c, 0)?;
        let host = c.a.num(1)?;
        if host.fract() != 0.0 || host.abs() > 3e38 {
            return c.a.wrong(1, "whole number");
        }
        let bits = width(&n) - u32::from(n.prefix_len());
        let size = if bits == 128 {
            u128::MAX
        } else {
            (1u128 << bits) - 1
        };
        let at = host.abs() as u128;
        let out = if host < 0.0 {
            if at == 0 || at - 1 > size {
                None
            } else {
                Some(base(&n) + size - (at - 1))
            }
        } else if at > size {
            None
        } else {
            Some(base(&n) + at)
        };
        match out {
            Some(a) => Ok(V::str(address(&n, a).to_string())),
            None => fault(format!("prefix {n} has no host {host}")),
        }
    }),
    f("cidrnetmask", 1, 1, |c| match prefix(c, 0)? {
        IpNet::V4(n) => Ok(V::str(n.netmask().to_string())),
        IpNet::V6(_) => fault("IPv6 has no netmasks"),
    }),
    f("cidrsubnet", 3, 3, |c| {
        let n = prefix(c, 0)?;
        let (new, num) = (c.a.int(1)?, c.a.int(2)?);
        let len = i64::from(n.prefix_len()) + new;
        if new < 0 || len > i64::from(width(&n)) {
            return fault(format!("prefix {n} has no room for {new} more bits"));
        }
        if num < 0 || (new < 63 && num >= (1i64 << new)) {
            return fault(format!("{new} more bits of prefix {n} do not hold network {num}"));
        }
        let shift = width(&n) - len as u32;
        let at = base(&n) + if shift >= 128 { 0 } else { (num as u128) << shift };
        Ok(V::str(format!("{}/{len}", address(&n, at))))
    }),
    f("cidrsubnets", 1, MANY, |c| {
        let n = prefix(c, 0)?;
        let bits = width(&n);
        let end = base(&n).checked_add(if bits - u32::from(n.prefix_len()) == 128 {
            u128::MAX
        } else {
            (1u128 << (bits - u32::from(n.prefix_len()))) - 1
        });
        let mut at = Some(base(&n));
        let mut out = Vec::new();
        for i in 1..c.a.len() {
            let len = i64::from(n.prefix_len()) + c.a.int(i)?;
            if c.a.int(i)? < 1 || len > i64::from(bits) {
                return fault(format!("prefix {n} has no room for {} more bits", c.a.int(i)?));
            }
            let size = 1u128 << (bits - len as u32);
            // Each network begins at a multiple of its size.
            let start = at.and_then(|a| a.checked_next_multiple_of(size));
            match (start, start.and_then(|s| s.checked_add(size - 1)), end) {
                (Some(s), Some(last), Some(end)) if last <= end => {
                    out.push(V::str(format!("{}/{len}", address(&n, s))));
                    at = last.checked_add(1);
                }
                _ => return fault(format!("prefix {n} has no room for network {i}")),
            }
        }
        Ok(V::list(out))
    }),
];

fn prefix(c: &Call<'_, '_>, i: usize) -> Result<IpNet, Fault> {
    let t = c.a.text(i)?;
    match t.parse::<IpNet>() {
        Ok(n) => Ok(n.trunc()),
        Err(_) => fault(format!("`{t}` is not a CIDR")),
    }
}

fn width(n: &IpNet) -> u32 {
    u32::from(n.max_prefix_len())
}

fn base(n: &IpNet) -> u128 {
    match n.network() {
        IpAddr::V4(a) => u128::from(u32::from(a)),
        IpAddr::V6(a) => u128::from(a),
    }
}

fn address(n: &IpNet, a: u128) -> IpAddr {
    match n {
        IpNet::V4(_) => IpAddr::V4(Ipv4Addr::from(u32::try_from(a).unwrap_or(u32::MAX))),
        IpNet::V6(_) => IpAddr::V6(Ipv6Addr::from(a)),
    }
}
