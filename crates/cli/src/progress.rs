//! A line on the terminal while something takes long.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Shown from one second on, only on a terminal, on standard error; gone when dropped.
pub(crate) struct Progress(Option<(Sender<()>, JoinHandle<()>)>, Arc<Mutex<String>>);

impl Progress {
    pub(crate) fn start(what: String) -> Self {
        let more = Arc::new(Mutex::new(String::new()));
        if !std::io::stderr().is_terminal() {
            return Progress(None, more);
        }
        let said = Arc::clone(&more);
        let (stop, stopped) = channel::<()>();
        let show = move || {
            let begun = Instant::now();
            let mut wait = Duration::from_secs(1);
            let mut shown = false;
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                let more = said.lock().map(|m| m.clone()).unwrap_or_default();
                let mut e = std::io::stderr().lock();
                // A terminal that does not take it is not worth a word.
                let _ = write!(e, "\r\x1b[K{what}{more} ({} s)", begun.elapsed().as_secs())
                    .and_then(|()| e.flush());
                shown = true;
                wait = Duration::from_millis(500);
            }
            if shown {
                let mut e = std::io::stderr().lock();
                let _ = write!(e, "\r\x1b[K").and_then(|()| e.flush());
            }
        };
        Progress(
            std::thread::Builder::new().spawn(show).ok().map(|t| (stop, t)),
            more,
        )
    }

    /// How far it is, as a bar.
    pub(crate) fn say(&self, done: usize, all: usize) {
        const WIDTH: usize = 20;
        let full = (done * WIDTH).checked_div(all).unwrap_or(0);
        if let Ok(mut m) = self.1.lock() {
            *m = format!(" [{}{}] {done}/{all}", "#".repeat(full), " ".repeat(WIDTH - full));
        }
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
