//! Network namespaces, and running `ip` and `nft` in them.
//!
//! The namespaces have no names: a file descriptor holds each, so the kernel removes them with everything in
//! them when this process ends, in whatever way it ends.

use super::KernelError;
use nix::sched::{CloneFlags, setns, unshare};
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};

/// The namespace of the calling thread.
const HERE: &str = "/proc/thread-self/ns/net";

/// A network namespace. Threads enter it with [`Netns::within`].
pub(crate) struct Netns {
    file: File,
}

fn failed(what: &str) -> impl FnOnce(std::io::Error) -> KernelError + '_ {
    move |e| KernelError::Machine(format!("{what}: {e}"))
}

/// Brings the thread back to where it was, also when what ran in between panics.
struct Return(File);

impl Return {
    fn here() -> Result<Return, KernelError> {
        File::open(HERE).map(Return).map_err(failed(HERE))
    }
}

impl Drop for Return {
    fn drop(&mut self) {
        // A thread that cannot get back would do everything in the wrong namespace, the tests of others
        // included.
        if setns(&self.0, CloneFlags::CLONE_NEWNET).is_err() {
            std::process::abort();
        }
    }
}

impl Netns {
    /// A new namespace; the thread stays where it is.
    pub(crate) fn new() -> Result<Netns, KernelError> {
        let _back = Return::here()?;
        unshare(CloneFlags::CLONE_NEWNET)
            .map_err(|e| KernelError::Machine(format!("no new network namespace: {e}")))?;
        let file = File::open(HERE).map_err(failed(HERE))?;
        Ok(Netns { file })
    }

    /// Runs `f` with the thread in the namespace.
    pub(crate) fn within<T>(&self, f: impl FnOnce() -> T) -> Result<T, KernelError> {
        let _back = Return::here()?;
        setns(&self.file, CloneFlags::CLONE_NEWNET)
            .map_err(|e| KernelError::Machine(format!("a network namespace cannot be entered: {e}")))?;
        Ok(f())
    }

    /// A path by which a child process finds it.
    fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd())
    }
}

/// What is to be done in one namespace.
#[derive(Default)]
pub(crate) struct Script {
    /// Lines of `ip -batch`.
    pub(crate) ip: String,
    /// Lines of `ip -6 -batch`, for what shows no family otherwise.
    pub(crate) ip6: String,
    /// A ruleset of `nft -f`.
    pub(crate) nft: String,
    /// Whether the namespace passes packets on.
    pub(crate) forwards: bool,
    /// Whether it takes packets that come from addresses of its own.
    pub(crate) takes_its_own: bool,
}

impl Script {
    /// A line for `ip`.
    pub(crate) fn ip(&mut self, line: impl AsRef<str>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.ip, "{}", line.as_ref());
    }

    /// A line for `ip -6`.
    pub(crate) fn ip6(&mut self, line: impl AsRef<str>) {
        let _ = writeln!(self.ip6, "{}", line.as_ref());
    }

    /// A line of the ruleset.
    pub(crate) fn nft(&mut self, line: impl AsRef<str>) {
        let _ = writeln!(self.nft, "{}", line.as_ref());
    }

    /// Brings a device of the namespace up. Nothing is to be resolved: all devices have one MAC address.
    pub(crate) fn device(&mut self, name: &str) {
        self.ip(format!("link set dev {name} addrgenmode none arp off up"));
    }

    /// Does it.
    pub(crate) fn run(&self, ns: &Netns) -> Result<(), KernelError> {
        ns.within(|| {
            feed("ip", &["-batch", "-"], &self.ip)?;
            feed("ip", &["-6", "-batch", "-"], &self.ip6)?;
            feed("nft", &["-f", "-"], &self.nft)
        })?
    }
}

/// Settings of a new namespace, before it has devices.
pub(crate) fn settle(ns: &Netns, forwards: bool, takes_its_own: bool) -> Result<(), KernelError> {
    let [on, own] = [forwards, takes_its_own].map(|yes| if yes { "1" } else { "0" });
    let settings = [
        ("ipv4/conf/all/rp_filter", "0"),
        ("ipv4/conf/default/rp_filter", "0"),
        // Whether a source is one's own depends on who holds a HaVip, which is in the mark.
        ("ipv4/conf/all/src_valid_mark", "1"),
        ("ipv4/conf/all/forwarding", on),
        ("ipv4/conf/all/accept_local", own),
        ("ipv4/conf/all/send_redirects", "0"),
        ("ipv4/conf/default/send_redirects", "0"),
        ("ipv4/icmp_echo_ignore_all", "1"),
        ("ipv6/conf/default/disable_ipv6", "0"),
        ("ipv6/conf/default/accept_ra", "0"),
        ("ipv6/conf/default/accept_dad", "0"),
        ("ipv6/conf/all/forwarding", on),
        ("ipv6/icmp/echo_ignore_all", "1"),
    ];
    ns.within(|| {
        for (name, value) in settings {
            let path = format!("/proc/sys/net/{name}");
            std::fs::write(&path, value).map_err(failed(&path))?;
        }
        Ok(())
    })?
}

/// A cable: a device in each of two namespaces.
pub(crate) struct Cable<'a> {
    pub(crate) ends: [(&'a Netns, String); 2],
}

/// Lays cables.
pub(crate) fn lay(cables: &[Cable<'_>]) -> Result<(), KernelError> {
    let mut text = String::new();
    for c in cables {
        let [(a, a_name), (b, b_name)] = &c.ends;
        let _ = writeln!(
            text,
            "link add name {a_name} address 02:00:00:00:00:01 netns {} type veth \
             peer name {b_name} address 02:00:00:00:00:01 netns {}",
            a.path(),
            b.path()
        );
    }
    // From a namespace of its own: a name may be taken where we are.
    Netns::new()?.within(|| feed("ip", &["-batch", "-"], &text))?
}

/// Runs a program with `text` as its input.
fn feed(program: &str, args: &[&str], text: &str) -> Result<(), KernelError> {
    if text.is_empty() {
        return Ok(());
    }
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed(program))?;
    if let Some(mut input) = child.stdin.take() {
        // A program that refuses its input early says why below.
        let _ = input.write_all(text.as_bytes());
    }
    let out = child.wait_with_output().map_err(failed(program))?;
    if out.status.success() {
        return Ok(());
    }
    Err(KernelError::Machine(format!(
        "`{program} {}` failed: {}\n{text}",
        args.join(" "),
        String::from_utf8_lossy(&out.stderr).trim()
    )))
}
