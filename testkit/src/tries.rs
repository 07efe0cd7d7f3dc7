//! When the kernel is asked again: a busy machine loses packets, and one that was lost is no disagreement.

use crate::verify::Answer;

/// How questions are asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Try {
    /// On the same network, with more patience.
    Slower,
    /// The same, with much more.
    Slowest,
    /// Of a network that is built anew: what the first one may have kept of the tries before is gone with it.
    Anew,
}

/// Asks what was not seen as `expected` again, and again; `seen` becomes what was seen in any try. Returns how many
/// questions were put to a network built anew.
///
/// A difference that is there in every try stays one.
///
/// # Errors
/// Those of `ask`.
pub(crate) fn settle<E>(
    expected: &[Answer],
    seen: &mut [Option<Answer>],
    mut ask: impl FnMut(Try, &[usize]) -> Result<Vec<Option<Answer>>, E>,
) -> Result<u64, E> {
    let mut anew = 0;
    for by in [Try::Slower, Try::Slowest, Try::Anew] {
        let which = missing(expected, seen);
        if which.is_empty() {
            break;
        }
        if by == Try::Anew {
            anew = which.len() as u64;
        }
        for (i, a) in which.iter().zip(ask(by, &which)?) {
            seen[*i] = seen[*i].map(|before| either(before, a.unwrap_or_default()));
        }
    }
    Ok(anew)
}

/// Of two tries of one question: whatever was seen once was possible, for nobody receives what nobody sent.
fn either(a: Answer, b: Answer) -> Answer {
    Answer {
        delivered: a.delivered || b.delivered,
        reply: a.reply || b.reply,
    }
}

/// The questions of which less was seen than is expected, by number. Where more was seen no other try can take it away:
/// that is a disagreement at once.
fn missing(expected: &[Answer], seen: &[Option<Answer>]) -> Vec<usize> {
    let less = |e: Answer, s: Answer| s != e && either(s, e) == e;
    let pairs = expected.iter().zip(seen).enumerate();
    pairs
        .filter(|(_, (e, s))| s.is_some_and(|s| less(**e, s)))
        .map(|(i, _)| i)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Answer = Answer {
        delivered: true,
        reply: true,
    };
    const GONE: Answer = Answer {
        delivered: false,
        reply: false,
    };
    const THERE: Answer = Answer {
        delivered: true,
        reply: false,
    };

    /// What becomes of one question, and how it was asked again; `script` says what each try sees.
    fn one(expected: Answer, first: Answer, script: [Answer; 3]) -> (Answer, u64, Vec<Try>) {
        let mut seen = [Some(first)];
        let mut tries = Vec::new();
        let anew = settle::<()>(&[expected], &mut seen, |by, which| {
            assert_eq!(which, [0]);
            tries.push(by);
            Ok(vec![Some(script[tries.len() - 1])])
        });
        (seen[0].unwrap(), anew.unwrap(), tries)
    }

    #[test]
    fn what_is_heard_as_expected_is_not_asked_again() {
        assert_eq!(one(BOTH, BOTH, [GONE; 3]), (BOTH, 0, vec![]));
        assert_eq!(one(BOTH, GONE, [BOTH, GONE, GONE]), (BOTH, 0, vec![Try::Slower]));
    }

    #[test]
    fn what_only_a_new_network_carries_was_lost_and_is_counted() {
        let all = vec![Try::Slower, Try::Slowest, Try::Anew];
        assert_eq!(one(BOTH, GONE, [GONE, GONE, BOTH]), (BOTH, 1, all.clone()));
        // The request in one try and the answer in another.
        assert_eq!(one(BOTH, GONE, [GONE, THERE, BOTH]), (BOTH, 1, all));
    }

    #[test]
    fn what_no_try_shows_stays_a_disagreement() {
        let all = vec![Try::Slower, Try::Slowest, Try::Anew];
        assert_eq!(one(BOTH, GONE, [GONE; 3]), (GONE, 1, all.clone()));
        assert_eq!(one(BOTH, THERE, [THERE; 3]), (THERE, 1, all));
    }

    #[test]
    fn what_is_seen_and_not_expected_stays_a_disagreement_at_once() {
        assert_eq!(one(GONE, THERE, [GONE; 3]), (THERE, 0, vec![]));
        assert_eq!(one(THERE, BOTH, [GONE; 3]), (BOTH, 0, vec![]));
        // Nor does a later try hide it.
        let asked = vec![Try::Slower];
        assert_eq!(one(THERE, GONE, [BOTH, GONE, GONE]), (BOTH, 0, asked));
    }

    #[test]
    fn only_what_is_open_is_asked_again() {
        let mut seen = [Some(BOTH), None, Some(GONE), Some(GONE)];
        let mut asked = Vec::new();
        let anew = settle::<()>(&[BOTH, BOTH, BOTH, GONE], &mut seen, |by, which| {
            asked.push((by, which.to_vec()));
            Ok(vec![Some(if by == Try::Anew { BOTH } else { GONE })])
        });
        assert_eq!(anew, Ok(1));
        assert_eq!(seen, [Some(BOTH), None, Some(BOTH), Some(GONE)]);
        let two = |by| (by, vec![2]);
        assert_eq!(asked, [two(Try::Slower), two(Try::Slowest), two(Try::Anew)]);
    }
}
