# The security VPC: transit router -> firewall -> transit router, or -> NAT gateway.
resource "alicloud_route_table" "security" {
  for_each         = toset(["sec-tr", "sec-fw", "sec-nat", "sec-admin"])
  route_table_name = "ent-${each.key}"
  vpc_id           = alicloud_vpc.main["security"].id
}

resource "alicloud_route_table_attachment" "security" {
  for_each       = alicloud_route_table.security
  route_table_id = each.value.id
  vswitch_id     = alicloud_vswitch.main[each.key].id
}

locals {
  to_firewall = {
    sec-tr    = "0.0.0.0/0"
    sec-nat   = "10.0.0.0/8"
    sec-admin = "10.0.0.0/8"
  }
}

resource "alicloud_route_entry" "to_firewall" {
  for_each              = local.to_firewall
  route_table_id        = alicloud_route_table.security[each.key].id
  destination_cidrblock = each.value
  nexthop_type          = "Instance"
  nexthop_id            = alicloud_instance.host["fw-1"].id
}

resource "alicloud_route_entry" "firewall_inside" {
  route_table_id        = alicloud_route_table.security["sec-fw"].id
  destination_cidrblock = "10.0.0.0/8"
  nexthop_type          = "Attachment"
  nexthop_id            = alicloud_cen_transit_router_vpc_attachment.main["security"].transit_router_attachment_id
}

resource "alicloud_route_entry" "firewall_outside" {
  route_table_id        = alicloud_route_table.security["sec-fw"].id
  destination_cidrblock = "0.0.0.0/0"
  nexthop_type          = "NatGateway"
  nexthop_id            = alicloud_nat_gateway.egress.id
}

# The only way out.
resource "alicloud_nat_gateway" "egress" {
  nat_gateway_name = "ent-egress"
  vpc_id           = alicloud_vpc.main["security"].id
  vswitch_id       = alicloud_vswitch.main["sec-nat"].id
  nat_type         = "Enhanced"
}

resource "alicloud_eip_address" "egress" {
  address_name = "ent-egress"
}

resource "alicloud_eip_association" "egress" {
  allocation_id = alicloud_eip_address.egress.id
  instance_id   = alicloud_nat_gateway.egress.id
}

resource "alicloud_snat_entry" "egress" {
  snat_table_id = alicloud_nat_gateway.egress.snat_table_ids
  source_cidr   = local.vpcs.prod
  snat_ip       = alicloud_eip_address.egress.ip_address
}
