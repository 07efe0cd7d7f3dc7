# The perimeter: a WAF is in front of the shop, Cloud Firewall in front of every public address.

locals {
  # From where the WAF sends to its origins; `zone waf` of the intent.
  waf = ["192.0.2.128/26", "192.0.2.192/27"]
}

resource "alicloud_wafv3_instance" "edge" {}

# By CNAME: the shop's name leads to the WAF, and that sends to the public address of the ALB.
resource "alicloud_wafv3_domain" "shop" {
  instance_id = alicloud_wafv3_instance.edge.id
  domain      = "shop.example.com"
  access_type = "share"

  listen {
    https_ports = [443]
    cert_id     = "12345678-cn-hangzhou"
    tls_version = "tlsv1.2"
  }

  redirect {
    backends    = [alicloud_alb_load_balancer.edge.dns_name]
    loadbalance = "iphash"
  }
}

# Who knows the address of the ALB would get around the WAF. The list admits nobody else.
resource "alicloud_alb_acl" "waf" {
  acl_name = "ent-waf"
}

resource "alicloud_alb_acl_entry_attachment" "waf" {
  for_each = toset(local.waf)
  acl_id   = alicloud_alb_acl.waf.id
  entry    = each.value
}

resource "alicloud_alb_listener_acl_attachment" "waf" {
  listener_id = alicloud_alb_listener.https.id
  acl_id      = alicloud_alb_acl.waf.id
  acl_type    = "White"
}

# Cloud Firewall at the boundary to the Internet: policies know ports, the lists and groups behind them know who. What
# no policy matches would pass, so each direction ends with a drop. The provider appends: without orders nobody could
# say which policy is the last.
resource "alicloud_cloud_firewall_instance_v2" "boundary" {
  product_code = "cfw"
  product_type = "cfw_elasticity_public_cn"
  spec         = "payg_version"
}

locals {
  anybody = "0.0.0.0/0"
  bastion = "${alicloud_eip_address.bastion.ip_address}/32"

  # The first that matches decides.
  inbound = [
    { name = "shop", action = "accept", from = local.anybody, to = local.anybody, proto = "TCP", port = "443/443" },
    { name = "partner", action = "accept", from = local.anybody, to = local.anybody, proto = "TCP", port = "8443/8443" },
    { name = "office", action = "accept", from = local.office, to = local.bastion, proto = "TCP", port = "22/22" },
    { name = "rest", action = "drop", from = local.anybody, to = local.anybody, proto = "ANY", port = "0/0" },
  ]
  outbound = [
    { name = "payments", action = "accept", from = local.anybody, to = local.partner, proto = "TCP", port = "443/443" },
    { name = "rest", action = "drop", from = local.anybody, to = local.anybody, proto = "ANY", port = "0/0" },
  ]
  policies = merge(
    { for n, p in local.inbound : "in ${p.name}" => merge(p, { direction = "in", order = n + 1 }) },
    { for n, p in local.outbound : "out ${p.name}" => merge(p, { direction = "out", order = n + 1 }) },
  )
}

resource "alicloud_cloud_firewall_control_policy" "boundary" {
  for_each         = local.policies
  description      = each.key
  direction        = each.value.direction
  acl_action       = each.value.action
  source           = each.value.from
  source_type      = "net"
  destination      = each.value.to
  destination_type = "net"
  proto            = each.value.proto
  dest_port        = each.value.port
  application_name = "ANY"
}

resource "alicloud_cloud_firewall_control_policy_order" "boundary" {
  for_each  = local.policies
  acl_uuid  = alicloud_cloud_firewall_control_policy.boundary[each.key].acl_uuid
  direction = each.value.direction
  order     = each.value.order
}
