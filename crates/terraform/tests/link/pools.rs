//! Compute that makes its own interfaces, and managed services: ALIBABA.md §14, §15.6, docs/decisions/016.

use super::*;
use bartizan_model::{AllowPeer, Backend, Balancer, Fact, Interface, Understanding};

fn of<'i>(inv: &'i Inventory, address: &str) -> Vec<&'i Interface> {
    let mine = |i: &&Interface| &*i.meta.origin.address == address;
    inv.typed.interfaces.iter().filter(mine).collect()
}

fn balancer<'i>(inv: &'i Inventory, address: &str) -> &'i Balancer {
    let mut all = inv.typed.balancers.iter();
    all.find(|b| &*b.meta.origin.address == address).unwrap()
}

fn not_understood(inv: &Inventory) -> Vec<String> {
    let all = inv.resources.iter();
    let open = all.filter(|r| matches!(r.understanding, Understanding::NotUnderstood(_)));
    open.map(|r| r.address.to_string()).collect()
}

fn anywhere(i: &Interface) -> bool {
    matches!(
        i.addresses[..],
        [Address {
            spec: AddressSpec::AnyV4(_),
            ..
        }]
    )
}

// 016, items 11 and 12: two at any address of each vSwitch, with the groups and public addresses of the configuration.
#[test]
fn a_scaling_group_is_two_instances_in_each_of_its_vswitches() {
    let inv = base(
        r#"
resource "alicloud_ess_scaling_group" "s" {
  scaling_group_name = "web"
  min_size           = 1
  max_size           = 9
  vswitch_ids        = [alicloud_vswitch.a.id, alicloud_vswitch.b.id]
  loadbalancer_ids   = [alicloud_slb_load_balancer.l.id]
}
resource "alicloud_ess_scaling_configuration" "c" {
  scaling_group_id           = alicloud_ess_scaling_group.s.id
  security_group_id          = alicloud_security_group.g.id
  internet_max_bandwidth_out = 5
  tags                       = { tier = "web" }
}
resource "alicloud_slb_load_balancer" "l" {
  load_balancer_name = "l"
  address_type       = "intranet"
  vswitch_id         = alicloud_vswitch.a.id
}
resource "alicloud_slb_listener" "l" {
  load_balancer_id = alicloud_slb_load_balancer.l.id
  protocol         = "tcp"
  frontend_port    = 80
  backend_port     = 8080
}
"#,
    );
    let all = of(&inv, "alicloud_ess_scaling_group.s");
    let at: Vec<u32> = all.iter().map(|i| i.vswitch.known().unwrap().0).collect();
    assert_eq!(at, [0, 0, 1, 1]);
    for i in &all {
        assert_eq!(i.groups, Fact::Known(vec![SecurityGroupId(0)]));
        assert!(anywhere(i) && i.public.len() == 1, "{i:?}");
        // Selected by the tags of what they are made from, too.
        let own = &inv.typed[i.instance.unwrap()].meta;
        assert_eq!(own.tags.known().unwrap()["tier"], Fact::Known("web".into()));
    }
    let servers = &balancer(&inv, "alicloud_slb_load_balancer.l").listeners[0].forwards;
    let servers = servers.iter().filter(|f| matches!(f.to, Backend::Interface(_)));
    assert_eq!(servers.count(), 4);
    assert_eq!(not_understood(&inv), Vec::<String>::new());
}

// 016, item 12: a launch template in place of a configuration.
#[test]
fn a_launch_template_says_what_instances_are_like() {
    let inv = base(
        r#"
resource "alicloud_ecs_launch_template" "t" {
  security_group_ids         = [alicloud_security_group.g.id]
  internet_max_bandwidth_out = 0
}
resource "alicloud_ess_scaling_group" "s" {
  min_size           = 0
  max_size           = 2
  vswitch_ids        = [alicloud_vswitch.a.id]
  launch_template_id = alicloud_ecs_launch_template.t.id
}
"#,
    );
    let all = of(&inv, "alicloud_ess_scaling_group.s");
    assert_eq!(all.len(), 2);
    assert!(
        all.iter()
            .all(|i| i.groups == Fact::Known(vec![SecurityGroupId(0)]) && i.public.is_empty())
    );
}

