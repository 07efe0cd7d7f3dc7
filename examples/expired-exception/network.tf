resource "alicloud_vpc" "prod" {
  vpc_name        = "prod-shop"
  cidr_block      = "10.10.0.0/16"
  enable_ipv6     = true
  ipv6_cidr_block = "2001:db8:ab00::/56"
}

resource "alicloud_vswitch" "tier" {
  for_each             = local.tiers
  vswitch_name         = "shop-${each.key}"
  vpc_id               = alicloud_vpc.prod.id
  zone_id              = var.zone_id
  cidr_block           = local.cidrs[each.key]
  enable_ipv6          = each.key == "bastion"
  ipv6_cidr_block_mask = each.key == "bastion" ? each.value.subnet : null
}

resource "alicloud_vswitch" "edge" {
  vswitch_name = "shop-edge"
  vpc_id       = alicloud_vpc.prod.id
  zone_id      = var.zone_id
  cidr_block   = "10.10.250.0/24"
}

# Outbound traffic of the application leaves through a NAT gateway.
resource "alicloud_nat_gateway" "egress" {
  nat_gateway_name = "shop-egress"
  vpc_id           = alicloud_vpc.prod.id
  vswitch_id       = alicloud_vswitch.edge.id
  nat_type         = "Enhanced"
}

resource "alicloud_eip_address" "egress" {
  address_name = "shop-egress"
}

resource "alicloud_eip_association" "egress" {
  allocation_id = alicloud_eip_address.egress.id
  instance_id   = alicloud_nat_gateway.egress.id
}

resource "alicloud_snat_entry" "egress" {
  snat_table_id = alicloud_nat_gateway.egress.snat_table_ids
  source_cidr   = alicloud_vpc.prod.cidr_block
  snat_ip       = alicloud_eip_address.egress.ip_address
}

# The application's own route table: the default route leads to the NAT gateway.
resource "alicloud_route_table" "app" {
  route_table_name = "shop-app"
  vpc_id           = alicloud_vpc.prod.id
}

resource "alicloud_route_table_attachment" "app" {
  route_table_id = alicloud_route_table.app.id
  vswitch_id     = alicloud_vswitch.tier["app"].id
}

resource "alicloud_vpc_route_entry" "app_default" {
  route_table_id         = alicloud_route_table.app.id
  destination_cidr_block = "0.0.0.0/0"
  nexthop_type           = "NatGateway"
  nexthop_id             = alicloud_nat_gateway.egress.id
}

# The databases' own route table has no way out.
resource "alicloud_route_table" "db" {
  route_table_name = "shop-db"
  vpc_id           = alicloud_vpc.prod.id
}

resource "alicloud_route_table_attachment" "db" {
  route_table_id = alicloud_route_table.db.id
  vswitch_id     = alicloud_vswitch.tier["db"].id
}

# Public addresses: one for each web host, one for the bastion.
resource "alicloud_eip_address" "public" {
  for_each     = toset([for name, h in local.hosts : name if contains(["web", "bastion"], h.tier)])
  address_name = "shop-${each.key}"
}

resource "alicloud_eip_association" "public" {
  for_each      = alicloud_eip_address.public
  allocation_id = each.value.id
  instance_id   = alicloud_instance.host[each.key].id
}

# The bastion also has an IPv6 address with Internet bandwidth.
resource "alicloud_vpc_ipv6_gateway" "prod" {
  ipv6_gateway_name = "prod-shop"
  vpc_id            = alicloud_vpc.prod.id
}

resource "alicloud_vpc_ipv6_address" "bastion" {
  vswitch_id   = alicloud_vswitch.tier["bastion"].id
  ipv6_address = "2001:db8:ab00:4::10"
}

resource "alicloud_vpc_ipv6_internet_bandwidth" "bastion" {
  ipv6_gateway_id = alicloud_vpc_ipv6_gateway.prod.id
  ipv6_address_id = alicloud_vpc_ipv6_address.bastion.id
  bandwidth       = 5
}

# The development VPC is connected to nothing.
resource "alicloud_vpc" "dev" {
  vpc_name   = "dev-shop"
  cidr_block = "10.20.0.0/16"
}

resource "alicloud_vswitch" "dev" {
  vswitch_name = "shop-dev"
  vpc_id       = alicloud_vpc.dev.id
  zone_id      = var.zone_id
  cidr_block   = "10.20.1.0/24"
}
