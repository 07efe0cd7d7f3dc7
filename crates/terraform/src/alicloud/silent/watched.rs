//! Arguments that bear on packets at some values, in ways that are not modelled.

/// An argument that is harmless at some values only.
pub(super) struct Watched {
    pub(super) kind: &'static str,
    pub(super) argument: &'static str,
    /// Values, in any case, that bear on nothing; `null`, nothing and empty lists never do.
    pub(super) harmless: &'static [&'static str],
    /// What another value means.
    pub(super) why: &'static str,
    /// Whether the cloud fills it in: then a plan that does not know it says nothing of it.
    pub(super) filled: bool,
    /// Whether the resource may then not do what is read of it: nothing is certain by way of it.
    pub(super) doubt: bool,
}

const fn watch(
    kind: &'static str,
    argument: &'static str,
    harmless: &'static [&'static str],
    why: &'static str,
) -> Watched {
    Watched {
        kind,
        argument,
        harmless,
        why,
        filled: false,
        doubt: false,
    }
}

const fn watch_filled(
    kind: &'static str,
    argument: &'static str,
    harmless: &'static [&'static str],
    why: &'static str,
) -> Watched {
    Watched {
        filled: true,
        ..watch(kind, argument, harmless, why)
    }
}

const fn doubt(w: Watched) -> Watched {
    Watched { doubt: true, ..w }
}

/// Arguments that handlers read, at values at which nothing is certain by way of the resource.
pub(super) const DOUBTED: &[Watched] = &[
    // A reverse endpoint takes in connections that an endpoint of the usual type sends out (§9.7).
    watch_filled(
        "privatelink_vpc_endpoint",
        "endpoint_type",
        &["Interface", "GatewayLoadBalancer"],
        "of which type the endpoint is is not known, or it is not modelled (`endpoint_type`)",
    ),
    watch_filled(
        "privatelink_vpc_endpoint",
        "address_ip_version",
        &["IPv4", "DualStack"],
        "it may have IPv6 addresses alone (`address_ip_version`)",
    ),
    watch_filled(
        "slb_load_balancer",
        "address_ip_version",
        &["ipv4", "ipv6"],
        "of which family its address is is not known (`address_ip_version`)",
    ),
];