// 016, items 15 and 16 (§7.5: the API server is public unless that is turned off).
#[test]
fn a_cluster_is_its_api_server_its_nodes_and_its_pods() {
    let cluster = |more: &str| {
        base(&format!(
            r#"
resource "alicloud_cs_managed_kubernetes" "k" {{
  name              = "k"
  vswitch_ids       = [alicloud_vswitch.a.id]
  pod_vswitch_ids   = [alicloud_vswitch.b.id]
  security_group_id = alicloud_security_group.g.id
{more}
}}
resource "alicloud_cs_kubernetes_node_pool" "n" {{
  node_pool_name = "n"
  cluster_id     = alicloud_cs_managed_kubernetes.k.id
  vswitch_ids    = [alicloud_vswitch.a.id]
}}
"#
        ))
    };
    let inv = cluster("  new_nat_gateway = false");
    let api = balancer(&inv, "alicloud_cs_managed_kubernetes.k");
    let front = &inv.typed[api.fronts[0]];
    assert_eq!(front.public.len(), 1);
    assert!(
        api.listeners[0]
            .services
            .known()
            .unwrap()
            .contains(bartizan_packet::Proto::TCP, 6443)
    );
    let nodes = of(&inv, "alicloud_cs_kubernetes_node_pool.n");
    assert_eq!(nodes.len(), 2);
    assert!(
        nodes
            .iter()
            .all(|i| i.groups == Fact::Known(vec![SecurityGroupId(0)]) && anywhere(i))
    );
    // The front, the server behind it, and two pods.
    assert_eq!(of(&inv, "alicloud_cs_managed_kubernetes.k").len(), 4);
    assert_eq!(not_understood(&inv), Vec::<String>::new());
    let inv = cluster("  slb_internet_enabled = false");
    let api = balancer(&inv, "alicloud_cs_managed_kubernetes.k");
    assert!(inv.typed[api.fronts[0]].public.is_empty());
}

// 016, item 16: groups that the cluster makes are not known.
#[test]
fn groups_that_a_cluster_makes_are_not_known() {
    let inv = base(
        r#"
resource "alicloud_cs_managed_kubernetes" "k" {
  name        = "k"
  vswitch_ids = [alicloud_vswitch.a.id]
}
resource "alicloud_cs_kubernetes_node_pool" "n" {
  cluster_id  = alicloud_cs_managed_kubernetes.k.id
  vswitch_ids = [alicloud_vswitch.a.id]
}
"#,
    );
    let nodes = of(&inv, "alicloud_cs_kubernetes_node_pool.n");
    assert!(!nodes.is_empty() && nodes.iter().all(|i| i.groups.known().is_none()));
}

// 016, items 13 and 14.
#[test]
fn container_groups_and_functions_have_interfaces() {
    let inv = base(
        r#"
resource "alicloud_eci_container_group" "e" {
  container_group_name = "e"
  vswitch_id           = alicloud_vswitch.a.id
  security_group_id    = alicloud_security_group.g.id
  auto_create_eip      = true
}
resource "alicloud_fcv3_function" "f" {
  function_name   = "f"
  internet_access = false
  vpc_config {
    vswitch_ids       = [alicloud_vswitch.a.id]
    security_group_id = alicloud_security_group.g.id
  }
}
resource "alicloud_fcv3_function" "alone" { function_name = "alone" }
resource "alicloud_fcv3_function" "open" {
  function_name = "open"
  vpc_config {
    vswitch_ids       = [alicloud_vswitch.a.id]
    security_group_id = alicloud_security_group.g.id
  }
}
"#,
    );
    let [e] = of(&inv, "alicloud_eci_container_group.e")[..] else {
        panic!()
    };
    assert_eq!(e.public.len(), 1);
    assert_eq!(of(&inv, "alicloud_fcv3_function.f").len(), 2);
    assert!(of(&inv, "alicloud_fcv3_function.alone").is_empty());
    assert_eq!(not_understood(&inv), ["alicloud_fcv3_function.open"]);
}

fn allows(inv: &Inventory, address: &str) -> Vec<String> {
    let mut all = inv.typed.data_services.iter();
    let d = all.find(|d| &*d.meta.origin.address == address).unwrap();
    let text = |e: &bartizan_model::AllowEntry| {
        let peer = match &e.peer {
            AllowPeer::Net(n) => n.to_string(),
            AllowPeer::Group(g) => inv.typed[*g].meta.origin.address.to_string(),
            AllowPeer::ForeignGroup(g) => g.to_string(),
            AllowPeer::Unknown(_) => "unknown".to_string(),
        };
        format!("{peer}{}", if e.origin.maybe.is_some() { " ?" } else { "" })
    };
    d.allow.iter().map(text).collect()
}

