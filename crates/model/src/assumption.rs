//! The register of contested semantics (ALIBABA.md §20) as data.
//!
//! Documents of the cloud disagree, or do not say. Each such question has an id, two readings where two can be told
//! apart by packets, and the reading that claims of absence and claims of presence take when the user decides
//! nothing. Engine and interpreter both take [`Readings`]; what a reading means for packets is written down in
//! docs/decisions/018 and is implemented by each of them on its own.

use std::fmt;

/// Which reading of a question is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Use {
    /// The first of the register: the model that ALIBABA.md §20 has chosen.
    First,
    /// The second.
    Second,
    /// Both are possible: what either lets through may happen, what both let through happens.
    Either,
}

/// One reading of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadingInfo {
    /// As written after `=` on the command line.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
}

/// A contested question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssumptionInfo {
    /// `A-NACL-1`.
    pub id: &'static str,
    /// The question, on one line.
    pub question: &'static str,
    /// The two readings; the first is the chosen model. Empty where there is only one, see `fixed`.
    pub readings: &'static [ReadingInfo],
    /// What claims of absence (`never`, `only`, closed world) take.
    pub absence: Use,
    /// What claims of presence (`must`, `can reach`) take.
    pub presence: Use,
    /// Where the semantics are written down.
    pub section: &'static str,
    /// What happens to a verdict if the reading is wrong, or what is known about it.
    pub why: &'static str,
    /// Why there is no second reading.
    pub fixed: Option<&'static str>,
}

macro_rules! register {
    ($($name:ident $id:literal $section:literal $question:literal
        [$($reading:literal $meaning:literal),*] $absence:ident $presence:ident $why:literal $(fixed $fixed:literal)?;)*) => {
        /// A question of the register.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Assumption {
            $(#[doc = $question] $name,)*
        }
        /// The register, sorted by subject.
        pub const ASSUMPTIONS: &[AssumptionInfo] = &[$(AssumptionInfo {
            id: $id,
            question: $question,
            readings: &[$(ReadingInfo { name: $reading, meaning: $meaning }),*],
            absence: Use::$absence,
            presence: Use::$presence,
            section: $section,
            why: $why,
            fixed: register!(@fixed $($fixed)?),
        }),*];
    };
    (@fixed) => { None };
    (@fixed $f:literal) => { Some($f) };
}

