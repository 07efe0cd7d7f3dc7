//! Arguments without a bearing, by the reason why.

/// Why, and which: patterns with a comma between them. The first reason is that of names.
pub(super) const SILENT: &[(&str, &str)] = &[
    (
        "a name, a label or a comment",
        "* *description, * *comment, * *name, * *name_prefix, * tags, * volume_tags, * template_tags, * group_name, \
         * business_info, * lang, * *connection_prefix, * *connection_string_prefix, cs_kubernetes_node_pool labels.*, \
         ecs_launch_template name, instance host_name",
    ),
    (
        "the identity of the resource itself, or where it is kept",
        "* id, * *resource_group_id, * dry_run, alb_acl acl_name, alb_rule rule_name, \
         click_house_db_cluster *ip_array_name, graph_database_db_instance *ip_array_name, \
         cloud_firewall_nat_firewall_control_policy_order current_page",
    ),
    (
        "what is paid, how, and for how long",
        "* internet_charge_type, * *payment_type, * pay_type, * paid_type, * period, * *period_unit, * period_cycle, \
         * period_time, * *charge_type, * auto_renew*, * renew_*, * renewal_*, * *auto_pay, * auto_use_coupon, \
         * coupon_no, * duration, * used_time, * pricing_cycle, * order_*, * modify_type, * spot_*, * payer, \
         * *billing_config.*, * activity_id, * credit_specification, ess_scaling_configuration spot_price_limit.*",
    ),
    (
        "guards against changes and deletion",
        "* delete*protection*, * deletion_protection*, * deletion_proection, * *deletion_protection, * deletion_lock, \
         * *instance_release_protection, * modification_protection_*, * protected_*, \
         ess_scaling_group group_deletion_protection, * force, * force_delete*, * force_restart, * force_update, \
         * force_upgrade, * force_attach, * delete_on_release, * delete_options.*, * retain_resources, \
         * immediate_delete_flag, * released_keep_policy, * delete_health_check_ip, polardb_cluster allow_shut_down",
    ),
    (
        "the size, the hardware or the edition",
        "* instance_count, * zone_count, * read_only_count, * slave_read_only_count, * shard_count, * partition_num, \
         * key_num, * secret_num, * vpc_num, * core_num, * log_num, * core_spec, * log_spec, * *node_spec, * *_size, \
         * cn_class, * dn_class, * instance_spec, * instance_group_count, * *_instance_quantity, \
         * *core_instance_type, * master_instance_type, * spec_type, * io_max_spec, * max_eip_tps, \
         * cross_region_bandwidth, * connect_bandwidth, * *gress_bandwidth, * intranet_bandwidth, \
         * internet_max_bandwidth_in, * *eip_bandwidth, \
         cs_kubernetes_node_pool scaling_config.eip_internet_charge_type, * cluster_spec, \
         kvstore_instance dedicated_host_group_id, rds_*_db_instance dedicated_host_group_id, \
         * instance_family_level, * dedicated_host_*, * deployment_set_id, * hpc_cluster_id, * isp, * ipv6_isp, \
         * public_ip_address_pool_id, * *bandwidth_package_id, \
         ess_scaling_configuration instance_pattern_info.minimum_eni_*, cloud_firewall_instance ip_number, \
         cloud_firewall_instance fw_vpc_number, *_prefix_list max_entries, eip_address netmode, \
         eip_address security_protection_types, alb_load_balancer zone_mappings.eip_type, * spec, * *specification, \
         * instance_type, * instance_types, * instance_class, * *node_class, * *instance_class, * *cluster_class, \
         * *storage*, * *disk_*, * *_disk*.*, * *disks.*, * *_cu, * *_replica, * *_amount, * *_configuration.amount, \
         * *_configuration.disk*, * *_configuration.spec, * *_configuration.performance_level, * *node_count, \
         * *node_num, * cpu, * cpu_*, * memory, * memory_size, * gpu_config.*, * bandwidth, * *bandwidth_type, \
         * band_width, * *cpu_options*, * scale_*, * node_scale_*, * io_*, * *iops, * capacity, \
         * provisioned_capacity, * queue_capacity, * max_*tps, * max_connections, * topic_quota, * cps, \
         * *serverless_*, * elastic_io_resource*, * compute_resource, * edition, * category, * *_category, \
         * instance_series, * *node_group_count, * topology_type, * cold_data_enabled, * optimized_writes, \
         * bursting_enabled, * enable_high_density_mode, * enable_jumbo_frame, * mss, * mtu, * instance_pattern*, \
         * *override.*, * override, * private_pool_options*, * resource_pool_options*, \
         * custom_priorities.instance_type, * queue_*number, * network_interface_traffic_mode, \
         * network_interfaces.network_interface_traffic_mode, * network_interfaces.queue_pair_number, \
         * *network_card_index, * load_balancer_edition, * load_balancer_type, * load_balancer_spec, \
         ecs_network_interface instance_type, nat_gateway nat_type, vpn_gateway vpn_type, vpn_gateway ssl_connections",
    ),
    (
        "the software, its version and its settings",
        "db_instance babelfish_config.*, * db_param_group_id, * db_node_id, * standby_az, * sync_mode, \
         * db_instance_mode, mse_cluster cluster_type, mse_cluster version_code, \
         elasticsearch_instance enable_kibana_private_network, rds_*_instance acl, \
         rds_*_db_instance direction, rds_*_instance replication_acl, * target_major_version, * client_cert_revocation_list, \
         ess_scaling_configuration override, * version, * *engine_version, * *minor_version, * *kernel_version, \
         * *runtime_version, * *kubernetes_version, * *revision_version_code, * *db_version, * *cluster_version, \
         * mysql_version, * mse_version, * arch_version, * service_version, * product_version, * *http_version, \
         * addons.version, alikafka_instance config, kvstore_instance config, adb_db_cluster mode, \
         db_*instance direction, * *_version_code, * engine, * *storage_engine, * parameters.*, * *param_*, \
         * parameter_group_id, * setting_config, * *time_zone, * timezone, * collat*, * lower_case_table_names, \
         * db_is_ignore_case, * loose_*, * *image*, * *user_data, * userdata, * pre_user_data, * runtime*, \
         * custom_runtime_config.*, * custom_container_config.*, * code.*, * handler, * layers, \
         * environment_variables, * *containers.*, * kubelet_configuration.*, * *upgrade*, * kernel_version, \
         * *switch_mode, * switch_time, * switch_time_mode, * *effective_time, * maintain_*, * *maintenance_*, * *create_sample_data, \
         * data_share_status, * vector_configuration_status, * os_type, * platform, * default_topic_partition_num, \
         * enable_auto_*, * confluent_config.*, * protocol_type, * recovery_model, * node_type, * replication_factor, \
         * readonly_replicas, * shard_list.readonly_replicas, * encrypt_new_tables, * imci_switch, * hot_*, \
         * strict_consistency, * compress_storage, * proxy_*, * read_write_mode, * endpoint_config, * ssl_auto_rotate, \
         * resource_management_mode, * prod_type, * update_strategy, * request_pars, * listener_mode, \
         * is_read_db_instance, * ha_*, * manual_ha_time, * tcp_connection_type, * deploy_type",
    ),
    (
        "backups, restores and copies: what data there is",
        "* *backup*, * restore_*, * *src_db_instance_id, * srcdb_instance_id, * source_*instance_id, * source_biz, \
         * source_resource_id, * clone_data_point, * creation_*, * gdn_id, * *global_instance*, * db_names, \
         * table_meta, * from_time_service, * recover_config_mode",
    ),
    (
        "passwords, keys and certificates: who may log in, not whose packets arrive",
        "* *encryption_key, * server_key, * client_key, * private_key, * tde_*_key, ddoscoo_domain_resource key, \
         db_*instance acl, db_*instance replication_acl, * *password*, * *encrypt*, * kms_*, * *_kms_key*, \
         * *key_name, * key_pair_name, * *certificate*, * *cert, * *_cert*, * cert*, * *client_ca*, * *client_crl*, \
         * ca_*, * pg_hba_conf.*, * role_*, * role, * ram_role_name, * ssl_*, * enable_ssl, * ssl13_enabled, * tde_*, \
         * psk*, * account, * admin_pass, * vpc_auth_mode, * security_policy_id, * tls_*, * *tls*custom_ciphers, \
         * custom_ciphers, * alpn_*, * ocsp_enabled, * http_tokens, * http_endpoint, * http_put_response_hop_limit, \
         * instance_metadata_options.*, * security_hardening_os, * security_enhancement_strategy, * soc_enabled, \
         * cis_enabled, * login_as_non_root, * tee_config.*, * user_ca, * api_audiences, * service_account_issuer, \
         * enable_rrsa, * skip_set_certificate_authority, * custom_san, * *security_context*, * *registry*, \
         * policy_document",
    ),
    (
        "logs and monitoring",
        "* *log_*, * *log, * log*, * *_log*.*, * tracing_*, * support_tracing, * sql_collector*, * collect*, \
         * monitoring_period, * install_cloud_monitor, * high_definition_monitor_log_status, * sls_project_name, \
         * enable_sls, * cfw_log*, * control_plane_log_*, * *audit_log*",
    ),
    (
        "what a health check asks and how often: a server counts whatever its health is",
        "* health_check_connect_port, * health_check.health_check_connect_port, * *.health_check_connect_port, \
         * *health_check*, * healthy_threshold, * unhealthy_threshold, * hc_*, * enable_dpd, * *detect_multiplier, \
         * min_*x_interval",
    ),
    (
        "how a balancer spreads, keeps and closes connections to servers that it may all use",
        "selectdb_db_instance cache_size, alikafka_instance enable_auto_group, * scheduler, * *sticky_session*, \
         * *cookie*, * persistence_timeout, * config.persistence_timeout, * *_timeout, * *connection_drain*, \
         * *slow_start*, * uch_config.*, * upstream_keepalive_enabled, * listener_sync, * connection_type, \
         * load_balanc*ing, * redirect.*, * listen.*",
    ),
    (
        "headers, compression and protocols above the transport",
        "* x_forwarded_for.*, * x_forwarded_for_config.*, * xforwarded_for_config.*, * gzip*, * *http2*, \
         * quic_config.*, * *proxy_protocol*, * sec_sensor_enabled, * log_headers.*, * custom_headers, \
         alb_server_group protocol, nlb_server_group protocol, elasticsearch_instance protocol, \
         slb_listener forward_port",
    ),
    (
        "which zone of the VPC: a vSwitch is in one, and is named",
        "* zone, * zone_id*, * zone_ids, * *_zone_id, * *_zone, * *zone_id_slave_*, * *.zone_id, * selected_zones, \
         * availability_zone, * zone_affinity_enabled, * multi_az_policy, * az_balance, * balance_mode, \
         * multi_zone_combination",
    ),
    (
        "the VPC, which the vSwitch is in that is named",
        "* vpc_id, * *.vpc_id, * *network_type",
    ),
    (
        "the account or region of something that is named",
        "* peer_transit_router_region_id, cen_transit_router_peer_attachment cen_bandwidth_package_id, \
         * *route_table_id, ddosbgp_ip instance_id, \
         ddoscoo_* instance_id*, waf*_domain instance_id, * *owner_id, * *owner_uid, * *_ali_uid, * member_uid, \
         * *region_id, * *region_no, * *_region, * vpc_region, * cen_id, * resource_type, * *.resource_type, \
         * supported_region_list, * default_link_type, * link_type, * *access_point_id, * local_vpc.region_no",
    ),
    (
        "how many instances there are, and when they come and go: two stand for any number",
        "* desired_*, * min_size, * max_size, * scaling_config.m*_size, * scaling_config.enable, \
         * scaling_config.type, * scaling_policy, * *on_demand_*, * compensate_with_on_demand, * capacity_options_*, \
         * allocation_strategy, * auto_rebalance, * default_cooldown, * removal_policies, * max_instance_lifetime, \
         * substitute, * cost_optimization, ess_*scaling_configuration active, ess_*scaling_configuration enable, \
         * is_outdated, * group_type, * auto_release_time, * active_deadline_seconds, * lifecycle_hook, * entrusted, \
         * seconds_until_auto_pause, * planned_*_time, * update_nodes, * node_name_mode, * unschedulable, \
         * management.*, * rolling_policy.*, * rollout_policy.*, * format_disk, cs_kubernetes_node_pool type, \
         cs_kubernetes_node_pool auto_mode.enabled, * exclude_autoscaler_nodes, * default_version_number, \
         * update_default_version_number, * include_data_disks, * stopped_mode, * operator_type, \
         * enable_vm_os_config, ess_scaling_configuration custom_priorities.vswitch_id",
    ),
    (
        "whether a host, a share or a cluster runs is not a matter of the network",
        "instance status, click_house_db_cluster status",
    ),
    (
        "what runs in the cluster, and what it makes by itself, is in no configuration (A-CW)",
        "* addons.*, * taints.*, * service_cidr, * pod_cidr, * node_cidr_mask, * node_port_range, * cluster_domain, \
         * kube_config, * service_discovery_types, * profile, * create_v2_cluster, cs_managed_kubernetes enable_ssh, \
         cs_managed_kubernetes is_enterprise_security_group, cs_managed_kubernetes worker_*",
    ),
    (
        "inside of a container or a function: it may listen on and connect to anything anyway",
        "* dns_*, * host_aliases.*, * volumes.*, * restart_policy, * termination_grace_period_seconds, * custom_dns.*, \
         * nas_config.*, * oss_mount_config.*, * instance_lifecycle_config.*, * instance_concurrency, \
         * instance_isolation_mode, * session_affinity*, * timeout, * invocation_restriction.*, fc_service publish, \
         ess_*scaling_configuration *.security_context*",
    ),
    (
        "which list it is, or how it is shown: every list of a service counts",
        "* *ip_array_attribute, * *ip_group_attribute, * security_ip_type, \
         * *security_ip_group_name, * desired_security_ip_lists.group_name, * ip_whitelist.ip_group_name",
    ),
    (
        "only narrows a list by which nobody is certain to be admitted",
        "nas_mount_target security_group_id, alikafka_instance_allowed_ip_attachment port_range, \
         nas_mount_target file_system_id",
    ),
    (
        "any address of the vSwitch is asked about",
        "gpdb_instance private_ip_address, rds_*_db_instance private_ip_address, \
         ecs_launch_template private_ip_address, ecs_launch_template vswitch_id, \
         ecs_launch_template network_interfaces.primary_ip, ecs_launch_template network_interfaces.delete_on_release, \
         nlb_load_balancer zone_mappings.ipv*_local_addresses",
    ),
    ("any port is asked about", "rds_*_db_instance port"),
    (
        "which part of a service is open to the Internet: it counts for all of it",
        "* *net_type, * node_id, * db_endpoint_id, lindorm_public_network engine_type, polardb_endpoint endpoint_type, \
         * nodes, * auto_add_new_nodes",
    ),
    (
        "what the named thing is, which its id says as well",
        "* server_type, slb_* *type, ess_server_group_attachment type, * opposite_router_*, \
         privatelink_vpc_endpoint_service service_resource_type, slb_attachment backend_servers, alb_listener default_actions.type, \
         cloud_firewall_vpc_firewall_control_policy_order vpc_firewall_id, \
         cloud_firewall_nat_firewall_control_policy_order nat_gateway_id, cloud_firewall_*_policy_order direction, \
         cloud_firewall_nat_firewall_control_policy direction, \
         cen_transit_router_prefix_list_association transit_router_id, ecs_prefix_list address_family, \
         vpc_prefix_list ip_version, slb_acl ip_version, network_acl *_acl_entries.*, \
         network_acl_entries *.entry_type, security_group_rule nic_type, \
         security_group_rule source_group_owner_account, alb_rule rule_actions.type, \
         alb_rule rule_actions.traffic_mirror_config.target_type, kms_instance bind_vpcs.*, \
         ecs_network_interface_attachment trunk_network_instance_id, ecs_network_interface_attachment wait_*, \
         eip_address internet_charge_type",
    ),
    (
        "a rule narrows nothing by what a client can write, and a balancer's own answers go to the client (decision 11)",
        "alb_rule rule_actions.order, alb_rule rule_actions.*_config.*, alb_rule rule_conditions.*, \
         slb_rule domain, slb_rule url, alb_rule direction",
    ),
    (
        "the cloud takes no address outside of the VPC without it",
        "alb_server_group servers.remote_ip_enabled",
    ),
    (
        "which of several learned routes is preferred: any of them may be in use (A-TR-1)",
        "cen_route_map preference, cen_route_map prepend_as_path, cen_route_map community_operate_mode, \
         cen_route_map operate_community_set, cen_route_map as_path_match_mode, cen_route_map community_match_mode",
    ),
    (
        "what a site does with routes that it learns is its own matter (A-LINK-1)",
        "cen_transit_router_vpn_attachment auto_publish_route_enabled",
    ),
    (
        "keeps the two directions of a flow in one zone, or carries multicast, which is not counted",
        "cen_transit_router_vpc_attachment options.appliance_mode_support, cen_transit_router support_multicast",
    ),
    (
        "how the line or the tunnel is made, not what goes through it",
        "* ike_config.*, * ipsec_config.*, * *tunnel_bgp_config.*, * bgp_config.local_*, * bgp_config.tunnel_cidr, \
         * tunnel_options_specification.*, * effect_immediately, * enable_nat_traversal, \
         express_connect_router_express_connect_router alibaba_side_asn, \
         express_connect_router_express_connect_router regions.*, \
         vpn_gateway_vco_route overlay_mode, express_connect_virtual_border_router *_ip, \
         express_connect_virtual_border_router *_mask, express_connect_virtual_border_router circuit_code, \
         express_connect_virtual_border_router physical_connection_id, express_connect_virtual_border_router vlan_id, \
         express_connect_virtual_border_router associated_physical_connections, \
         express_connect_virtual_border_router include_cross_account_vbr, \
         express_connect_virtual_border_router enable_ipv6, ssl_vpn_server cipher, ssl_vpn_server compress, \
         ssl_vpn_server port, ssl_vpn_server protocol, *router_interface health_check_*_ip",
    ),
    (
        "which network a VPN gateway or its connections are reached from: what comes out is the same",
        "vpn_* network_type",
    ),
    (
        "which of several addresses a connection leaves from, or whether the gateway itself answers a ping",
        "snat_entry eip_affinity, nat_gateway icmp_reply_enabled, forward_entry port_break",
    ),
    (
        "what comes back from a gateway load balancer is what went there; whom it picks makes no difference (decision 21)",
        "gwlb_load_balancer zone_mappings.*, gwlb_load_balancer address_ip_version, gwlb_load_balancer vpc_id, \
         gwlb_server_group servers.*, gwlb_server_group vpc_id, \
         gwlb_server_group scheduler, gwlb_server_group protocol, gwlb_server_group server_*, \
         gwlb_server_group health_check_config.*, gwlb_server_group connection_drain_config.*",
    ),
    (
        "the block of an address, which is read where it is declared",
        "vpc_nat_ip nat_ip_cidr, vpc_nat_ip nat_ip_cidr_id",
    ),
    (
        "with an activated IPv4 gateway the cloud takes one mode only, and without one it makes no difference (§7.2)",
        "nat_gateway eip_bind_mode",
    ),
    (
        "the block counts as not known where it is not written",
        "vpc ipv4_ipam_pool_id, vpc ipv4_cidr_mask, vpc is_default, vpc secondary_cidr_mask, \
         vpc_ipv4_cidr_block ipv4_ipam_pool_id, vpc_ipv4_cidr_block secondary_cidr_mask, vpc_ipv6_cidr_block ipv6_*, \
         vswitch is_default",
    ),
    (
        "names and the end of the gateway, not packets",
        "vpc dns_hostname_status, vpc_ipv4_gateway internet_mode",
    ),
    (
        "a proxy in front of the VPC is not followed: it sends from addresses of outside (decision 15)",
        "waf_domain *, wafv3_domain *, ddoscoo_domain_resource *, ddoscoo_port backend_port",
    ),
    (
        "how domains are resolved: a policy by domain may match anything; and a field of the API that is no longer used",
        "cloud_firewall_*control_policy domain_resolve_type, \
         cloud_firewall_control_policy source_ip",
    ),
    (
        "which firewall there is and how traffic gets there: it is judged by its routes and switches",
        "cloud_firewall_instance* sdl, cloud_firewall_instance* product_*, cloud_firewall_instance account_number, cloud_firewall_instance_v2 sdl, cloud_firewall_instance_v2 product_*, cloud_firewall_instance auto_asset_protection, \
         cloud_firewall_instance cfw_*, cloud_firewall_nat_firewall vswitch_*, \
         cloud_firewall_nat_firewall nat_route_entry_list.nexthop_*, cloud_firewall_vpc_cen_tr_firewall *cidr, \
         cloud_firewall_vpc_cen_tr_firewall route_mode",
    ),
    (
        "a list by tags is not known whatever they are",
        "cloud_firewall_address_book auto_add_tag_ecs, cloud_firewall_address_book tag_relation, \
         cloud_firewall_address_book ecs_tags.*",
    ),
    (
        "an endpoint says itself which addresses it has",
        "privatelink_vpc_endpoint_service address_ip_version, privatelink_vpc_endpoint_service service_support_ipv6",
    ),
    (
        "instances that join a group have their own weights in balancers: they count",
        "ess_attachment load_balancer_weights, ess_eci_scaling_configuration load_balancer_weight",
    ),
    (
        "a field that the cloud ignores (§19.8)",
        "instance allocate_public_ip",
    ),
    (
        "what an instance takes from its template counts as not known (decision 16)",
        "instance launch_template_version",
    ),
    (
        "which zones a gateway fails over to is asked when a zone is down (decision 17)",
        "nat_gateway availability_mode",
    ),
    (
        "which balancer and which names lead to the API server, which is an endpoint of its own here",
        "cs_managed_kubernetes control_plane_endpoints_config.*",
    ),
    (
        "an account or a width beside what is read",
        "security_group_rule source_group_owner_id, cloud_firewall_address_book asset_member_uids, \
         vpn_gateway_vpn_attachment tunnel_bandwidth",
    ),
    (
        "what a group or rule of a file system lets do, and which kind of file system it is for: any rule admits",
        "nas_access_group *type, nas_access_rule file_system_type, nas_access_rule priority, \
         nas_access_rule *_access_type",
    ),
    (
        "a list or a group may admit anybody and admits nobody for certain: what it counts for is not documented",
        "rocketmq_instance ip_whitelists, rocketmq_instance network_info.internet_info.ip_whitelist, \
         rocketmq_instance network_info.vpc_info.security_group_ids, rocketmq_instance acl_info.*",
    ),
    (
        "the size, the edition and the price of a service of nested blocks",
        "rocketmq_instance *_code, rocketmq_instance remark, rocketmq_instance product_info.*, \
         rocketmq_instance network_info.internet_info.flow_out_*, rocketmq_instance software.maintain_time, \
         hologram_instance gateway_count, hologram_instance initial_databases, hologram_instance leader_instance_id, \
         hologram_instance status, milvus_instance components.*, milvus_instance configuration, milvus_instance ha, \
         milvus_instance multi_zone_mode, milvus_instance payment_duration*, star_rocks_instance *_node_groups.*, \
         star_rocks_instance package_type, star_rocks_instance promotion_option_no, star_rocks_instance run_mode",
    ),
    (
        "what a service of the platform takes in and sends on: its interfaces are read",
        "event_bridge_* auth_parameters.*, event_bridge_* event_bus_name, event_bridge_* linked_external_source, \
         event_bridge_* source_*, pvtz_endpoint ip_configs.*, pvtz_endpoint vpc_region_id, arms_prometheus cluster_*, \
         arms_prometheus grafana_instance_id, arms_prometheus sub_clusters_json, ecs_image_pipeline *",
    ),
    (
        "the balancer of a server group that is named",
        "ess_scalinggroup_vserver_groups vserver_groups.loadbalancer_id",
    ),
];
