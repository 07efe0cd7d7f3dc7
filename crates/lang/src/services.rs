//! Services that need no declaration.

use bartizan_packet::ServiceSet;

/// Predefined services: name and meaning. A declaration of the same name takes precedence, but for `any`,
/// which cannot be declared. Protocols (`tcp`, `udp`, `icmp`, `icmpv6`, `gre`) are literals.
pub const PREDEFINED_SERVICES: &[(&str, &str)] = &[
    ("any", "any"),
    ("dhcp", "udp/67-68"),
    ("dns", "tcp/53, udp/53"),
    ("elasticsearch", "tcp/9200"),
    ("esp", "proto-50"),
    ("etcd", "tcp/2379-2380"),
    ("ftp", "tcp/21"),
    ("http", "tcp/80"),
    ("https", "tcp/443"),
    ("imap", "tcp/143"),
    ("imaps", "tcp/993"),
    ("ipsec", "udp/500, udp/4500, proto-50"),
    ("kafka", "tcp/9092"),
    ("kerberos", "tcp/88, udp/88"),
    ("kubernetes", "tcp/6443"),
    ("ldap", "tcp/389"),
    ("ldaps", "tcp/636"),
    ("memcached", "tcp/11211"),
    ("mongodb", "tcp/27017"),
    ("mqtt", "tcp/1883"),
    ("mssql", "tcp/1433"),
    ("mysql", "tcp/3306"),
    ("nfs", "tcp/2049, udp/2049"),
    ("ntp", "udp/123"),
    ("oracle", "tcp/1521"),
    ("ping", "icmp/8, icmpv6/128"),
    ("pop3", "tcp/110"),
    ("pop3s", "tcp/995"),
    ("postgresql", "tcp/5432"),
    ("rabbitmq", "tcp/5672"),
    ("rdp", "tcp/3389, udp/3389"),
    ("redis", "tcp/6379"),
    ("smb", "tcp/445"),
    ("smtp", "tcp/25"),
    ("smtps", "tcp/465"),
    ("snmp", "udp/161"),
    ("ssh", "tcp/22"),
    ("submission", "tcp/587"),
    ("syslog", "udp/514"),
    ("telnet", "tcp/23"),
    ("vnc", "tcp/5900"),
    ("winrm", "tcp/5985-5986"),
    ("wireguard", "udp/51820"),
    ("zookeeper", "tcp/2181"),
];

/// The meaning of a predefined service.
#[must_use]
pub fn predefined_service(name: &str) -> Option<ServiceSet> {
    let (_, text) = PREDEFINED_SERVICES.iter().find(|(n, _)| *n == name)?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predefined_services_are_sorted_and_mean_something() {
        assert!(PREDEFINED_SERVICES.windows(2).all(|w| w[0].0 < w[1].0));
        for (name, text) in PREDEFINED_SERVICES {
            let set = predefined_service(name).unwrap();
            assert!(!set.is_empty(), "{name}");
            assert_eq!(set.to_string(), *text, "{name}");
        }
        assert_eq!(predefined_service("nope"), None);
    }
}
