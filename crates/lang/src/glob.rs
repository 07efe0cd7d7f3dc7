//! Patterns with `*` and `?`.

/// Whether `text` matches `pattern`: `*` is any run of characters, also none, `?` is exactly one; everything
/// else is itself, and upper and lower case differ. Cost: at most length times length, no recursion.
#[must_use]
pub fn glob_match(pattern: &str, text: &str) -> bool {
    let p: Vec<char> = pattern.chars().collect();
    let t: Vec<char> = text.chars().collect();
    let (mut pi, mut ti) = (0, 0);
    // Where the last `*` stands and how much it has eaten: the only place ever gone back to.
    let mut star: Option<(usize, usize)> = None;
    while ti < t.len() {
        match p.get(pi) {
            Some('*') => {
                star = Some((pi, ti));
                pi += 1;
            }
            Some(&c) if c == '?' || t.get(ti) == Some(&c) => {
                pi += 1;
                ti += 1;
            }
            _ => {
                let Some((sp, st)) = star else { return false };
                star = Some((sp, st + 1));
                pi = sp + 1;
                ti = st + 1;
            }
        }
    }
    p.iter().skip(pi).all(|&c| c == '*')
}

/// Whether no text can match both patterns, decided on what stands before the first and after the last
/// wildcard. `false` means "maybe not", never "no".
#[must_use]
pub fn globs_are_disjoint(a: &str, b: &str) -> bool {
    let wild = |c: char| c == '*' || c == '?';
    if !a.contains(wild) {
        return !glob_match(b, a);
    }
    if !b.contains(wild) {
        return !glob_match(a, b);
    }
    let head = |s: &str| s.chars().take_while(|&c| !wild(c)).collect::<Vec<_>>();
    let tail = |s: &str| s.chars().rev().take_while(|&c| !wild(c)).collect::<Vec<_>>();
    let differ = |x: Vec<char>, y: Vec<char>| x.iter().zip(&y).any(|(x, y)| x != y);
    differ(head(a), head(b)) || differ(tail(a), tail(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (p, t) in [
            ("*", ""),
            ("prod-*", "prod-"),
            ("a*b*c", "axbxbxc"),
            ("?x", "中x"),
            ("**a", "a"),
            ("", ""),
        ] {
            assert!(glob_match(p, t), "{p} {t}");
        }
        for (p, t) in [
            ("prod-*", "prod"),
            ("?", ""),
            ("a*b", "ab "),
            ("Prod", "prod"),
            ("", "a"),
            ("a?c", "ac"),
        ] {
            assert!(!glob_match(p, t), "{p} {t}");
        }
    }

    #[test]
    fn many_stars_do_not_hang() {
        assert!(!glob_match(&"*a".repeat(200), &"b".repeat(2000)));
        assert!(!glob_match(&format!("{}b", "a*".repeat(100)), &"a".repeat(2000)));
    }

    #[test]
    fn disjoint_patterns_share_no_text() {
        assert!(globs_are_disjoint("prod-*", "dev-*"));
        assert!(globs_are_disjoint("*-a", "*-b"));
        assert!(globs_are_disjoint("prod-1", "prod-2"));
        assert!(globs_are_disjoint("prod", "dev*"));
        assert!(!globs_are_disjoint("prod-*", "prod-a*"));
        assert!(!globs_are_disjoint("*a*", "*b*"));
        assert!(!globs_are_disjoint("prod-*", "prod-1"));
    }
}
