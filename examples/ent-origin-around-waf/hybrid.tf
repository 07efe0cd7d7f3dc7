# The office, by VPN from development, and the data centre, by a dedicated line to the VPC of the records. What is behind
# the two links is said in enterprise.btz: Terraform does not know it.
resource "alicloud_vpn_gateway" "office" {
  vpn_gateway_name = "ent-office"
  vpc_id           = alicloud_vpc.main["dev"].id
  vswitch_id       = alicloud_vswitch.main["dev-box"].id
  bandwidth        = 100
  enable_ipsec     = true
}

resource "alicloud_vpn_customer_gateway" "office" {
  customer_gateway_name = "office"
  ip_address            = "198.51.100.1"
}

resource "alicloud_vpn_connection" "office" {
  vpn_connection_name = "ent-office"
  vpn_gateway_id      = alicloud_vpn_gateway.office.id
  customer_gateway_id = alicloud_vpn_customer_gateway.office.id
  local_subnet        = [local.vpcs.dev]
  remote_subnet       = ["10.0.0.0/8"]
  auto_config_route   = false
}

resource "alicloud_vpn_route_entry" "office" {
  vpn_gateway_id = alicloud_vpn_gateway.office.id
  next_hop       = alicloud_vpn_connection.office.id
  route_dest     = "10.200.0.0/16"
  weight         = 100
  publish_vpc    = true
}

# Development may use what the office serves, and nothing else there.
resource "alicloud_security_group_rule" "dev_to_office" {
  security_group_id = alicloud_security_group.tier["dev"].id
  type              = "egress"
  ip_protocol       = "tcp"
  port_range        = "443/443"
  priority          = 1
  cidr_ip           = "10.200.0.0/16"
}

resource "alicloud_security_group_rule" "dev_to_office_drop" {
  security_group_id = alicloud_security_group.tier["dev"].id
  type              = "egress"
  policy            = "drop"
  ip_protocol       = "all"
  port_range        = "-1/-1"
  priority          = 2
  cidr_ip           = "10.200.0.0/16"
}

# The records are in a VPC of their own: not at the transit router.
resource "alicloud_vpc" "records" {
  vpc_name   = "ent-records"
  cidr_block = "10.40.0.0/16"
}

resource "alicloud_vswitch" "records" {
  vswitch_name = "ent-records"
  vpc_id       = alicloud_vpc.records.id
  cidr_block   = "10.40.1.0/24"
  zone_id      = local.zones.a
}

resource "alicloud_security_group" "records" {
  security_group_name = "ent-records"
  vpc_id              = alicloud_vpc.records.id
  security_group_type = "enterprise"
}

resource "alicloud_security_group_rule" "records" {
  security_group_id = alicloud_security_group.records.id
  type              = "ingress"
  ip_protocol       = "tcp"
  port_range        = "443/443"
  cidr_ip           = "10.0.0.0/8"
}

resource "alicloud_instance" "records" {
  instance_name     = "records-1"
  instance_type     = "ecs.g7.large"
  image_id          = "aliyun_3_x64_20G_alibase_20260115.vhd"
  vswitch_id        = alicloud_vswitch.records.id
  private_ip        = "10.40.1.11"
  security_groups   = [alicloud_security_group.records.id]
  source_dest_check = true
}

resource "alicloud_express_connect_physical_connection" "dc" {
  access_point_id = "ap-cn-hangzhou-xs-B"
  line_operator   = "CT"
}

resource "alicloud_express_connect_virtual_border_router" "dc" {
  virtual_border_router_name = "ent-dc"
  physical_connection_id     = alicloud_express_connect_physical_connection.dc.id
  vlan_id                    = 100
  local_gateway_ip           = "10.255.0.1"
  peer_gateway_ip            = "10.255.0.2"
  peering_subnet_mask        = "255.255.255.252"
}

resource "alicloud_router_interface" "records" {
  opposite_region = "cn-hangzhou"
  router_type     = "VRouter"
  router_id       = alicloud_vpc.records.router_id
  role            = "AcceptingSide"
}

resource "alicloud_router_interface" "dc" {
  opposite_region = "cn-hangzhou"
  router_type     = "VBR"
  router_id       = alicloud_express_connect_virtual_border_router.dc.id
  role            = "InitiatingSide"
  specification   = "Middle.1"
}

resource "alicloud_router_interface_connection" "dc" {
  interface_id          = alicloud_router_interface.dc.id
  opposite_interface_id = alicloud_router_interface.records.id
}

resource "alicloud_route_entry" "records_to_dc" {
  route_table_id        = alicloud_vpc.records.route_table_id
  destination_cidrblock = "10.0.0.0/8"
  nexthop_type          = "RouterInterface"
  nexthop_id            = alicloud_router_interface.records.id
}

resource "alicloud_route_entry" "dc_to_records" {
  route_table_id        = alicloud_express_connect_virtual_border_router.dc.route_table_id
  destination_cidrblock = "10.40.0.0/16"
  nexthop_type          = "RouterInterface"
  nexthop_id            = alicloud_router_interface.dc.id
}
