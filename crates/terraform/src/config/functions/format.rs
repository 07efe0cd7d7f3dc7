//! `format` and `formatlist`: Go's verbs as Terraform restricts them.

use super::{Function, MANY, f, unknown};
use crate::config::eval::{Fault, MAX_TEXT, fault};
use crate::config::value::{V, number, quote};

pub(super) const TABLE: &[Function] = &[
    f("format", 1, MANY, |c| {
        if let Some(u) = c.a.at(0)?.why_unknown() {
            return unknown(u);
        }
        let spec = c.a.text(0)?;
        if let ("%s" | "%v", [_, one @ V::Ref(_)]) = (&*spec, c.a.all.as_slice()) {
            return Ok(one.clone());
        }
        if let Some(u) = c.a.all.iter().skip(1).find_map(V::deep_unknown) {
            return unknown(u);
        }
        Ok(format(&spec, c.a.all.get(1..).unwrap_or_default())?.map_or_else(|| c.w.too_large(), V::str))
    }),
    f("formatlist", 1, MANY, |c| {
        if let Some(u) = c.a.all.iter().find_map(V::why_unknown) {
            return unknown(u);
        }
        let spec = c.a.text(0)?;
        let args = c.a.all.get(1..).unwrap_or_default();
        let lens: Vec<usize> = args.iter().filter_map(|a| a.items().map(<[V]>::len)).collect();
        let n = lens.first().copied().unwrap_or(1);
        if lens.iter().any(|l| *l != n) {
            return fault("the lists of `formatlist` differ in length");
        }
        let mut out = Vec::new();
        let mut len = 0;
        for i in 0..n {
            let row: Vec<V> = args
                .iter()
                .map(|a| a.items().map_or_else(|| a.clone(), |v| v[i].clone()))
                .collect();
            out.push(match row.iter().find_map(V::deep_unknown) {
                Some(u) => V::Unknown(u),
                None => match format(&spec, &row)? {
                    Some(t) if len + t.len() <= MAX_TEXT => {
                        len += t.len();
                        V::str(t)
                    }
                    _ => return Ok(c.w.too_large()),
                },
            });
        }
        Ok(V::list(out))
    }),
];

struct Verb {
    flags: String,
    width: Option<usize>,
    precision: Option<usize>,
}

/// `None` where the text would be too long.
fn format(spec: &str, args: &[V]) -> Result<Option<String>, Fault> {
    let mut out = String::new();
    let mut it = spec.chars().peekable();
    let mut next = 0;
    let mut used = 0;
    while let Some(c) = it.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut v = Verb {
            flags: String::new(),
            width: None,
            precision: None,
        };
        while let Some(c) = it.next_if(|c| "+-# 0".contains(*c)) {
            v.flags.push(c);
        }
        let digits = |it: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let mut n: Option<usize> = None;
            while let Some(d) = it.next_if(char::is_ascii_digit) {
                let d = d.to_digit(10).unwrap_or(0) as usize;
                n = Some(n.unwrap_or(0).saturating_mul(10).saturating_add(d).min(10_000));
            }
            n
        };
        v.width = digits(&mut it);
        if it.next_if(|c| *c == '.').is_some() {
            v.precision = Some(digits(&mut it).unwrap_or(0));
        }
        if it.next_if(|c| *c == '[').is_some() {
            match digits(&mut it) {
                Some(n) if n > 0 && it.next_if(|c| *c == ']').is_some() => next = n - 1,
                _ => return fault("`format` needs a number in `%[n]`"),
            }
        }
        let Some(verb) = it.next() else {
            return fault("`format` ends with a lone `%`");
        };
        if verb == '%' {
            out.push('%');
            continue;
        }
        let Some(a) = args.get(next) else {
            return fault(format!("`format` has no argument {}", next + 1));
        };
        next += 1;
        used = used.max(next);
        out.push_str(&one(verb, &v, a)?);
        if out.len() > MAX_TEXT {
            return Ok(None);
        }
    }
    if used < args.len() && !args.is_empty() {
        return fault("`format` has more arguments than verbs");
    }
    Ok(Some(out))
}