register! {
    Sg1 "A-SG-1" "§5.3" "which addresses of its members a rule that names a group matches"
        ["all" "every private address: secondary ones, delegated prefixes and a HaVip for all that may hold it",
         "primary" "the primary private IPv4 address and the IPv6 addresses"]
        Either Either "inferred from how capacity is counted; no page says it";
    Sg2 "A-SG-2" "§5.5" "whether the inner policy Accept of a basic group also comes before the egress rules"
        ["both" "in both directions: no drop can undo it",
         "ingress" "on the way in only: an egress drop between members works"]
        First First "documents say that connectivity between members is kept whatever the rules; egress is not named";
    Sg3 "A-SG-3" "§5.6" "whether enterprise groups keep state"
        ["stateful" "replies of an accepted session pass, as with basic groups",
         "stateless" "a reply needs rules of its own in both directions"]
        First First "the help centre describes state for both types; one published script checks four directions";
    Sg4 "A-SG-4" "§5.5" "whether the inner policy Accept also joins members that see each other by public addresses"
        ["private" "private addresses only",
         "public" "also over the Internet, by a public address of their own"]
        First First "the documents say internal network";
    Nacl1 "A-NACL-1" "§6" "what happens behind the last entry of a network ACL"
        ["deny" "it is dropped", "allow" "it is let through"]
        Second First "a help page and a published script disagree: write the last entry out";
    Nacl2 "A-NACL-2" "§6" "which port the entry of an ACL for ingress means"
        ["destination" "the destination port, as for egress", "source" "the source port"]
        First First "the help page says it; the text of provider and SDK says source port";
    Route1 "A-ROUTE-1" "§3.3" "whether a custom route with the prefix of a vSwitch, or a longer one, beats the local route"
        ["custom" "it does, so traffic inside a VPC can be steered", "local" "it does not take effect"]
        Either Either "two versions of the help pages";
    Route2 "A-ROUTE-2" "§3.4" "which wins in a vSwitch's table: a custom route or a propagated one of the same prefix"
        ["custom" "the custom route", "propagated" "the propagated route"]
        Either Either "inferred";
    Eip1 "A-EIP-1" "§7.1" "whether connections that an interface opens take its own public address rather than a route 0.0.0.0/0"
        ["address" "its address; only a longer route takes them elsewhere", "route" "the route, where there is one"]
        Either Either "inferred; that replies leave by the address they came to is documented";
    Eip2 "A-EIP-2" "§7.4" "which public address the cloud picks"
        [] Either Either "one that nobody has and that no prefix of /8 or longer names"
        fixed "it is a statement about addresses that do not exist yet, not about what the cloud does with packets";
    Eip3 "A-EIP-3" "§7.4" "what an EIP in ENI-visible mode does to the private networking of its interface"
        [] First First "it replaces it, and network ACLs do not see it"
        fixed "documented; the register of §20 has no second reading";
    Igw1 "A-IGW-1" "§7.2" "which route of its vSwitch lets an address be reached through an activated IPv4 gateway"
        ["sender" "one that leads what goes to the sender to the gateway", "any" "any route to the gateway"]
        Second First "a route is wanted, usually 0.0.0.0/0; what another one lets in is not documented";
    Igw2 "A-IGW-2" "§3.6" "whether an address keeps its public address by way of an interface that forwards to an activated IPv4 gateway"
        ["own" "it does not: the route of its own vSwitch has to lead to the gateway",
         "forwarded" "it does, inside its VPC, there and back, as by the endpoint of a gateway load balancer"]
        Second First "§7.2 read by the letter says no; the documented way to put an appliance before a vSwitch (§3.6) works only so";
    Nat1 "A-NAT-1" "§8" "which of several SNAT entries that cover a source is used"
        ["longest" "the one with the longest source", "any" "any of them"]
        Either Either "inferred";
    Nat2 "A-NAT-2" "§8" "whether a VPC sends packets for a custom block of a VPC NAT gateway there where no route says so"
        ["written" "only written routes do", "implied" "every vSwitch table of the VPC has such a route"]
        Either Either "not documented";
    Nat3 "A-NAT-3" "§8.3" "whether a host with a DNAT entry for every port (IP mapping) goes out to the Internet by that address"
        ["in" "it does not: the entry is a way in alone",
         "both" "it does, and SNAT entries are not asked; it still needs a route to the NAT gateway"]
        Either Either "a page of the vendor says that it goes out by it instead of an SNAT entry; §8.3 is silent";
    Clb1 "A-CLB-1" "§9.1" "whether the security groups of a backend filter what CLB and NLB forward"
        ["exempt" "they do not", "filtered" "they do"]
        First Second "a published script and common practice disagree";
    Lb1 "A-LB-1" "§9.1" "whom a listener admits whose white list has no entries"
        ["everybody" "everybody", "nobody" "nobody"]
        First First "documented";
    Lb2 "A-LB-2" "§9" "whether the public address of a balancer needs the route to an activated IPv4 gateway"
        ["free" "it does not", "routed" "it does, as that of an interface"]
        First Second "not documented";
    Lb3 "A-LB-3" "§9.2" "whether a white list of IPv4 prefixes turns away clients with IPv6 addresses"
        ["everybody" "it does: none of them is on it", "ipv4" "it does not: it judges IPv4 clients only"]
        Second First "lists of ALB hold IPv4 prefixes only; what becomes of IPv6 clients is not documented";
    Lb4 "A-LB-4" "§9.5" "by which way a balancer reaches a server of its own VPC where a custom route leads that elsewhere"
        [] First First "straight, whatever the route tables say, there and back; not documented"
        fixed "the ways between a balancer and its servers are the cloud's own; no document lets tables of the VPC steer them";
    Pl1 "A-PL-1" "§9.7" "whether the network ACL of a balancer's vSwitch filters what comes to it through PrivateLink"
        ["free" "it does not", "filtered" "it does, from whatever address that comes"]
        First Second "not documented, nor is the address: any is judged";
    Pl2 "A-PL-2" "§9.7" "whether an endpoint is connected to a service where nothing in the input accepts it"
        [] Either Either "it may have been accepted by hand"
        fixed "it is possible and not certain, and judged so";
    Gwlb1 "A-GWLB-1" "§9.6" "what the appliances behind a gateway load balancer do with packets"
        ["pass" "they pass all of them on unchanged", "drop" "they pass none"]
        First Second "what they let through is in no configuration";
    Tr1 "A-TR-1" "§10.4" "which routes of one prefix are in use in a transit router's table"
        ["static" "static ones before propagated ones; of several propagated ones any", "any" "any of them"]
        Either Either "static before propagated is inferred; the full table of priorities was not readable";
    Tr2 "A-TR-2" "§10" "whether the ACL of a zone vSwitch filters what a transit router hands over to another vSwitch"
        ["free" "it does not", "filtered" "it does"]
        First Second "documents are not clear";
    Sdc1 "A-SDC-1" "§4.1" "what the source/destination check is when it is not set"
        ["off" "off: the interface forwards", "on" "on: it does not"]
        First Second "the default changed on 2025-04-22 and depends on the account";
    P25 "A-P25" "§4" "whether the platform blocks tcp/25 to the Internet"
        ["blocked" "it does", "open" "it does not, as in accounts that had it lifted"]
        First First "documented; an account can have it lifted";
    Ephemeral "A-EPHEMERAL" "§6" "which source ports clients use, so that replies have to come back to them"
        ["all" "every one from 1024 to 65535", "linux" "those from 32768 to 61000"]
        Second First "pages recommend 1024 to 65535; Linux uses less";
    Appl1 "A-APPL-1" "§3.5" "what an interface that forwards does to packets"
        ["transparent" "it passes them on unchanged", "translating" "it may also send them on from a public address of its own"]
        Second First "what runs on a host is not in its configuration";
    Addr1 "A-ADDR-1" "§2" "which private address the cloud picks"
        [] Either Either "a free one of the vSwitch that is not reserved; both networks ask all of them"
        fixed "every possible address is judged";
    Db1 "A-DB-1" "§15" "whether a managed service opens connections of its own"
        [] First First "it answers requests only"
        fixed "where it would connect to is not in any configuration that we read";
    Cfw1 "A-CFW-1" "§13.1" "whether Cloud Firewall protects a public address"
        ["protected" "every public address is protected", "unprotected" "none is, as far as anybody knows"]
        Second First "each address has a switch, and no Terraform resource sets it";
    Cfw2 "A-CFW-2" "§13.1" "whether what crosses a transit router is led to the firewall that stands at it"
        ["diverted" "all of it is, but for default routes", "direct" "none of it is, as far as anybody knows"]
        Second First "routing policies say it, and no Terraform resource sets them";
    Fw1 "A-FW-1" "§13.2" "what a firewall policy by application, domain or region does to a packet that it meets"
        ["passes" "what it may let pass: accept all of it, drop none; in loose mode a packet that nobody can identify passes whatever the action",
         "stops" "what it may stop: accept none of it, drop all"]
        First Second "a packet does not show its application, nor an address its domain or region";
    Site1 "A-SITE-1" "§11" "whether a site passes on what comes to it by one link and is for somebody else"
        [] Either Either "it may, unless the intent says `apart`; it does where the intent says `site`"
        fixed "it is no property of the cloud: the intent says it";
    Link1 "A-LINK-1" "§11" "whether what a `link` of the intent says is behind a link is there, and nothing else"
        [] First First "it is as the intent says"
        fixed "it is no property of the cloud: the intent says it";
    Unmodelled "A-UNMODELLED" "docs/SOUNDNESS.md §2" "whether what is not modelled may carry packets"
        ["undecided" "it may: claims that it touches are undecided", "harmless" "it carries none that a claim is about"]
        First First "a resource of a type that this version does not know";
    Cw "A-CW" "§20" "whether something exists that is not in the input"
        [] First First "what is not in the input does not exist"
        fixed "with any other reading nothing could be said";
}