// 016, item 17: the pattern of the databases; what is not written is not known.
#[test]
fn managed_services_follow_the_pattern_of_the_databases() {
    let inv = base(
        r#"
resource "alicloud_gpdb_instance" "g" {
  vswitch_id = alicloud_vswitch.a.id
  ip_whitelist { security_ip_list = "10.1.0.0/16,10.2.0.5" }
}
resource "alicloud_elasticsearch_instance" "e" {
  vswitch_id        = alicloud_vswitch.a.id
  private_whitelist = ["10.1.0.0/16"]
  public_whitelist  = ["203.0.113.0/24"]
  enable_public     = true
  kibana_private_security_group_id = alicloud_security_group.g.id
}
resource "alicloud_alikafka_instance" "k" {
  vswitch_ids    = [alicloud_vswitch.a.id, alicloud_vswitch.b.id]
  security_group = alicloud_security_group.g.id
  eip_max        = 3
}
resource "alicloud_kms_instance" "s" { vswitch_ids = [alicloud_vswitch.b.id] }
"#,
    );
    assert_eq!(
        allows(&inv, "alicloud_gpdb_instance.g"),
        ["10.1.0.0/16", "10.2.0.5/32"]
    );
    assert_eq!(
        allows(&inv, "alicloud_elasticsearch_instance.e"),
        ["10.1.0.0/16", "203.0.113.0/24 ?", "alicloud_security_group.g ?"]
    );
    assert_eq!(
        allows(&inv, "alicloud_alikafka_instance.k"),
        ["alicloud_security_group.g", "unknown"]
    );
    assert_eq!(allows(&inv, "alicloud_kms_instance.s"), ["unknown"]);
    assert_eq!(of(&inv, "alicloud_alikafka_instance.k").len(), 2);
    let public = |a: &str| of(&inv, a).iter().all(|i| i.public.len() == 1);
    assert!(public("alicloud_alikafka_instance.k") && public("alicloud_elasticsearch_instance.e"));
    assert!(!public("alicloud_gpdb_instance.g"));
    assert_eq!(not_understood(&inv), Vec::<String>::new());
}

// 016, item 17: lists and public sides that are resources of their own.
#[test]
fn lists_and_public_sides_of_their_own_join_their_service() {
    let inv = base(
        r#"
resource "alicloud_gpdb_instance" "g" {
  vswitch_id       = alicloud_vswitch.a.id
  security_ip_list = ["10.1.0.1"]
}
resource "alicloud_gpdb_connection" "c" { instance_id = alicloud_gpdb_instance.g.id }
resource "alicloud_gpdb_db_instance_ip_array" "x" {
  db_instance_id         = alicloud_gpdb_instance.g.id
  db_instance_ip_array_name = "x"
  security_ip_list       = ["10.2.0.0/16"]
}
"#,
    );
    assert_eq!(
        allows(&inv, "alicloud_gpdb_instance.g"),
        ["10.1.0.1/32", "10.2.0.0/16"]
    );
    assert_eq!(of(&inv, "alicloud_gpdb_instance.g")[0].public.len(), 1);
}

// §14, §15.6: what opens ways that no model follows is not understood, and nothing may rest on it.
#[test]
fn what_opens_ways_that_are_not_followed_is_not_understood() {
    let inv = base(
        r#"
resource "alicloud_ess_scaling_group" "s" {
  scaling_group_name = "web"
  min_size           = 1
  max_size           = 9
  vswitch_ids        = [alicloud_vswitch.a.id]
}
resource "alicloud_ess_scaling_configuration" "six" {
  scaling_group_id  = alicloud_ess_scaling_group.s.id
  security_group_id = alicloud_security_group.g.id
  network_interfaces {
    instance_type      = "Primary"
    ipv6_address_count = 1
  }
}
resource "alicloud_kms_instance" "k" {
  instance_name = "k"
  vswitch_ids   = [alicloud_vswitch.a.id]
  bind_vpcs {
    vpc_id     = "vpc-other"
    vswitch_id = "vsw-other"
  }
}"#,
    );
    assert_eq!(
        not_understood(&inv),
        [
            "alicloud_ess_scaling_configuration.six",
            "alicloud_kms_instance.k"
        ]
    );
}

