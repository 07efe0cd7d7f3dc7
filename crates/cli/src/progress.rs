//! A line on the terminal while something takes long.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Shown from one second on, only on a terminal, on standard error; gone when dropped.
pub(crate) struct Progress(Option<(Sender<()>, JoinHandle<()>)>);

impl Progress {
    pub(crate) fn start(what: String) -> Self {
        if !std::io::stderr().is_terminal() {
            return Progress(None);
        }
        let (stop, stopped) = channel::<()>();
        let show = move || {
            let begun = Instant::now();
            let mut wait = Duration::from_secs(1);
            let mut shown = false;
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                let mut e = std::io::stderr().lock();
                // A terminal that does not take it is not worth a word.
                let _ =
                    write!(e, "\r\x1b[K{what} ({} s)", begun.elapsed().as_secs()).and_then(|()| e.flush());
                shown = true;
                wait = Duration::from_millis(500);
            }
            if shown {
                let mut e = std::io::stderr().lock();
                let _ = write!(e, "\r\x1b[K").and_then(|()| e.flush());
            }
        };
        Progress(std::thread::Builder::new().spawn(show).ok().map(|t| (stop, t)))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.0.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}