fn one(verb: char, v: &Verb, a: &V) -> Result<String, Fault> {
    let num = || {
        a.to_num()
            .map_or_else(|| fault(format!("`%{verb}` needs a number")), Ok)
    };
    let whole = || match a.to_num() {
        Some(n) if n.fract() == 0.0 && n.abs() < 1e30 => Ok(n as i128),
        _ => fault(format!("`%{verb}` needs a whole number")),
    };
    let signed = |n: i128, digits: String| match (n < 0, v.flags.contains('+'), v.flags.contains(' ')) {
        (true, ..) => format!("-{digits}"),
        (_, true, _) => format!("+{digits}"),
        (_, _, true) => format!(" {digits}"),
        _ => digits,
    };
    let float = |t: String| {
        if v.flags.contains('+') && !t.starts_with('-') {
            format!("+{t}")
        } else {
            t
        }
    };
    let cut = |t: String| match v.precision {
        Some(p) => t.chars().take(p).collect(),
        None => t,
    };
    let text = || match a {
        V::Null => Ok("null".to_string()),
        a => match a.to_text() {
            Some(t) => Ok(t.to_string()),
            None => fault(format!("`%{verb}` needs a string, not a {}", a.type_name())),
        },
    };
    let t = match verb {
        'v' => match a {
            V::Null | V::List(_) | V::Set(_) | V::Map(_) => super::encoding::json_text(a),
            a if v.flags.contains('#') => super::encoding::json_text(a),
            V::Num(n) => signed(0, number(*n)),
            a => a.to_text().unwrap_or_default().to_string(),
        },
        's' => cut(text()?),
        'q' => quote(&text()?),
        't' => match a.to_bool() {
            Some(b) => b.to_string(),
            None => return fault("`%t` needs true or false"),
        },
        'd' => {
            let n = whole()?;
            signed(n, n.unsigned_abs().to_string())
        }
        'b' => {
            let n = whole()?;
            signed(n, format!("{:b}", n.unsigned_abs()))
        }
        'o' => {
            let n = whole()?;
            signed(n, format!("{:o}", n.unsigned_abs()))
        }
        'x' | 'X' => match a {
            V::Str(s) if s.parse::<f64>().is_err() => {
                let hex: String = s.bytes().map(|b| format!("{b:02x}")).collect();
                if verb == 'X' { hex.to_uppercase() } else { hex }
            }
            _ => {
                let n = whole()?;
                let hex = format!("{:x}", n.unsigned_abs());
                signed(n, if verb == 'X' { hex.to_uppercase() } else { hex })
            }
        },
        'c' => match u32::try_from(whole()?).ok().and_then(char::from_u32) {
            Some(c) => c.to_string(),
            None => return fault("`%c` needs a code point"),
        },
        'f' | 'F' => float(format!("{:.*}", v.precision.unwrap_or(6), num()?)),
        'e' | 'E' => {
            let t = scientific(num()?, v.precision.unwrap_or(6));
            float(if verb == 'E' { t.to_uppercase() } else { t })
        }
        'g' | 'G' => float(number(num()?)),
        other => return fault(format!("`format` does not know `%{other}`")),
    };
    let width = v.width.unwrap_or(0);
    let n = t.chars().count();
    if n >= width {
        return Ok(t);
    }
    let pad = width - n;
    Ok(if v.flags.contains('-') {
        format!("{t}{}", " ".repeat(pad))
    } else if v.flags.contains('0') {
        match t.strip_prefix(['-', '+']) {
            Some(rest) => format!("{}{}{rest}", &t[..1], "0".repeat(pad)),
            None => format!("{}{t}", "0".repeat(pad)),
        }
    } else {
        format!("{}{t}", " ".repeat(pad))
    })
}

/// Go writes at least two digits of exponent, with its sign.
fn scientific(n: f64, precision: usize) -> String {
    let t = format!("{n:.precision$e}");
    match t.split_once('e') {
        Some((m, e)) => {
            let (sign, digits) = e.strip_prefix('-').map_or(('+', e), |d| ('-', d));
            format!("{m}e{sign}{digits:0>2}")
        }
        None => t,
    }
}