// 016, item 12: members join the server groups that a resource lists.
#[test]
fn members_join_the_server_groups_of_a_clb() {
    let inv = base(
        r#"
resource "alicloud_ess_scaling_group" "s" {
  scaling_group_name = "web"
  min_size           = 1
  max_size           = 9
  vswitch_ids        = [alicloud_vswitch.a.id]
}
resource "alicloud_ess_scaling_configuration" "c" {
  scaling_group_id  = alicloud_ess_scaling_group.s.id
  security_group_id = alicloud_security_group.g.id
}
resource "alicloud_slb_load_balancer" "l" {
  address_type = "intranet"
  vswitch_id   = alicloud_vswitch.a.id
}
resource "alicloud_slb_server_group" "g" { load_balancer_id = alicloud_slb_load_balancer.l.id }
resource "alicloud_slb_listener" "l" {
  load_balancer_id = alicloud_slb_load_balancer.l.id
  protocol         = "tcp"
  frontend_port    = 80
  server_group_id  = alicloud_slb_server_group.g.id
}
resource "alicloud_ess_scalinggroup_vserver_groups" "v" {
  scaling_group_id = alicloud_ess_scaling_group.s.id
  vserver_groups {
    loadbalancer_id = alicloud_slb_load_balancer.l.id
    vserver_attributes {
      vserver_group_id = alicloud_slb_server_group.g.id
      port             = 8080
      weight           = 60
    }
  }
}
"#,
    );
    let l = &balancer(&inv, "alicloud_slb_load_balancer.l").listeners[0];
    assert_eq!(l.forwards.len(), 2);
    for f in &l.forwards {
        let Backend::Interface(x) = f.to else {
            panic!("{f:?}")
        };
        assert_eq!(&*inv.typed[x].meta.origin.address, "alicloud_ess_scaling_group.s");
        assert_eq!(
            f.services.known().unwrap().as_ref().unwrap().to_string(),
            "tcp/8080"
        );
        assert!(f.origin.maybe.is_none());
    }
}

fn admits(inv: &Inventory, address: &str) -> Vec<String> {
    let mut all = inv.typed.data_services.iter();
    let d = all.find(|d| &*d.meta.origin.address == address).unwrap();
    let one = |e: &bartizan_model::AllowEntry| match &e.peer {
        AllowPeer::Net(n) if e.origin.maybe.is_some() => format!("{n}?"),
        AllowPeer::Net(n) => n.to_string(),
        _ => "?".to_string(),
    };
    d.allow.iter().map(one).collect()
}

// 016, item 18: a mount target admits by the rules of its access group.
#[test]
fn a_mount_target_admits_by_the_rules_of_its_group() {
    let inv = base(
        r#"
resource "alicloud_nas_access_group" "g" {
  access_group_name = "apps"
  access_group_type = "Vpc"
}
resource "alicloud_nas_access_group" "empty" { access_group_name = "empty" }
resource "alicloud_nas_access_rule" "a" {
  access_group_name = alicloud_nas_access_group.g.access_group_name
  source_cidr_ip    = "10.1.0.0/24"
}
resource "alicloud_nas_access_rule" "b" {
  access_group_name = "apps"
  source_cidr_ip    = "10.2.0.0/24"
}
resource "alicloud_nas_access_rule" "c" {
  access_group_name = var.unknown
  source_cidr_ip    = "10.3.0.0/24"
}
resource "alicloud_nas_mount_target" "m" {
  file_system_id    = "fs-1"
  access_group_name = alicloud_nas_access_group.g.access_group_name
  vswitch_id        = alicloud_vswitch.a.id
}
resource "alicloud_nas_mount_target" "e" {
  file_system_id    = "fs-1"
  access_group_name = "empty"
  vswitch_id        = alicloud_vswitch.a.id
}
resource "alicloud_nas_mount_target" "all" {
  file_system_id    = "fs-1"
  access_group_name = "DEFAULT_VPC_GROUP_NAME"
  vswitch_id        = alicloud_vswitch.a.id
}
resource "alicloud_nas_mount_target" "other" {
  file_system_id    = "fs-1"
  access_group_name = "elsewhere"
  vswitch_id        = alicloud_vswitch.a.id
}
"#,
    );
    let of = |name: &str| admits(&inv, &format!("alicloud_nas_mount_target.{name}"));
    assert_eq!(of("m"), ["10.1.0.0/24", "10.2.0.0/24", "10.3.0.0/24?"]);
    assert_eq!(of("e"), ["10.3.0.0/24?"]);
    assert_eq!(of("all"), ["0.0.0.0/0"]);
    assert_eq!(of("other"), ["?"]);
}