pub(super) const WATCHED: &[Watched] = &[
    watch(
        "vpc",
        "classic_link_enabled",
        &["false"],
        "instances of the classic network reach into it (`classic_link_enabled`)",
    ),
    doubt(watch_filled(
        "vpc_ipv6_address",
        "address_type",
        &["IPv6Address"],
        "it is a prefix of addresses (`address_type`)",
    )),
    doubt(watch_filled(
        "vpc_peer_connection",
        "status",
        &["Activated"],
        "the connection is not in use, or may not be (`status`)",
    )),
    watch(
        "vpc_route_entry",
        "route_publish_targets.*",
        &[],
        "the route is published to a router of Express Connect (`route_publish_targets`)",
    ),
    watch(
        "nat_gateway",
        "bandwidth_packages.*",
        &["0"],
        "bandwidth packages have public addresses of their own (`bandwidth_packages`)",
    ),
    doubt(watch(
        "nat_gateway",
        "private_link_enabled",
        &["false"],
        "it is reached by PrivateLink (`private_link_enabled`)",
    )),
    doubt(watch_filled(
        "nat_gateway",
        "access_mode.*",
        &[],
        "it is reached in another way than by routes (`access_mode`)",
    )),
    doubt(watch(
        "alb_listener",
        "x_forwarded_for_config.x_forwarded_for_client_source_ips_enabled",
        &["false"],
        "it takes clients' addresses from a header that clients write (`x_forwarded_for_client_source_ips_enabled`)",
    )),
    watch(
        "cs_kubernetes_node_pool",
        "instances",
        &[],
        "instances that exist join it, and get its security groups (`instances`)",
    ),
    watch(
        "cs_*",
        "rds_instances",
        &[],
        "it adds its nodes to the allow lists of databases (`rds_instances`)",
    ),
    doubt(watch(
        "cs_kubernetes_node_pool",
        "eflo_node_group.*",
        &[],
        "its nodes are in another network (`eflo_node_group`)",
    )),
    watch(
        "cs_managed_kubernetes",
        "auto_mode.enabled",
        &["false"],
        "it makes node pools of its own (`auto_mode`)",
    ),
    watch_filled(
        "cs_managed_kubernetes",
        "ip_stack",
        &["ipv4"],
        "its nodes and pods have IPv6 addresses (`ip_stack`)",
    ),
    watch(
        "cs_managed_kubernetes",
        "worker_number",
        &["0"],
        "it makes nodes of its own (`worker_number`)",
    ),
    watch(
        "cs_managed_kubernetes",
        "worker_numbers",
        &["0"],
        "it makes nodes of its own (`worker_numbers`)",
    ),
    doubt(watch_filled(
        "cs_managed_kubernetes",
        "control_plane_endpoints_config.load_balancers_config.endpoint_type",
        &["intranet"],
        "its API server has another endpoint (`endpoint_type`)",
    )),
    doubt(watch(
        "ess_scaling_group",
        "instance_id",
        &[],
        "it copies its members from an instance (`instance_id`)",
    )),
    doubt(watch(
        "ess_scaling_group",
        "container_group_id",
        &[],
        "it copies its members from a container group (`container_group_id`)",
    )),
    doubt(watch(
        "ess_scaling_group",
        "launch_template_version",
        &["1", "Default", "Latest", "$Default", "$Latest"],
        "which version of the launch template this is, is not known (`launch_template_version`)",
    )),
    watch(
        "ecs_launch_template",
        "network_interfaces.security_group_id",
        &[],
        "instances that it makes have a second interface (`network_interfaces`)",
    ),
    watch(
        "ecs_launch_template",
        "network_interfaces.vswitch_id",
        &[],
        "instances that it makes have a second interface (`network_interfaces`)",
    ),
    watch(
        "express_connect_router_interface",
        "fast_link_mode",
        &["false"],
        "the cloud makes the interface on the other side (`fast_link_mode`)",
    ),
    watch(
        "ess_eci_scaling_configuration",
        "ipv6_address_count",
        &["0"],
        "members with IPv6 addresses are not modelled (`ipv6_address_count`)",
    ),
    watch(
        "ess_scaling_configuration",
        "instance_ids",
        &[],
        "instances that exist join the group (`instance_ids`)",
    ),
    watch(
        "rds_ddr_instance",
        "fresh_white_list_readins",
        &[],
        "it changes the allow lists of other instances (`fresh_white_list_readins`)",
    ),
    doubt(watch_filled(
        "rds_upgrade_db_instance",
        "switch_over",
        &["false"],
        "it takes over the address of another instance (`switch_over`)",
    )),
    watch(
        "db_*instance",
        "fresh_white_list_readins",
        &[],
        "it changes the allow lists of other instances (`fresh_white_list_readins`)",
    ),
    doubt(watch(
        "rds_ddr_instance",
        "whitelist_network_type",
        &["VPC", "MIX"],
        "its allow list is for another network (`whitelist_network_type`)",
    )),
    doubt(watch(
        "db_*instance",
        "whitelist_network_type",
        &["VPC", "MIX"],
        "its allow list is for another network (`whitelist_network_type`)",
    )),
    watch_filled(
        "polardb_cluster",
        "enable_dynamodb",
        &["false"],
        "it answers in another protocol as well, on a port that is not known (`enable_dynamodb`)",
    ),
    doubt(watch_filled(
        "mongodb_*instance",
        "network_type",
        &["VPC"],
        "it is not in a VPC (`network_type`)",
    )),
    doubt(watch_filled(
        "nas_mount_target",
        "network_type",
        &["Vpc"],
        "it is not in a VPC (`network_type`)",
    )),
    doubt(watch_filled(
        "nas_mount_target",
        "status",
        &["Active"],
        "it is not in use, or may not be (`status`)",
    )),
    watch(
        "nas_mount_target",
        "dual_stack",
        &["false"],
        "it has an IPv6 address as well (`dual_stack`)",
    ),
    watch(
        "click_house_db_cluster",
        "multi_zone_vswitch_list.vswitch_id",
        &[],
        "it answers in other vSwitches as well (`multi_zone_vswitch_list`)",
    ),
    watch(
        "click_house_enterprise_db_cluster",
        "multi_zones.vswitch_ids",
        &[],
        "it answers in other vSwitches as well (`multi_zones`)",
    ),
    watch(
        "lindorm_instance",
        "primary_vswitch_id",
        &[],
        "it answers in several vSwitches (`primary_vswitch_id`)",
    ),
    watch(
        "lindorm_instance",
        "standby_vswitch_id",
        &[],
        "it answers in several vSwitches (`standby_vswitch_id`)",
    ),
    watch(
        "lindorm_instance",
        "arbiter_vswitch_id",
        &[],
        "it answers in several vSwitches (`arbiter_vswitch_id`)",
    ),
    watch_filled(
        "privatelink_vpc_endpoint",
        "zone_private_ip_address_count",
        &["0", "1"],
        "it has several addresses in a zone (`zone_private_ip_address_count`)",
    ),
    doubt(watch_filled(
        "express_connect_router_interface",
        "status",
        &["Active"],
        "the interface is not in use, or may not be (`status`)",
    )),
    doubt(watch_filled(
        "express_connect_virtual_border_router",
        "status",
        &["active"],
        "the border router is not in use, or may not be (`status`)",
    )),
];
