//! Dates. Only values that are written down: the time of the run is unknown.

use super::{Function, f};
use crate::config::eval::{Fault, fault};
use crate::config::value::V;
use jiff::{SignedDuration, Timestamp, tz::Offset};

pub(super) const TABLE: &[Function] = &[
    f("timeadd", 2, 2, |c| {
        let (t, offset) = parse(&c.a.text(0)?)?;
        let d = duration(&c.a.text(1)?)?;
        match t.checked_add(d) {
            Ok(t) => Ok(V::str(show(t, offset))),
            Err(_) => fault("the result is out of range"),
        }
    }),
    f("timecmp", 2, 2, |c| {
        let (a, b) = (parse(&c.a.text(0)?)?.0, parse(&c.a.text(1)?)?.0);
        Ok(V::Num(match a.cmp(&b) {
            std::cmp::Ordering::Less => -1.0,
            std::cmp::Ordering::Equal => 0.0,
            std::cmp::Ordering::Greater => 1.0,
        }))
    }),
    f("formatdate", 2, 2, |c| {
        let (t, offset) = parse(&c.a.text(1)?)?;
        let z = offset.to_datetime(t);
        let spec: Vec<char> = c.a.text(0)?.chars().collect();
        let mut out = String::new();
        let mut i = 0;
        while i < spec.len() {
            let ch = spec[i];
            if ch == '\'' {
                i += 1;
                while i < spec.len() && spec[i] != '\'' {
                    out.push(spec[i]);
                    i += 1;
                }
                i += 1;
                continue;
            }
            if !ch.is_ascii_alphabetic() {
                out.push(ch);
                i += 1;
                continue;
            }
            let n = spec[i..].iter().take_while(|c| **c == ch).count();
            let word: String = spec[i..i + n].iter().collect();
            let hour12 = (z.hour() + 11) % 12 + 1;
            let (sign, h, m) = {
                let s = offset.seconds();
                (if s < 0 { '-' } else { '+' }, s.abs() / 3600, s.abs() / 60 % 60)
            };
            let piece = match word.as_str() {
                "YYYY" => format!("{:04}", z.year()),
                "YY" => format!("{:02}", z.year() % 100),
                "MMMM" => MONTHS[usize::from(z.month().unsigned_abs() - 1)].to_string(),
                "MMM" => MONTHS[usize::from(z.month().unsigned_abs() - 1)][..3].to_string(),
                "MM" => format!("{:02}", z.month()),
                "M" => z.month().to_string(),
                "DD" => format!("{:02}", z.day()),
                "D" => z.day().to_string(),
                "EEEE" => day(z.weekday()).to_string(),
                "EEE" => day(z.weekday())[..3].to_string(),
                "hh" => format!("{:02}", z.hour()),
                "h" => z.hour().to_string(),
                "HH" => format!("{hour12:02}"),
                "H" => hour12.to_string(),
                "AA" => if z.hour() < 12 { "AM" } else { "PM" }.to_string(),
                "aa" => if z.hour() < 12 { "am" } else { "pm" }.to_string(),
                "mm" => format!("{:02}", z.minute()),
                "m" => z.minute().to_string(),
                "ss" => format!("{:02}", z.second()),
                "s" => z.second().to_string(),
                "ZZZZZ" => format!("{sign}{h:02}:{m:02}"),
                "ZZZZ" => format!("{sign}{h:02}{m:02}"),
                "ZZZ" if offset.seconds() == 0 => "UTC".to_string(),
                "ZZZ" => format!("{sign}{h:02}{m:02}"),
                "Z" if offset.seconds() == 0 => "Z".to_string(),
                "Z" => format!("{sign}{h:02}:{m:02}"),
                w => return fault(format!("`{w}` means nothing in a date format")),
            };
            out.push_str(&piece);
            i += n;
        }
        Ok(V::str(out))
    }),
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn day(d: jiff::civil::Weekday) -> &'static str {
    use jiff::civil::Weekday as W;
    match d {
        W::Monday => "Monday",
        W::Tuesday => "Tuesday",
        W::Wednesday => "Wednesday",
        W::Thursday => "Thursday",
        W::Friday => "Friday",
        W::Saturday => "Saturday",
        W::Sunday => "Sunday",
    }
}

fn parse(t: &str) -> Result<(Timestamp, Offset), Fault> {
    let bad = || fault(format!("`{t}` is not an RFC 3339 time"));
    let Ok(ts) = t.parse::<Timestamp>() else {
        return bad();
    };
    let zone = t.rfind(['Z', 'z', '+', '-']).map(|i| &t[i..]).unwrap_or("Z");
    if zone.starts_with(['Z', 'z']) {
        return Ok((ts, Offset::UTC));
    }
    let mut parts = zone[1..].split(':').map(|p| p.parse::<i32>().unwrap_or(0));
    let secs = parts.next().unwrap_or(0) * 3600 + parts.next().unwrap_or(0) * 60;
    match Offset::from_seconds(if zone.starts_with('-') { -secs } else { secs }) {
        Ok(o) => Ok((ts, o)),
        Err(_) => bad(),
    }
}

fn show(t: Timestamp, offset: Offset) -> String {
    let z = offset.to_datetime(t);
    let s = offset.seconds();
    let zone = if s == 0 {
        "Z".to_string()
    } else {
        format!(
            "{}{:02}:{:02}",
            if s < 0 { '-' } else { '+' },
            s.abs() / 3600,
            s.abs() / 60 % 60
        )
    };
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{zone}",
        z.year(),
        z.month(),
        z.day(),
        z.hour(),
        z.minute(),
        z.second()
    )
}

/// Go's durations: `1h30m`, `-10s`, `1.5h`.
fn duration(t: &str) -> Result<SignedDuration, Fault> {
    let bad = || fault(format!("`{t}` is not a duration such as `1h30m`"));
    let (negative, mut rest) = match t.strip_prefix('-') {
        Some(r) => (true, r),
        None => (false, t.strip_prefix('+').unwrap_or(t)),
    };
    let mut secs = 0.0;
    if rest.is_empty() {
        return bad();
    }
    while !rest.is_empty() && rest != "0" {
        let n = rest
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .unwrap_or(rest.len());
        let unit_end = rest[n..]
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .map_or(rest.len(), |e| n + e);
        let Ok(v) = rest[..n].parse::<f64>() else {
            return bad();
        };
        secs += v * match &rest[n..unit_end] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return bad(),
        };
        rest = &rest[unit_end..];
    }
    match SignedDuration::try_from_secs_f64(if negative { -secs } else { secs }) {
        Ok(d) => Ok(d),
        Err(_) => bad(),
    }
}
