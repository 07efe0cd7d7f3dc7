# The shop's front: an ALB in two zones of the DMZ.
resource "alicloud_alb_load_balancer" "edge" {
  load_balancer_name    = "ent-edge"
  load_balancer_edition = "Standard"
  address_type          = "Internet"
  vpc_id                = alicloud_vpc.main["dmz"].id

  load_balancer_billing_config {
    pay_type = "PayAsYouGo"
  }

  zone_mappings {
    zone_id    = local.zones.a
    vswitch_id = alicloud_vswitch.main["dmz-a"].id
  }

  zone_mappings {
    zone_id    = local.zones.b
    vswitch_id = alicloud_vswitch.main["dmz-b"].id
  }
}

resource "alicloud_alb_server_group" "web" {
  server_group_name = "web"
  vpc_id            = alicloud_vpc.main["dmz"].id
  protocol          = "HTTP"

  health_check_config {
    health_check_enabled = true
  }

  dynamic "servers" {
    for_each = toset(["web-1", "web-2"])
    content {
      server_id   = alicloud_instance.host[servers.value].id
      server_type = "Ecs"
      port        = 8080
      weight      = 100
    }
  }
}

resource "alicloud_alb_listener" "https" {
  load_balancer_id  = alicloud_alb_load_balancer.edge.id
  listener_protocol = "HTTPS"
  listener_port     = 443

  default_actions {
    type = "ForwardGroup"
    forward_group_config {
      server_group_tuples {
        server_group_id = alicloud_alb_server_group.web.id
      }
    }
  }
}

# The partner's interface: a CLB that admits the partner's addresses only.
resource "alicloud_slb_load_balancer" "partner" {
  load_balancer_name = "ent-partner"
  address_type       = "internet"
  load_balancer_spec = "slb.s2.small"
}

resource "alicloud_slb_backend_server" "partner" {
  load_balancer_id = alicloud_slb_load_balancer.partner.id

  dynamic "backend_servers" {
    for_each = toset(["web-1", "web-2"])
    content {
      server_id = alicloud_instance.host[backend_servers.value].id
      weight    = 100
    }
  }
}

resource "alicloud_slb_acl" "partner" {
  name       = "ent-partner"
  ip_version = "ipv4"
}

resource "alicloud_slb_acl_entry_attachment" "partner" {
  acl_id  = alicloud_slb_acl.partner.id
  entry   = local.partner
  comment = "the partner's offices"
}

resource "alicloud_slb_listener" "partner" {
  load_balancer_id = alicloud_slb_load_balancer.partner.id
  protocol         = "tcp"
  frontend_port    = 8443
  backend_port     = 8443
  bandwidth        = 10
  acl_status       = "on"
  acl_type         = "white"
  acl_id           = alicloud_slb_acl.partner.id
}

# "The new certificate has to be tested before anybody sees it."
resource "alicloud_alb_listener" "test" {
  load_balancer_id  = alicloud_alb_load_balancer.edge.id
  listener_protocol = "HTTPS"
  listener_port     = 8443

  default_actions {
    type = "ForwardGroup"
    forward_group_config {
      server_group_tuples {
        server_group_id = alicloud_alb_server_group.web.id
      }
    }
  }
}
