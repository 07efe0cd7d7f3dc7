# One group per tier; members do not reach one another. Only the firewall's lets everything pass that is inside: what
# it inspects is decided by its own policy.
resource "alicloud_security_group" "tier" {
  for_each            = local.tiers
  security_group_name = "ent-${each.key}"
  vpc_id              = alicloud_vpc.main[each.value].id
  inner_access_policy = "Drop"
}

locals {
  # 100.64.0.0/10 is where a CLB checks the health of its servers from.
  ingress = {
    web_from_edge    = { tier = "web", port = "8080/8080", cidrs = ["10.0.1.0/24", "10.0.2.0/24"] }
    web_from_partner = { tier = "web", port = "8443/8443", cidrs = [local.partner, "100.64.0.0/10"] }
    web_ssh          = { tier = "web", port = "22/22", cidrs = ["10.1.3.10/32"] }
    app_from_web     = { tier = "app", port = "8080/8080", cidrs = ["10.0.3.0/24"] }
    app_ssh          = { tier = "app", port = "22/22", cidrs = ["10.1.3.10/32"] }
    stage_from_dev   = { tier = "stage", port = "22/22", cidrs = ["10.30.1.0/24"] }
    bastion_ssh      = { tier = "bastion", port = "22/22", cidrs = [local.office] }
    firewall_inside  = { tier = "firewall", port = "1/65535", cidrs = ["10.0.0.0/8"] }
  }
  ingress_rules = merge([
    for name, r in local.ingress : { for c in r.cidrs : "${name} ${c}" => { tier = r.tier, port = r.port, cidr = c } }
  ]...)

  # Basic groups accept everything on the way out: what is not named here is dropped by the last rule.
  egress = {
    "web to app"      = { tier = "web", port = "8080/8080", cidr = "10.10.2.0/24" }
    "app to database" = { tier = "app", port = "3306/3306", cidr = "10.10.3.0/24" }
    "app to cache"    = { tier = "app", port = "6379/6379", cidr = "10.10.3.0/24" }
    "app to partner"  = { tier = "app", port = "443/443", cidr = local.partner }
    "bastion to web"  = { tier = "bastion", port = "22/22", cidr = "10.0.3.0/24" }
    "bastion to app"  = { tier = "bastion", port = "22/22", cidr = "10.10.2.0/24" }
  }
  # Those of development and of the firewall stay open.
  closed = toset(["web", "app", "stage", "bastion"])
}

resource "alicloud_security_group_rule" "in" {
  for_each          = local.ingress_rules
  security_group_id = alicloud_security_group.tier[each.value.tier].id
  type              = "ingress"
  ip_protocol       = "tcp"
  port_range        = each.value.port
  cidr_ip           = each.value.cidr
}

resource "alicloud_security_group_rule" "out" {
  for_each          = local.egress
  security_group_id = alicloud_security_group.tier[each.value.tier].id
  type              = "egress"
  ip_protocol       = "tcp"
  port_range        = each.value.port
  cidr_ip           = each.value.cidr
}

resource "alicloud_security_group_rule" "out_drop" {
  for_each          = local.closed
  security_group_id = alicloud_security_group.tier[each.key].id
  type              = "egress"
  policy            = "drop"
  ip_protocol       = "all"
  port_range        = "-1/-1"
  priority          = 100
  cidr_ip           = "0.0.0.0/0"
}