impl Assumption {
    /// Its row in the register.
    #[must_use]
    pub fn info(self) -> &'static AssumptionInfo {
        // INVARIANT (register order): the enum and the table come from one list.
        &ASSUMPTIONS[self as usize]
    }
}

/// Finds a row by id, whatever its case.
#[must_use]
pub fn assumption_info(id: &str) -> Option<&'static AssumptionInfo> {
    ASSUMPTIONS.iter().find(|a| a.id.eq_ignore_ascii_case(id))
}

/// Which readings the user has decided on; everything else is as the register says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Readings(std::collections::BTreeMap<usize, bool>);

/// Why an override is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadingError {
    /// Not `ID=reading`.
    Shape(String),
    /// No such id.
    Id(String),
    /// No such reading of this question.
    Reading(&'static AssumptionInfo, String),
}

impl fmt::Display for ReadingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadingError::Shape(s) => write!(f, "`{s}` is not an assumption and a reading"),
            ReadingError::Id(id) => write!(f, "there is no assumption `{id}`"),
            ReadingError::Reading(a, _) if a.readings.is_empty() => {
                write!(f, "{} has one reading only", a.id)
            }
            ReadingError::Reading(a, r) => write!(f, "`{r}` is no reading of {}", a.id),
        }
    }
}
impl std::error::Error for ReadingError {}