// 016, item 18: services that write their vSwitches in blocks.
#[test]
fn services_of_nested_blocks_answer_in_their_vswitches() {
    let inv = base(
        r#"
resource "alicloud_rocketmq_instance" "q" {
  instance_name = "q"
  network_info {
    vpc_info {
      vpc_id = alicloud_vpc.v.id
      vswitches { vswitch_id = alicloud_vswitch.a.id }
      vswitches { vswitch_id = alicloud_vswitch.b.id }
    }
    internet_info {
      internet_spec = "enable"
      flow_out_type = "payByBandwidth"
    }
  }
}
resource "alicloud_hologram_instance" "h" {
  instance_name = "h"
  endpoints {
    type       = "VPCSingleTunnel"
    vswitch_id = alicloud_vswitch.a.id
  }
}
resource "alicloud_hologram_instance" "wide" {
  instance_name = "wide"
  endpoints {
    type       = "VPCSingleTunnel"
    vswitch_id = alicloud_vswitch.a.id
  }
  endpoints { type = "Intranet" }
}
resource "alicloud_star_rocks_instance" "s" {
  instance_name = "s"
  vswitches { vswitch_id = alicloud_vswitch.b.id }
}
resource "alicloud_milvus_instance" "m" {
  instance_name = "m"
  vswitch_ids { vsw_id = alicloud_vswitch.b.id }
}
resource "alicloud_milvus_instance" "nowhere" {
  instance_name = "nowhere"
  vswitch_ids { vsw_id = var.unknown }
}
"#,
    );
    let at = |a: &str| -> Vec<(Option<u32>, usize)> {
        let all = of(&inv, a).into_iter();
        all.map(|i| (i.vswitch.known().map(|v| v.0), i.public.len()))
            .collect()
    };
    assert_eq!(at("alicloud_rocketmq_instance.q"), [(Some(0), 1), (Some(1), 1)]);
    assert_eq!(at("alicloud_hologram_instance.h"), [(Some(0), 0)]);
    assert_eq!(at("alicloud_star_rocks_instance.s"), [(Some(1), 0)]);
    assert_eq!(at("alicloud_milvus_instance.m"), [(Some(1), 0)]);
    assert_eq!(at("alicloud_milvus_instance.nowhere"), [(None, 0)]);
    assert_eq!(admits(&inv, "alicloud_rocketmq_instance.q"), ["?"]);
    assert_eq!(not_understood(&inv), ["alicloud_hologram_instance.wide"]);
}

/// §14: nodes of a cluster that is not modelled are in their vSwitches, with groups that are not known.
#[test]
fn a_node_pool_of_another_kind_of_cluster_is_no_error() {
    let pool = |cluster: &str| {
        base(&format!(
            "resource \"alicloud_cs_edge_kubernetes\" \"e\" {{}}
            resource \"alicloud_cs_kubernetes_node_pool\" \"n\" {{
              cluster_id  = {cluster}
              vswitch_ids = [alicloud_vswitch.b.id]
            }}"
        ))
    };
    let inv = pool("alicloud_cs_edge_kubernetes.e.id");
    assert!(
        codes(&inv, Severity::Error).is_empty(),
        "{:?}",
        codes(&inv, Severity::Error)
    );
    let node = inv
        .typed
        .interfaces
        .iter()
        .find(|i| i.meta.origin.address.contains("node_pool"));
    assert!(node.is_some_and(|n| n.groups.known().is_none() && n.vswitch.known().is_some()));
    assert!(matches!(
        understanding(&inv, "alicloud_cs_edge_kubernetes.e"),
        Understanding::NotUnderstood(_)
    ));
    assert!(!codes(&pool("alicloud_vpc.v.id"), Severity::Error).is_empty());
}

/// §15.6: members have the groups of their first interface, which an unknown block may write.
#[test]
fn interfaces_of_members_that_are_not_known_leave_their_groups_open() {
    let groups = |cards: &str| {
        let inv = base(&format!(
            "resource \"alicloud_ess_scaling_group\" \"s\" {{
              min_size    = 1
              max_size    = 9
              vswitch_ids = [alicloud_vswitch.a.id]
            }}
            resource \"alicloud_ess_scaling_configuration\" \"c\" {{
              scaling_group_id  = alicloud_ess_scaling_group.s.id
              security_group_id = alicloud_security_group.g.id
              {cards}
            }}"
        ));
        let all = inv.typed.interfaces.iter();
        let mine = all.filter(|i| i.meta.origin.address.contains("alicloud_ess"));
        let known: Vec<bool> = mine.map(|i| i.groups.known().is_some()).collect();
        assert!(!known.is_empty());
        known.iter().all(|k| *k)
    };
    assert!(groups(""));
    let unknown = "dynamic \"network_interfaces\" {
      for_each = var.unknown
      content {
        security_group_ids = [network_interfaces.value]
      }
    }";
    assert!(!groups(unknown));
}
