//! The register of stable codes. A code is never reused; `bartizan explain CODE` prints its text.

/// What is known about a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeInfo {
    /// The code, such as `REACH001`.
    pub code: &'static str,
    /// Kebab-case name of the bad state.
    pub name: &'static str,
    /// One line.
    pub title: &'static str,
    /// Markdown: what it means, why it matters, an example, what to do.
    pub explain: &'static str,
}

/// Looks a code up by code (any case) or by name.
#[must_use]
pub fn code_info(code_or_name: &str) -> Option<&'static CodeInfo> {
    CODES
        .iter()
        .find(|c| c.code.eq_ignore_ascii_case(code_or_name) || c.name == code_or_name)
}

macro_rules! codes {
    ($($code:literal $name:literal $title:literal;)*) => {
        /// Every code, sorted.
        pub const CODES: &[CodeInfo] = &[$(CodeInfo {
            code: $code, name: $name, title: $title,
            explain: include_str!(concat!("../codes/", $code, ".md")),
        }),*];
    };
}

codes! {
    "ACL001" "shadowed-acl-entry" "a network ACL entry can never decide anything";
    "CFW001" "shadowed-firewall-policy" "a policy of Cloud Firewall can never decide anything";
    "INPUT001" "unreadable-input" "a file or directory could not be read as Terraform, a plan, a state or a snapshot";
    "INPUT002" "unresolved-value" "a value that matters to packets is unknown";
    "INPUT003" "not-understood" "a resource or attribute has a bearing on packets and is not modelled";
    "INPUT004" "dangling-reference" "a reference names something that is not in the inventory";
    "INPUT005" "invalid-value" "a value is outside what Alibaba Cloud accepts";
    "INPUT006" "partial-plan" "a plan does not tell of everything that will be there after it";
    "INPUT007" "refused" "two things of the input could each be there, and the cloud refuses them together";
    "INTENT001" "syntax" "the intent file cannot be parsed here";
    "INTENT002" "unknown-name" "a name is not declared";
    "INTENT003" "duplicate-name" "a name is declared twice";
    "INTENT004" "contradiction" "a clause allows what a `never` forbids";
    "INTENT005" "unbounded-any" "an `allow` with service `any` has no bound";
    "INTENT006" "missing-because" "a clause does not say why";
    "INTENT007" "unused-name" "a zone, env or service is declared and never used";
    "INTENT008" "zones-overlap" "an endpoint is in two zones that are not declared to overlap";
    "INTENT009" "empty-selector" "a selector matches nothing in this inventory";
    "INTENT010" "ungoverned-zone" "no boundary governs this zone";
    "INTENT011" "covered-clause" "a clause is covered by another one";
    "INTENT012" "expired-exception" "an exception has expired";
    "INTENT013" "expiring-exception" "an exception expires soon";
    "INTENT014" "incomplete-exception" "an exception lacks an owner, a reason, a ticket or an expiry";
    "INTENT015" "unsigned-approval" "an approval is not backed by a signature";
    "INTENT016" "vacuous-clause" "a clause says something about nothing";
    "INTENT017" "invalid-value" "a value in the intent is malformed";
    "INTENT018" "unsupported-clause" "a clause uses something that this version cannot decide";
    "INTENT019" "empty-intent" "the intent has nothing that is checked";
    "PROOF001" "no-certificate" "there is no certificate that another program could check";
    "REACH001" "never-violated" "a forbidden path exists";
    "REACH002" "only-violated" "someone else than the named source has access";
    "REACH003" "uncovered-path" "a path exists that no clause of a governing boundary covers";
    "REACH004" "must-violated" "a required path does not work";
    "REACH005" "test-failed" "a test of the intent does not hold";
    "REACH006" "unzoned-endpoint" "an endpoint belongs to no zone";
    "REACH007" "undecided" "a claim could be neither proved nor refuted";
    "REACH008" "reply-dropped" "the request arrives and the reply is dropped";
    "REACH009" "waypoint-bypassed" "a path avoids the waypoint that a clause demands";
    "ROUTE001" "appliance-drops" "a route points to an interface that drops forwarded packets";
    "SG001" "shadowed-rule" "a security group rule can never decide anything";
    "SG002" "dead-cross-vpc-reference" "a rule references a security group of another VPC";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_unique_and_explained() {
        assert!(CODES.windows(2).all(|w| w[0].code < w[1].code));
        for c in CODES {
            assert!(c.explain.len() > 120, "{} has no real explanation", c.code);
            assert!(
                c.explain.contains("## What to do"),
                "{} does not say what to do",
                c.code
            );
        }
    }

    #[test]
    fn codes_are_found_by_code_and_by_name() {
        assert_eq!(code_info("reach001").map(|c| c.name), Some("never-violated"));
        assert_eq!(code_info("shadowed-rule").map(|c| c.code), Some("SG001"));
        assert_eq!(code_info("nope"), None);
    }
}
