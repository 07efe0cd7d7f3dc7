# Audit records go to a VPC of their own. No route leads there and its block may be anybody's: production sends to an
# endpoint of PrivateLink, and nothing comes back the other way.
resource "alicloud_vpc" "audit" {
  vpc_name   = "ent-audit"
  cidr_block = "172.20.0.0/16"
}

resource "alicloud_vswitch" "audit" {
  vswitch_name = "ent-audit"
  vpc_id       = alicloud_vpc.audit.id
  cidr_block   = "172.20.1.0/24"
  zone_id      = local.zones.a
}

resource "alicloud_security_group" "audit" {
  security_group_name = "ent-audit"
  vpc_id              = alicloud_vpc.audit.id
  inner_access_policy = "Drop"
}

resource "alicloud_security_group_rule" "audit_in" {
  security_group_id = alicloud_security_group.audit.id
  type              = "ingress"
  ip_protocol       = "tcp"
  port_range        = "6514/6514"
  cidr_ip           = alicloud_vswitch.audit.cidr_block
}

resource "alicloud_security_group_rule" "audit_out" {
  security_group_id = alicloud_security_group.audit.id
  type              = "egress"
  policy            = "drop"
  ip_protocol       = "all"
  port_range        = "-1/-1"
  priority          = 100
  cidr_ip           = "0.0.0.0/0"
}

resource "alicloud_instance" "audit" {
  instance_name   = "audit-1"
  instance_type   = "ecs.g7.large"
  image_id        = "aliyun_3_x64_20G_alibase_20260115.vhd"
  vswitch_id      = alicloud_vswitch.audit.id
  private_ip      = "172.20.1.11"
  security_groups = [alicloud_security_group.audit.id]

  tags = {
    tier = "audit"
  }
}

resource "alicloud_nlb_load_balancer" "audit" {
  load_balancer_name = "ent-collector"
  load_balancer_type = "Network"
  address_type       = "Intranet"
  vpc_id             = alicloud_vpc.audit.id
  zone_mappings {
    vswitch_id           = alicloud_vswitch.audit.id
    zone_id              = local.zones.a
    private_ipv4_address = "172.20.1.100"
  }
}

# Servers see the balancer and not whoever is behind the endpoint.
resource "alicloud_nlb_server_group" "audit" {
  server_group_name          = "ent-audit"
  server_group_type          = "Instance"
  vpc_id                     = alicloud_vpc.audit.id
  protocol                   = "TCP"
  preserve_client_ip_enabled = false
  health_check {
    health_check_enabled = true
  }
}

resource "alicloud_nlb_server_group_server_attachment" "audit" {
  server_group_id = alicloud_nlb_server_group.audit.id
  server_id       = alicloud_instance.audit.id
  server_type     = "Ecs"
  port            = 6514
}

resource "alicloud_nlb_listener" "audit" {
  load_balancer_id  = alicloud_nlb_load_balancer.audit.id
  listener_protocol = "TCP"
  listener_port     = 6514
  server_group_id   = alicloud_nlb_server_group.audit.id
}

resource "alicloud_privatelink_vpc_endpoint_service" "audit" {
  service_description    = "ent-audit"
  service_resource_type  = "nlb"
  auto_accept_connection = true
}

resource "alicloud_privatelink_vpc_endpoint_service_resource" "audit" {
  service_id    = alicloud_privatelink_vpc_endpoint_service.audit.id
  resource_id   = alicloud_nlb_load_balancer.audit.id
  resource_type = "nlb"
  zone_id       = local.zones.a
}

# The door in production: only the application's vSwitch gets in.
resource "alicloud_security_group" "audit_door" {
  security_group_name = "ent-audit-door"
  vpc_id              = alicloud_vpc.main["prod"].id
  inner_access_policy = "Drop"
}

resource "alicloud_security_group_rule" "audit_door" {
  security_group_id = alicloud_security_group.audit_door.id
  type              = "ingress"
  ip_protocol       = "tcp"
  port_range        = "6514/6514"
  cidr_ip           = alicloud_vswitch.main["app"].cidr_block
}

resource "alicloud_security_group_rule" "app_to_audit" {
  security_group_id = alicloud_security_group.tier["app"].id
  type              = "egress"
  ip_protocol       = "tcp"
  port_range        = "6514/6514"
  cidr_ip           = "10.10.3.50/32"
}

resource "alicloud_privatelink_vpc_endpoint" "audit" {
  vpc_endpoint_name  = "ent-audit-door"
  vpc_id             = alicloud_vpc.main["prod"].id
  security_group_ids = [alicloud_security_group.audit_door.id]
  service_id         = alicloud_privatelink_vpc_endpoint_service.audit.id
}

resource "alicloud_privatelink_vpc_endpoint_zone" "audit" {
  endpoint_id = alicloud_privatelink_vpc_endpoint.audit.id
  vswitch_id  = alicloud_vswitch.main["data"].id
  zone_id     = local.zones.a
  eni_ip      = "10.10.3.50"
}
