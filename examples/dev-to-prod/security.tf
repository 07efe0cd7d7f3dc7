# One security group per tier. Members of a group do not reach one another, and what a rule does not accept
# on the way out is dropped: a basic group without the last rule accepts all of it.
resource "alicloud_security_group" "tier" {
  for_each            = local.tiers
  security_group_name = "shop-${each.key}"
  vpc_id              = alicloud_vpc.prod.id
  inner_access_policy = "Drop"
}

resource "alicloud_security_group_rule" "egress_drop" {
  for_each          = local.tiers
  security_group_id = alicloud_security_group.tier[each.key].id
  type              = "egress"
  policy            = "drop"
  ip_protocol       = "all"
  port_range        = "-1/-1"
  priority          = 100
  cidr_ip           = "0.0.0.0/0"
}

resource "alicloud_security_group_rule" "egress_drop_ipv6" {
  for_each          = local.tiers
  security_group_id = alicloud_security_group.tier[each.key].id
  type              = "egress"
  policy            = "drop"
  ip_protocol       = "all"
  port_range        = "-1/-1"
  priority          = 100
  ipv6_cidr_ip      = "::/0"
}

# Every host is in this group, for the agents of the operations team. It must not connect the tiers.
resource "alicloud_security_group" "base" {
  security_group_name = "shop-base"
  vpc_id              = alicloud_vpc.prod.id
  inner_access_policy = "Drop"
}

# The shop is public.
resource "alicloud_security_group_rule" "web_https" {
  security_group_id = alicloud_security_group.tier["web"].id
  type              = "ingress"
  ip_protocol       = "tcp"
  port_range        = "443/443"
  cidr_ip           = "0.0.0.0/0"
}

# Exception EX-2026-014: the partner's vendor during the cut-over.
resource "alicloud_security_group_rule" "web_cutover" {
  security_group_id = alicloud_security_group.tier["web"].id
  type              = "ingress"
  ip_protocol       = "tcp"
  port_range        = "8443/8443"
  cidr_ip           = "203.0.113.8/32"
}

# Orders: web to app.
resource "alicloud_security_group_rule" "web_to_app" {
  security_group_id        = alicloud_security_group.tier["web"].id
  type                     = "egress"
  ip_protocol              = "tcp"
  port_range               = local.orders_ports
  source_security_group_id = alicloud_security_group.tier["app"].id
}

resource "alicloud_security_group_rule" "app_from_web" {
  security_group_id        = alicloud_security_group.tier["app"].id
  type                     = "ingress"
  ip_protocol              = "tcp"
  port_range               = local.orders_ports
  source_security_group_id = alicloud_security_group.tier["web"].id
}

# Data: app to db.
resource "alicloud_security_group_rule" "app_to_db" {
  security_group_id        = alicloud_security_group.tier["app"].id
  type                     = "egress"
  ip_protocol              = "tcp"
  port_range               = "3306/3306"
  source_security_group_id = alicloud_security_group.tier["db"].id
}

resource "alicloud_security_group_rule" "db_from_app" {
  security_group_id        = alicloud_security_group.tier["db"].id
  type                     = "ingress"
  ip_protocol              = "tcp"
  port_range               = "3306/3306"
  source_security_group_id = alicloud_security_group.tier["app"].id
}

# Payments: app to the partner, through the NAT gateway.
resource "alicloud_security_group_rule" "app_to_partner" {
  security_group_id = alicloud_security_group.tier["app"].id
  type              = "egress"
  ip_protocol       = "tcp"
  port_range        = "443/443"
  cidr_ip           = var.partner_cidr
}

# Patches: prepared for the day when the databases get a proxy; there is no route yet.
resource "alicloud_security_group_rule" "db_to_mirror" {
  security_group_id = alicloud_security_group.tier["db"].id
  type              = "egress"
  ip_protocol       = "tcp"
  port_range        = "443/443"
  cidr_ip           = var.mirror_cidr
}

# Administration: the offices to the bastion, the bastion to the application hosts.
resource "alicloud_security_group_rule" "bastion_ssh" {
  for_each          = var.office_cidrs
  security_group_id = alicloud_security_group.tier["bastion"].id
  type              = "ingress"
  ip_protocol       = "tcp"
  port_range        = "22/22"
  cidr_ip           = each.value
}

resource "alicloud_security_group_rule" "bastion_ssh_ipv6" {
  security_group_id = alicloud_security_group.tier["bastion"].id
  type              = "ingress"
  ip_protocol       = "tcp"
  port_range        = "22/22"
  ipv6_cidr_ip      = var.office_ipv6_cidr
}

resource "alicloud_security_group_rule" "bastion_to_app" {
  security_group_id        = alicloud_security_group.tier["bastion"].id
  type                     = "egress"
  ip_protocol              = "tcp"
  port_range               = "22/22"
  source_security_group_id = alicloud_security_group.tier["app"].id
}

resource "alicloud_security_group_rule" "app_from_bastion" {
  security_group_id        = alicloud_security_group.tier["app"].id
  type                     = "ingress"
  ip_protocol              = "tcp"
  port_range               = "22/22"
  source_security_group_id = alicloud_security_group.tier["bastion"].id
}

# A second wall around the databases. Network ACLs are stateless: replies need an entry of their own.
resource "alicloud_network_acl" "db" {
  network_acl_name = "shop-db"
  vpc_id           = alicloud_vpc.prod.id

  resources {
    resource_id   = alicloud_vswitch.tier["db"].id
    resource_type = "VSwitch"
  }

  ingress_acl_entries {
    network_acl_entry_name = "mysql-from-app"
    protocol               = "tcp"
    port                   = "3306/3306"
    source_cidr_ip         = local.cidrs["app"]
    policy                 = "accept"
  }
  ingress_acl_entries {
    network_acl_entry_name = "nothing-else-in"
    protocol               = "all"
    port                   = "-1/-1"
    source_cidr_ip         = "0.0.0.0/0"
    policy                 = "drop"
  }

  egress_acl_entries {
    network_acl_entry_name = "replies-to-app"
    protocol               = "tcp"
    port                   = "1024/65535"
    destination_cidr_ip    = local.cidrs["app"]
    policy                 = "accept"
  }
  egress_acl_entries {
    network_acl_entry_name = "patches"
    protocol               = "tcp"
    port                   = "443/443"
    destination_cidr_ip    = var.mirror_cidr
    policy                 = "accept"
  }
  egress_acl_entries {
    network_acl_entry_name = "nothing-else-out"
    protocol               = "all"
    port                   = "-1/-1"
    destination_cidr_ip    = "0.0.0.0/0"
    policy                 = "drop"
  }
}

# Developers' machines reach one another by SSH. They may send anything, but have no public address.
resource "alicloud_security_group" "dev" {
  security_group_name = "shop-dev"
  vpc_id              = alicloud_vpc.dev.id
  inner_access_policy = "Drop"
}

resource "alicloud_security_group_rule" "dev_ssh" {
  security_group_id        = alicloud_security_group.dev.id
  type                     = "ingress"
  ip_protocol              = "tcp"
  port_range               = "22/22"
  source_security_group_id = alicloud_security_group.dev.id
}
