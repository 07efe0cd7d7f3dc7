# An enterprise on a hub and spokes: five VPCs on a transit router, everything between them past one firewall.
# What it is meant to allow is written in enterprise.btz; `bartizan check examples/enterprise` compares the two.

terraform {
  required_version = ">= 1.3"
  required_providers {
    alicloud = {
      source  = "aliyun/alicloud"
      version = ">= 1.280.0"
    }
  }
}

provider "alicloud" {
  region = "cn-hangzhou"
}

locals {
  zones = { a = "cn-hangzhou-h", b = "cn-hangzhou-i" }

  vpcs = {
    dmz      = "10.0.0.0/16"
    security = "10.1.0.0/16"
    prod     = "10.10.0.0/16"
    stage    = "10.20.0.0/16"
    dev      = "10.30.0.0/16"
  }

  # Those whose traffic the firewall inspects.
  spokes = toset(["dmz", "prod", "stage", "dev"])

  vswitches = {
    dmz-a     = { vpc = "dmz", cidr = "10.0.1.0/24", zone = "a" }
    dmz-b     = { vpc = "dmz", cidr = "10.0.2.0/24", zone = "b" }
    web       = { vpc = "dmz", cidr = "10.0.3.0/24", zone = "a" }
    dmz-tr    = { vpc = "dmz", cidr = "10.0.250.0/24", zone = "a" }
    sec-tr    = { vpc = "security", cidr = "10.1.250.0/24", zone = "a" }
    sec-fw    = { vpc = "security", cidr = "10.1.1.0/24", zone = "a" }
    sec-nat   = { vpc = "security", cidr = "10.1.2.0/24", zone = "a" }
    sec-admin = { vpc = "security", cidr = "10.1.3.0/24", zone = "a" }
    app       = { vpc = "prod", cidr = "10.10.2.0/24", zone = "a" }
    data      = { vpc = "prod", cidr = "10.10.3.0/24", zone = "a" }
    prod-tr   = { vpc = "prod", cidr = "10.10.250.0/24", zone = "a" }
    stage-app = { vpc = "stage", cidr = "10.20.2.0/24", zone = "a" }
    stage-tr  = { vpc = "stage", cidr = "10.20.250.0/24", zone = "a" }
    dev-box   = { vpc = "dev", cidr = "10.30.1.0/24", zone = "a" }
    dev-tr    = { vpc = "dev", cidr = "10.30.250.0/24", zone = "a" }
  }

  hosts = {
    web-1   = { vswitch = "web", ip = "10.0.3.11", tier = "web" }
    web-2   = { vswitch = "web", ip = "10.0.3.12", tier = "web" }
    app-1   = { vswitch = "app", ip = "10.10.2.11", tier = "app" }
    app-2   = { vswitch = "app", ip = "10.10.2.12", tier = "app" }
    stage-1 = { vswitch = "stage-app", ip = "10.20.2.11", tier = "stage" }
    dev-1   = { vswitch = "dev-box", ip = "10.30.1.11", tier = "dev" }
    dev-2   = { vswitch = "dev-box", ip = "10.30.1.12", tier = "dev" }
    bastion = { vswitch = "sec-admin", ip = "10.1.3.10", tier = "bastion" }
    fw-1    = { vswitch = "sec-fw", ip = "10.1.1.10", tier = "firewall" }
  }

  tiers = {
    web      = "dmz"
    app      = "prod"
    stage    = "stage"
    dev      = "dev"
    bastion  = "security"
    firewall = "security"
  }

  office  = "198.51.100.0/24"
  partner = "203.0.113.0/24"
}