impl ReadingError {
    /// What would have been right.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            ReadingError::Shape(_) => "write `--assume A-NACL-1=deny`".to_string(),
            ReadingError::Id(_) => {
                let open = ASSUMPTIONS.iter().filter(|a| !a.readings.is_empty());
                let all: Vec<String> = open.map(|a| format!("{}={}", a.id, a.names())).collect();
                format!("these are: {}", all.join(", "))
            }
            ReadingError::Reading(a, _) => match a.fixed {
                Some(why) => why.to_string(),
                None => format!("the readings of {} are {}", a.id, a.names()),
            },
        }
    }
}

impl AssumptionInfo {
    /// The names of its readings, `deny|allow`.
    #[must_use]
    pub fn names(&self) -> String {
        let all: Vec<&str> = self.readings.iter().map(|r| r.name).collect();
        all.join("|")
    }
}

impl Readings {
    /// The first reading of everything: the model that ALIBABA.md §20 has chosen.
    #[must_use]
    pub fn chosen() -> Self {
        let all = ASSUMPTIONS.iter().enumerate();
        Readings(
            all.filter(|(_, a)| !a.readings.is_empty())
                .map(|(i, _)| (i, false))
                .collect(),
        )
    }

    /// Decides for the first or the second reading of a question.
    #[must_use]
    pub fn with(mut self, a: Assumption, second: bool) -> Self {
        self.0.insert(a as usize, second);
        self
    }

    /// Decides for the second reading of the question at this place of the register.
    #[must_use]
    pub fn with_second(mut self, at: usize) -> Self {
        self.0.insert(at, true);
        self
    }

    /// Decides for the first reading of the question at this place of the register, where it has readings.
    #[must_use]
    pub fn with_first(mut self, at: usize) -> Self {
        if ASSUMPTIONS.get(at).is_some_and(|a| !a.readings.is_empty()) {
            self.0.insert(at, false);
        }
        self
    }

