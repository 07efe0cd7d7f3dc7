//! "Did you mean": the nearest known word.

/// The candidate nearest to `word`, if one is near enough to be what was meant; the first of equals.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(64).flat_map(char::to_lowercase).collect();
    let limit = match word.len() {
        0..=2 => 1,
        3..=5 => 2,
        _ => 3,
    };
    let mut best: Option<(usize, &str)> = None;
    for c in candidates {
        let other: Vec<char> = c.chars().take(64).flat_map(char::to_lowercase).collect();
        if word.len().abs_diff(other.len()) > limit {
            continue;
        }
        let d = distance(&word, &other);
        // Replacing every letter is no resemblance.
        if d <= limit && d < word.len().max(other.len()) && best.is_none_or(|(b, _)| d < b) {
            best = Some((d, c));
        }
    }
    best.map(|(_, c)| c)
}

/// Edits (insert, delete, replace, swap neighbours) between two words.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let at = |r: &[usize], i: usize| r.get(i).copied().unwrap_or(usize::MAX / 2);
    for (i, &x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, &y) in b.iter().enumerate() {
            let replace = at(&row, j) + usize::from(x != y);
            let mut d = replace.min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(&y) && b.get(j - 1) == Some(&x);
            if swapped {
                d = d.min(at(&before, j - 1) + 1);
            }
            next.push(d);
        }
        before = std::mem::replace(&mut row, next);
    }
    at(&row, b.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_wins_and_strangers_lose() {
        let words = ["zone", "env", "service", "boundary"];
        assert_eq!(nearest("zoen", words), Some("zone"));
        assert_eq!(nearest("boundry", words), Some("boundary"));
        assert_eq!(nearest("BOUNDARY", words), Some("boundary"));
        assert_eq!(nearest("frobnicate", words), None);
        assert_eq!(nearest("", words), None);
    }
}
