resource "alicloud_cen_instance" "main" {
  cen_instance_name = "ent"
}

resource "alicloud_cen_transit_router" "main" {
  transit_router_name = "ent"
  cen_id              = alicloud_cen_instance.main.id
}

resource "alicloud_cen_transit_router_vpc_attachment" "main" {
  for_each                           = { dmz = "dmz-tr", security = "sec-tr", prod = "prod-tr", stage = "stage-tr", dev = "dev-tr" }
  transit_router_vpc_attachment_name = "ent-${each.key}"
  cen_id                             = alicloud_cen_instance.main.id
  transit_router_id                  = alicloud_cen_transit_router.main.transit_router_id
  vpc_id                             = alicloud_vpc.main[each.key].id
  auto_publish_route_enabled         = false

  zone_mappings {
    zone_id    = alicloud_vswitch.main[each.value].zone_id
    vswitch_id = alicloud_vswitch.main[each.value].id
  }
}

# What comes from a spoke knows one way: to the firewall.
resource "alicloud_cen_transit_router_route_table" "spokes" {
  transit_router_route_table_name = "spokes"
  transit_router_id               = alicloud_cen_transit_router.main.transit_router_id
}

resource "alicloud_cen_transit_router_route_table_association" "spokes" {
  for_each                      = local.spokes
  transit_router_route_table_id = alicloud_cen_transit_router_route_table.spokes.transit_router_route_table_id
  transit_router_attachment_id  = alicloud_cen_transit_router_vpc_attachment.main[each.key].transit_router_attachment_id
}

resource "alicloud_cen_transit_router_route_entry" "to_firewall" {
  transit_router_route_table_id                     = alicloud_cen_transit_router_route_table.spokes.transit_router_route_table_id
  transit_router_route_entry_destination_cidr_block = "0.0.0.0/0"
  transit_router_route_entry_next_hop_type          = "Attachment"
  transit_router_route_entry_next_hop_id            = alicloud_cen_transit_router_vpc_attachment.main["security"].transit_router_attachment_id
}

# What comes from the firewall knows every spoke.
resource "alicloud_cen_transit_router_route_table" "security" {
  transit_router_route_table_name = "security"
  transit_router_id               = alicloud_cen_transit_router.main.transit_router_id
}

resource "alicloud_cen_transit_router_route_table_association" "security" {
  transit_router_route_table_id = alicloud_cen_transit_router_route_table.security.transit_router_route_table_id
  transit_router_attachment_id  = alicloud_cen_transit_router_vpc_attachment.main["security"].transit_router_attachment_id
}

resource "alicloud_cen_transit_router_route_table_propagation" "security" {
  for_each                      = local.spokes
  transit_router_route_table_id = alicloud_cen_transit_router_route_table.security.transit_router_route_table_id
  transit_router_attachment_id  = alicloud_cen_transit_router_vpc_attachment.main[each.key].transit_router_attachment_id
}

# Every spoke sends what is not its own to the transit router.
resource "alicloud_route_entry" "spoke" {
  for_each              = local.spokes
  route_table_id        = alicloud_vpc.main[each.key].route_table_id
  destination_cidrblock = "0.0.0.0/0"
  nexthop_type          = "Attachment"
  nexthop_id            = alicloud_cen_transit_router_vpc_attachment.main[each.key].transit_router_attachment_id
}