    /// Takes in one override, `A-NACL-1=allow`.
    ///
    /// # Errors
    /// When it names no assumption or none of its readings.
    pub fn decide(&mut self, text: &str) -> Result<(), ReadingError> {
        let (id, reading) = text
            .split_once('=')
            .ok_or_else(|| ReadingError::Shape(text.to_string()))?;
        let at = ASSUMPTIONS
            .iter()
            .position(|a| a.id.eq_ignore_ascii_case(id.trim()));
        let at = at.ok_or_else(|| ReadingError::Id(id.trim().to_string()))?;
        let info = &ASSUMPTIONS[at];
        let which = info.readings.iter().position(|r| r.name == reading.trim());
        let which = which.ok_or_else(|| ReadingError::Reading(info, reading.trim().to_string()))?;
        self.0.insert(at, which == 1);
        Ok(())
    }

    /// What the user has decided about a question.
    #[must_use]
    pub fn decided(&self, a: Assumption) -> Option<Use> {
        self.0
            .get(&(a as usize))
            .map(|second| if *second { Use::Second } else { Use::First })
    }

    /// What claims of absence take.
    #[must_use]
    pub fn absence(&self, a: Assumption) -> Use {
        self.decided(a).unwrap_or(a.info().absence)
    }

    /// What claims of presence take.
    #[must_use]
    pub fn presence(&self, a: Assumption) -> Use {
        self.decided(a).unwrap_or(a.info().presence)
    }

    /// An id as it is said of a verdict: with the reading where the user decided.
    #[must_use]
    pub fn label(&self, id: &str) -> String {
        let decided = self.0.iter().map(|(i, second)| (&ASSUMPTIONS[*i], *second));
        let mine = decided.into_iter().find(|(a, _)| a.id == id);
        mine.map_or_else(
            || id.to_string(),
            |(a, second)| format!("{id}={}", a.readings[usize::from(second)].name),
        )
    }

    /// The overrides as written on the command line, in the order of the register.
    #[must_use]
    pub fn overrides(&self) -> Vec<String> {
        let text = |(i, second): (&usize, &bool)| {
            let a = &ASSUMPTIONS[*i];
            format!("{}={}", a.id, a.readings[usize::from(*second)].name)
        };
        self.0.iter().map(text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_register_is_whole() {
        for (i, a) in ASSUMPTIONS.iter().enumerate() {
            assert!(a.id.starts_with("A-"), "{}", a.id);
            assert!(ASSUMPTIONS[..i].iter().all(|b| b.id != a.id), "{} twice", a.id);
            // INVARIANT (register order)
            assert_eq!(a.readings.is_empty(), a.fixed.is_some(), "{}", a.id);
            assert!(a.readings.is_empty() || a.readings.len() == 2, "{}", a.id);
            assert_eq!(assumption_info(&a.id.to_lowercase()).map(|b| b.id), Some(a.id));
        }
        assert_eq!(Assumption::Cw.info().id, "A-CW");
        assert_eq!(Assumption::Nacl1.info().id, "A-NACL-1");
    }

    #[test]
    fn overrides_are_read_and_written() {
        let mut r = Readings::default();
        assert_eq!(r.absence(Assumption::Nacl1), Use::Second);
        assert_eq!(r.presence(Assumption::Nacl1), Use::First);
        r.decide("a-nacl-1=deny").unwrap();
        r.decide("A-P25=open").unwrap();
        assert_eq!(r.absence(Assumption::Nacl1), Use::First);
        assert_eq!(r.overrides(), ["A-NACL-1=deny", "A-P25=open"]);
        assert_eq!(
            (r.label("A-P25"), r.label("A-CW")),
            ("A-P25=open".into(), "A-CW".into())
        );
        for (text, why) in [
            ("x", "`x` is not an assumption and a reading"),
            ("A-X=y", "there is no assumption `A-X`"),
            ("A-P25=shut", "`shut` is no reading of A-P25"),
            ("A-CW=no", "A-CW has one reading only"),
        ] {
            let e = r.decide(text).unwrap_err();
            assert_eq!(e.to_string(), why);
            assert!(!e.help().is_empty());
        }
        assert!(
            r.decide("A-X=y")
                .unwrap_err()
                .help()
                .contains("A-NACL-1=deny|allow")
        );
    }
}
