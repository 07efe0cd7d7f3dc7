//! What every other resource type means for packets: a table of name prefixes, the longest that fits wins.
//!
//! A type with a bearing on packets that has no handler is *not understood*: it makes claims about the VPCs it
//! touches undecided. Only what cannot carry, accept or redirect packets between endpoints is ignored.

use super::handlers;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What a type without a handler means for packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearing {
    /// No bearing; the reason.
    None(&'static str),
    /// Nothing of it changes where packets go, beyond what other resources say.
    Modelled,
    /// A bearing that is not modelled; the reason.
    Some(&'static str),
}

const IDENTITY: &str = "identity and access management: decides on API calls, not on packets";
const LOGS: &str = "logs, metrics and audit: they observe and do not carry packets";
const STORAGE: &str = "storage that is reached through the cloud's service network";
const DISKS: &str = "disks, images and keys of instances";
const ACCOUNTS: &str = "accounts, databases and parameters inside a managed service";
const DATA: &str = "a managed data service with endpoints of its own in a VPC";
const BALANCER: &str = "a load balancer: it accepts packets and sends them on to servers";
const TRANSIT: &str = "connects VPCs, regions or sites";
const HYBRID: &str = "connects a site or a client to a VPC";
const CONTAINER: &str = "makes instances, interfaces and load balancers of its own";
const VISITOR: &str = "a platform service that reaches into a VPC by interfaces of its own";
const PERIMETER: &str = "filters or redirects packets at the perimeter";
const SCRUBBING: &str = "drops what it takes for an attack, which is no policy: it only takes traffic away";
const SERVICE: &str = "a subscription; what it protects is said by other resources";
const EDGE: &str = "delivery and edge services in front of origins: outside of VPCs";
const PLATFORM: &str = "a platform service outside of VPCs";
const NAMES: &str = "names and certificates: they do not carry packets";
const ALLOCATION: &str = "plans or reserves addresses; what uses them is read where it is used";
const BANDWIDTH: &str = "bandwidth and billing of public addresses";

use Bearing::{Modelled, None as N, Some as S};

/// Prefixes of type names without `alicloud_`, sorted.
const RULES: &[(&str, Bearing)] = &[
    ("ack_", S(CONTAINER)),
    ("actiontrail", N(LOGS)),
    ("adb_", S(DATA)),
    ("adb_account", N(ACCOUNTS)),
    ("adb_backup", N(ACCOUNTS)),
    ("adb_lake_account", N(ACCOUNTS)),
    ("adb_resource_group", N(ACCOUNTS)),
    ("alb_", S(BALANCER)),
    ("alb_a_script", N("a script inside a load balancer")),
    ("alb_ascript", N("a script inside a load balancer")),
    ("alb_health_check_template", N("a template of health checks")),
    (
        "alb_listener_additional_certificate_attachment",
        N("a certificate"),
    ),
    ("alb_load_balancer_access_log_config_attachment", N(LOGS)),
    (
        "alb_load_balancer_common_bandwidth_package_attachment",
        N("bandwidth"),
    ),
    ("alb_security_policy", N("TLS versions and ciphers")),
    ("alidns_", N(NAMES)),
    ("aligreen_", N(PLATFORM)),
    ("alikafka_", N(ACCOUNTS)),
    ("alikafka_instance", S(DATA)),
    ("amqp_", N(ACCOUNTS)),
    ("amqp_instance", S(DATA)),
    ("api_gateway_", N(PLATFORM)),
    ("api_gateway_instance", S("an API gateway with access to a VPC")),
    (
        "api_gateway_vpc_access",
        S("lets an API gateway reach a server in a VPC"),
    ),
    ("apig_", S("an API gateway with access to a VPC")),
    ("arms_", N(LOGS)),
    ("arms_prometheus", S(VISITOR)),
    ("auto_provisioning_group", S(CONTAINER)),
    ("bastionhost_", N("accounts and hosts inside a bastion host")),
    (
        "bastionhost_instance",
        S("a bastion host with an address of its own and access to servers"),
    ),
    (
        "bp_studio_",
        S("applies a template that makes resources of its own"),
    ),
    ("brain_", N(PLATFORM)),
    ("cas_", N(NAMES)),
    ("cassandra_", S(DATA)),
    ("cassandra_backup_plan", N(ACCOUNTS)),
    ("cddc_", S(DATA)),
    ("cddc_dedicated_host_account", N(ACCOUNTS)),
    ("cdn_", N(EDGE)),
    ("cen_", S(TRANSIT)),
    (
        "cen_bandwidth",
        N("bandwidth of a cloud enterprise network; without it regions are not connected"),
    ),
    ("cen_bandwidth_limit", S(TRANSIT)),
    ("cen_flowlog", N(LOGS)),
    ("cen_instance", N("a hub; what is attached to it carries packets")),
    ("cen_instance_attachment", S(TRANSIT)),
    ("cen_instance_grant", S("lets another account attach a network")),
    (
        "cen_inter_region_traffic_qos",
        N("quality of service between regions"),
    ),
    (
        "cen_traffic_marking_policy",
        N("quality of service between regions"),
    ),
    ("chatbot_", N(PLATFORM)),
    ("click_house_", S(DATA)),
    ("click_house_account", N(ACCOUNTS)),
    ("click_house_backup_policy", N(ACCOUNTS)),
    ("click_house_enterprise_db_cluster_account", N(ACCOUNTS)),
    ("click_house_enterprise_db_cluster_backup_policy", N(ACCOUNTS)),
    ("click_house_enterprise_db_cluster_computing_group", N(ACCOUNTS)),
    ("cloud_connect_network", S(HYBRID)),
    (
        "cloud_control_resource",
        S("makes any resource through a generic API"),
    ),
    ("cloud_firewall_", S(PERIMETER)),
    ("cloud_firewall_ai_traffic_analysis_status", N(LOGS)),
    (
        "cloud_firewall_instance_member",
        N("accounts whose resources a firewall manages"),
    ),
    ("cloud_firewall_ips_config", N(SCRUBBING)),
    ("cloud_firewall_threat_intelligence_switch", N(SCRUBBING)),
    ("cloud_firewall_vpc_firewall_ips_config", N(SCRUBBING)),
    ("cloud_firewall_user_alarm_config", N(LOGS)),
    ("cloud_monitor_", N(LOGS)),
    ("cloud_phone_", S(CONTAINER)),
    ("cloud_phone_image", N(DISKS)),
    ("cloud_phone_key_pair", N(DISKS)),
    ("cloud_sso_", N(IDENTITY)),
    (
        "cloud_storage_gateway_",
        S("a storage gateway with an address of its own in a VPC"),
    ),
    (
        "cloud_storage_gateway_storage_bundle",
        N("a group of storage gateways"),
    ),
    ("cloudauth_", N(IDENTITY)),
    ("cms_", N(LOGS)),
    ("common_bandwidth_package", N(BANDWIDTH)),
    (
        "compute_nest_",
        S("applies a template that makes resources of its own"),
    ),
    ("config_", N(LOGS)),
    ("copy_image", N(DISKS)),
    ("cr_", N("container images")),
    ("cr_endpoint_acl_policy", N("who may pull container images")),
    (
        "cr_vpc_endpoint_linked_vpc",
        N("access from a VPC to container images"),
    ),
    ("cs_", S(CONTAINER)),
    ("cs_autoscaling_config", N("scaling of a cluster")),
    (
        "cs_kubernetes_addon",
        S("an add-on of a cluster that may make load balancers"),
    ),
    ("cs_kubernetes_autoscaler", N("scaling of a cluster")),
    ("cs_kubernetes_permissions", N(IDENTITY)),
    ("cs_kubernetes_policy_instance", N("a policy inside of a cluster")),
    ("das_", N(LOGS)),
    ("data_works_", N(PLATFORM)),
    ("data_works_network", S("lets DataWorks reach a VPC")),
    ("data_works_dw_resource_group", S("lets DataWorks reach a VPC")),
    ("database_gateway_", S(HYBRID)),
    ("datahub_", N(PLATFORM)),
    ("db_", N(ACCOUNTS)),
    ("db_connection", S(DATA)),
    ("db_instance", S(DATA)),
    ("db_instance_parameter", N(ACCOUNTS)),
    ("db_read_write_splitting_connection", S(DATA)),
    ("db_readonly_instance", S(DATA)),
    ("dbfs_", N(DISKS)),
    ("dbs_", N(ACCOUNTS)),
    ("dcdn_", N(EDGE)),
    ("ddos", S(PERIMETER)),
    ("ddos_basic_", N(SCRUBBING)),
    ("ddos_bgp_policy", N(SCRUBBING)),
    ("ddosbgp_instance", N(SERVICE)),
    ("ddoscoo_domain_precise_access_rule", N(SCRUBBING)),
    ("ddoscoo_instance", N(SERVICE)),
    (
        "ddoscoo_scheduler_rule",
        N("chooses by DNS whether clients go to a proxy or to its origin"),
    ),
    ("ddoscoo_web_cc_rule", N(SCRUBBING)),
    ("dfs_", N(STORAGE)),
    ("dfs_mount_point", S("a mount point of a file system in a VPC")),
    (
        "dfs_vsc_mount_point",
        S("a mount point of a file system in a VPC"),
    ),
    ("direct_mail_", N(PLATFORM)),
    ("disk", N(DISKS)),
    ("dms_", N(PLATFORM)),
    ("dms_airflow", S(DATA)),
    ("dns", N(NAMES)),
    ("drds_", S(DATA)),
    ("dts_", S("copies data between endpoints of VPCs")),
    ("dts_job_monitor_rule", N(LOGS)),
    ("eais_", S(CONTAINER)),
    ("ebs_", N(DISKS)),
    ("ecd_", S(CONTAINER)),
    ("ecd_bundle", N(DISKS)),
    ("ecd_command", N(PLATFORM)),
    ("ecd_custom_property", N(PLATFORM)),
    ("ecd_image", N(DISKS)),
    ("ecd_snapshot", N(DISKS)),
    ("ecd_user", N(IDENTITY)),
    ("eci_", S(CONTAINER)),
    ("eci_image_cache", N(DISKS)),
    ("eci_openapi_image_cache", N(DISKS)),
    ("ecp_", S(CONTAINER)),
    ("ecp_key_pair", N(DISKS)),
    ("ecs_", N(DISKS)),
    ("ecs_elasticity_assurance", N("reserved capacity")),
    ("ecs_image_pipeline", S(CONTAINER)),
    ("ecs_instance_set", S(CONTAINER)),
    (
        "ecs_launch_template",
        S("a template that instances are made from"),
    ),
    (
        "ecs_network_interface_permission",
        S("lets another account attach a network interface"),
    ),
    ("edas_", S(CONTAINER)),
    ("eflo_", S(CONTAINER)),
    ("ehpc_", S(CONTAINER)),
    ("eip_segment_address", S("a block of public addresses")),
    ("eipanycast_", S("a public address that many regions announce")),
    ("elasticsearch_", S(DATA)),
    ("emr", S(CONTAINER)),
    ("emrv2_", S(CONTAINER)),
    ("ens_", S("an edge network of its own")),
    ("ens_disk", N(DISKS)),
    ("ens_image", N(DISKS)),
    ("ens_key_pair", N(DISKS)),
    ("ens_snapshot", N(DISKS)),
    ("esa_", N(EDGE)),
    ("ess_", N("scaling of a group of instances")),
    ("ess_attachment", S(CONTAINER)),
    ("ess_eci_scaling_configuration", S(CONTAINER)),
    ("ess_scaling_configuration", S(CONTAINER)),
    ("ess_scaling_group", S(CONTAINER)),
    ("ess_scalinggroup_vserver_groups", S(CONTAINER)),
    ("ess_server_group_attachment", S(CONTAINER)),
    ("ess_alb_server_group_attachment", S(CONTAINER)),
    ("event_bridge_", N(PLATFORM)),
    ("event_bridge_connection", S(VISITOR)),
    ("event_bridge_event_source_v2", S(VISITOR)),
    ("express_connect_", S(HYBRID)),
    (
        "express_connect_physical_connection",
        N("a cable; what is behind it is behind its border routers"),
    ),
    (
        "express_connect_router_grant_association",
        N(
            "lets another account join its VPC, router or border router; what is joined is said by other resources",
        ),
    ),
    ("fc", N("functions: they are no endpoints of a VPC")),
    ("fc_function", S("a function that may reach into a VPC")),
    ("fc_service", S("functions that may reach into a VPC")),
    ("fcv2_function", S("a function that may reach into a VPC")),
    ("fcv3_function", S("a function that may reach into a VPC")),
    ("fcv3_vpc_binding", S("a function that may reach into a VPC")),
    ("fnf_", N(PLATFORM)),
    (
        "ga_",
        S("a global accelerator: it accepts packets and sends them on to servers"),
    ),
    ("governance_", N(IDENTITY)),
    ("gpdb_", N(ACCOUNTS)),
    ("gpdb_connection", S(DATA)),
    ("gpdb_db_instance_ip_array", S(DATA)),
    ("gpdb_elastic_instance", S(DATA)),
    ("gpdb_instance", S(DATA)),
    ("gpdb_supabase_project", S(DATA)),
    ("graph_database_", S(DATA)),
    ("hbase_", S(DATA)),
    ("hbr_", N("backups")),
    ("hologram_", S(DATA)),
    ("image", N(DISKS)),
    ("imm_", N(PLATFORM)),
    ("imp_", N(PLATFORM)),
    ("ims_", N(IDENTITY)),
    ("instance_", N(DISKS)),
    ("iot_", N(PLATFORM)),
    ("key_pair", N(DISKS)),
    ("kms_", N("keys and secrets")),
    ("kms_instance", S(DATA)),
    ("kvstore_", N(ACCOUNTS)),
    ("kvstore_connection", S(DATA)),
    ("kvstore_instance", S(DATA)),
    ("launch_template", S("a template that instances are made from")),
    ("lindorm_", S(DATA)),
    ("live_", N(PLATFORM)),
    ("log", N(LOGS)),
    ("market_", S("an order that may make resources of its own")),
    ("max_compute_", N(PLATFORM)),
    ("maxcompute_", N(PLATFORM)),
    ("message_service_", N(PLATFORM)),
    ("mhub_", N(PLATFORM)),
    ("milvus_", S(DATA)),
    ("mns_", N(PLATFORM)),
    ("mongodb_", N(ACCOUNTS)),
    ("mongodb_instance", S(DATA)),
    ("mongodb_node", S(DATA)),
    ("mongodb_private_srv_network_address", S(DATA)),
    ("mongodb_public_network_address", S(DATA)),
    ("mongodb_replica_set_role", S(DATA)),
    ("mongodb_serverless_instance", S(DATA)),
    ("mongodb_sharding_instance", S(DATA)),
    ("mongodb_sharding_network_private_address", S(DATA)),
    ("mongodb_sharding_network_public_address", S(DATA)),
    ("msc_", N(PLATFORM)),
    ("mse_", N(ACCOUNTS)),
    ("mse_cluster", S(DATA)),
    ("mse_gateway", S(DATA)),
    ("mse_engine_namespace", N(ACCOUNTS)),
    ("msc_sub_", N(PLATFORM)),
    ("nas_", N(STORAGE)),
    (
        "nas_access_group",
        S("whom the mount targets of a file system admit"),
    ),
    ("nas_access_point", S("an access point of a file system in a VPC")),
    (
        "nas_access_rule",
        S("whom the mount targets of a file system admit"),
    ),
    ("nas_mount_target", S("a mount target of a file system in a VPC")),
    (
        "nas_protocol_mount_target",
        S("a mount target of a file system in a VPC"),
    ),
    ("nlb_", S(BALANCER)),
    ("nlb_hd_monitor_region_config", N(LOGS)),
    (
        "nlb_listener_additional_certificate_attachment",
        N("a certificate"),
    ),
    (
        "nlb_loadbalancer_common_bandwidth_package_attachment",
        N("bandwidth"),
    ),
    ("nlb_security_policy", N("TLS versions and ciphers")),
    ("ocean_base_", S(DATA)),
    ("ons_", N(ACCOUNTS)),
    ("oos_", N(PLATFORM)),
    ("open_api_explorer_", N(PLATFORM)),
    ("open_search_", N(PLATFORM)),
    ("oss_", N(STORAGE)),
    ("ots_", N(STORAGE)),
    ("pai_", N(PLATFORM)),
    ("pai_service", S("a service that may reach into a VPC")),
    ("polar_db_", N(ACCOUNTS)),
    ("polardb_", N(ACCOUNTS)),
    ("polardb_aicluster", S(DATA)),
    ("polardb_application", S(DATA)),
    ("polardb_cluster", S(DATA)),
    ("polardb_endpoint", S(DATA)),
    ("polardb_global_database_network", S(DATA)),
    ("polardb_primary_endpoint", S(DATA)),
    ("polardb_zonal_db_cluster", S(DATA)),
    ("polardb_zonal_endpoint", S(DATA)),
    (
        "privatelink_",
        S("a private link: it accepts packets in one VPC and sends them on in another"),
    ),
    (
        "privatelink_vpc_endpoint_service_user",
        N("lets another account connect; what connects is read where it is declared"),
    ),
    ("pvtz_", N(NAMES)),
    ("pvtz_endpoint", S(VISITOR)),
    ("quick_bi_", N(PLATFORM)),
    ("quotas_", N(PLATFORM)),
    ("ram_", N(IDENTITY)),
    ("rdc_", N(PLATFORM)),
    ("rds_", N(ACCOUNTS)),
    ("rds_ai_instance", S(DATA)),
    ("rds_clone_db_instance", S(DATA)),
    ("rds_custom", S(DATA)),
    ("rds_custom_disk", N(DISKS)),
    ("rds_custom_deployment_set", N(DISKS)),
    ("rds_db_instance_endpoint", S(DATA)),
    ("rds_db_node", S(DATA)),
    ("rds_db_proxy", S(DATA)),
    ("rds_ddr_instance", S(DATA)),
    ("rds_upgrade_db_instance", S(DATA)),
    (
        "rds_whitelist_template",
        S("addresses that may reach managed databases"),
    ),
    ("realtime_compute_", N(PLATFORM)),
    ("realtime_compute_vvp_instance", S(DATA)),
    ("redis_", N(ACCOUNTS)),
    ("redis_tair_instance", S(DATA)),
    ("reserved_instance", N("reserved capacity")),
    ("resource_manager_", N(IDENTITY)),
    (
        "resource_manager_resource_share",
        S("shares vSwitches and other resources with other accounts"),
    ),
    (
        "resource_manager_shared_resource",
        S("shares vSwitches and other resources with other accounts"),
    ),
    (
        "resource_manager_shared_target",
        S("shares vSwitches and other resources with other accounts"),
    ),
    ("rocketmq_", N(ACCOUNTS)),
    ("rocketmq_instance", S(DATA)),
    ("ros_", N("templates")),
    (
        "ros_stack",
        S("applies a template that makes resources of its own"),
    ),
    ("sae_", S(CONTAINER)),
    ("sae_config_map", N("settings of applications")),
    ("sae_namespace", N("a group of applications")),
    ("sag_", S(HYBRID)),
    ("scdn_", N(EDGE)),
    ("schedulerx_", N(PLATFORM)),
    ("sddp_", N(LOGS)),
    ("security_center_", N(LOGS)),
    ("selectdb_", S(DATA)),
    (
        "service_catalog_",
        S("applies a template that makes resources of its own"),
    ),
    ("service_mesh_", S(CONTAINER)),
    ("service_mesh_user_permission", N(IDENTITY)),
    (
        "simple_application_server_",
        S("a server in a network of its own"),
    ),
    ("simple_application_server_custom_image", N(DISKS)),
    ("simple_application_server_disk", N(DISKS)),
    ("simple_application_server_snapshot", N(DISKS)),
    ("slb", S(BALANCER)),
    ("slb_ca_certificate", N(NAMES)),
    ("slb_domain_extension", N(NAMES)),
    ("slb_server_certificate", N(NAMES)),
    ("slb_tls_cipher_policy", N("TLS versions and ciphers")),
    ("sls_", N(LOGS)),
    ("smartag_flow_log", N(LOGS)),
    ("sms_", N(PLATFORM)),
    ("snapshot", N(DISKS)),
    ("ssl_certificates_", N(NAMES)),
    ("ssl_vpn_client_cert", N(NAMES)),
    ("star_rocks_", S(DATA)),
    ("tag_", N("tags")),
    ("threat_detection_", N(LOGS)),
    ("tsdb_", S(DATA)),
    ("video_surveillance_", N(PLATFORM)),
    ("vod_", N(PLATFORM)),
    (
        "vpc_bgp_",
        N("BGP of a border router; what its site announces is said by a `link` of the intent"),
    ),
    ("vpc_dhcp_options_set", N(NAMES)),
    ("vpc_flow_log", N(LOGS)),
    (
        "vpc_gateway_endpoint",
        N("leads to a service of the cloud, which is no endpoint of an intent"),
    ),
    ("vpc_ipam_", N(ALLOCATION)),
    ("vpc_peer_connection_accepter", Modelled),
    ("vpc_public_ip_address_pool", N(ALLOCATION)),
    (
        "vpc_traffic_mirror_",
        N("copies packets to an analyser; the originals go on as before"),
    ),
    ("vpc_vbr_ha", S(HYBRID)),
    ("vpc_vswitch_cidr_reservation", N(ALLOCATION)),
    ("vpn_", S(HYBRID)),
    (
        "vpn_customer_gateway",
        N("describes the far end of a VPN connection"),
    ),
    ("waf", S(PERIMETER)),
    ("waf_instance", N(SERVICE)),
    ("waf_protection_module", N(SCRUBBING)),
    ("wafv3_address_book", N("addresses for the rules inside a WAF")),
    ("wafv3_defense_", N(SCRUBBING)),
    ("wafv3_instance", N(SERVICE)),
    ("waf_certificate", N(NAMES)),
    (
        "yundun_bastionhost_instance",
        S("a bastion host with an address of its own and access to servers"),
    ),
    (
        "yundun_dbaudit_instance",
        S("an audit server with an address of its own"),
    ),
];

/// Helpers of Terraform and other providers that make nothing on a network.
const OTHERS: &[(&str, &str)] = &[
    ("archive_", "files on the machine that applies"),
    ("cloudinit_", "texts for instances"),
    ("external", "a program on the machine that applies"),
    ("local_", "files on the machine that applies"),
    ("null_", "makes nothing"),
    ("random_", "random texts and numbers"),
    ("template_", "texts"),
    ("terraform_", "makes nothing"),
    ("time_", "points in time"),
    ("tls_", "keys and certificates"),
];

/// The rule that says what a type of this name, without `alicloud_`, means for packets: its position.
fn rule(name: &str) -> Option<usize> {
    let hits = RULES.iter().enumerate().filter(|(_, (p, _))| name.starts_with(p));
    hits.max_by_key(|(_, (p, _))| p.len()).map(|(n, _)| n)
}

/// What a type means for packets; data sources make nothing and are used by what refers to them.
pub fn bearing(kind: &str, data: bool) -> Bearing {
    if data {
        return Bearing::None("a data source: what it finds is unknown where it is used");
    }
    match kind.strip_prefix("alicloud_") {
        Some(name) => match rule(name) {
            Some(n) => RULES[n].1,
            None => Bearing::Some("this type is not known to this version"),
        },
        None => match OTHERS.iter().find(|(p, _)| kind.starts_with(p)) {
            Some((_, why)) => Bearing::None(why),
            None => Bearing::Some("it belongs to another provider, which is not read"),
        },
    }
}

/// The page `docs/coverage.md`; `types` are those of the provider.
#[must_use]
pub fn coverage_markdown(types: &[&str]) -> String {
    let mut out = String::from(
        "# Coverage of Terraform types\n\n\
         Generated by `cargo xtask gen` from the tables of `crates/terraform/src/alicloud`; a test checks that it is \
         current. `bartizan inventory PATH` says for every resource which of the three it is.\n\n\
         ## Modelled\n\n\
         These types are in the typed layer. Attributes that are not named here have no bearing on packets.\n\n\
         | type | aliases | attributes that are read |\n|---|---|---|\n",
    );
    let mut rows: BTreeMap<&str, String> = BTreeMap::new();
    for h in handlers() {
        let list = |v: &[&str]| v.iter().map(|a| format!("`{a}`")).collect::<Vec<_>>().join(", ");
        let row = format!(
            "| `{}` | {} | {} |",
            h.spec.name,
            list(h.aliases),
            list(h.spec.attributes)
        );
        rows.insert(h.spec.name, row);
    }
    for row in rows.values() {
        out.push_str(row);
        out.push('\n');
    }
    let mut handled: BTreeSet<&str> = BTreeSet::new();
    for h in handlers() {
        handled.insert(h.spec.name);
        handled.extend(h.aliases);
    }
    // What each rule decides, of the types of the provider: those that are read, and the others.
    let mut by_rule: BTreeMap<usize, (usize, Vec<&str>)> = BTreeMap::new();
    for t in types {
        let Some(n) = t.strip_prefix("alicloud_").and_then(rule) else {
            continue;
        };
        let (read, left) = by_rule.entry(n).or_default();
        if handled.contains(t) {
            *read += 1;
        } else {
            left.push(t);
        }
    }
    let table = |out: &mut String, want: fn(Bearing) -> Option<&'static str>| {
        out.push_str(
            "| types that begin with | why | types of the provider that are not above |\n|---|---|---|\n",
        );
        for (n, (p, b)) in RULES.iter().enumerate() {
            let none = (0, Vec::new());
            let (read, left) = by_rule.get(&n).unwrap_or(&none);
            if let Some(why) = want(*b).filter(|_| *read == 0 || !left.is_empty()) {
                let left: Vec<String> = left.iter().map(|t| format!("`{t}`")).collect();
                // Writing to a string cannot fail.
                let _ = writeln!(out, "| `alicloud_{p}` | {why} | {} |", left.join(", "));
            }
        }
    };
    out.push_str(
        "\n## Not understood\n\n\
         These have a bearing on packets and no model yet. They are listed in every report, and claims about the \
         VPCs that they touch are undecided. The longest prefix that fits wins, here and below; a row without types is for older versions of the provider.\n\n",
    );
    table(
        &mut out,
        |b| if let Bearing::Some(w) = b { Some(w) } else { None },
    );
    out.push_str("\nTypes that fit no prefix, and types of other providers, are not understood either.\n\n## Ignored\n\n");
    table(&mut out, |b| match b {
        Bearing::None(w) => Some(w),
        Bearing::Modelled => Some("named by other resources; has no meaning of its own"),
        Bearing::Some(_) => None,
    });
    out.push_str("\nOther providers:\n\n| types that begin with | why |\n|---|---|\n");
    for (p, why) in OTHERS {
        let _ = writeln!(out, "| `{p}` | {why} |");
    }
    out.push_str("\nData sources are ignored: what they find is unknown where it is used.\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_sorted_enough_to_read_and_unique() {
        let mut seen = std::collections::BTreeSet::new();
        for (p, _) in RULES {
            assert!(seen.insert(p), "{p} twice");
        }
    }

    #[test]
    fn the_longest_prefix_wins() {
        assert_eq!(
            bearing("alicloud_vpn_customer_gateway", false),
            Bearing::None("describes the far end of a VPN connection")
        );
        assert!(matches!(bearing("alicloud_brand_new", false), Bearing::Some(_)));
        assert!(matches!(bearing("aws_instance", false), Bearing::Some(_)));
        assert!(matches!(bearing("random_password", false), Bearing::None(_)));
        assert!(matches!(bearing("alicloud_slb", true), Bearing::None(_)));
    }
}
