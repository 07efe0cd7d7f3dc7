variable "region" {
  type    = string
  default = "cn-hangzhou"
}

variable "zone_id" {
  type    = string
  default = "cn-hangzhou-h"
}

variable "office_cidrs" {
  description = "Where the company's offices leave to the Internet."
  type        = set(string)
  default     = ["198.51.100.0/24"]
}

variable "office_ipv6_cidr" {
  type    = string
  default = "2001:db8:f::/48"
}

variable "partner_cidr" {
  description = "The payment partner."
  type        = string
  default     = "203.0.113.0/24"
}

variable "mirror_cidr" {
  description = "Where the database vendor publishes patches."
  type        = string
  default     = "192.0.2.0/24"
}

variable "hosts" {
  description = "How many hosts each tier has."
  type        = map(number)
  default = {
    web     = 2
    app     = 2
    db      = 2
    bastion = 1
  }
}

locals {
  # Where the application takes orders from the web tier.
  orders_ports = "8080/8080"

  tiers = {
    web     = { subnet = 1 }
    app     = { subnet = 2 }
    db      = { subnet = 3 }
    bastion = { subnet = 4 }
  }

  hosts = merge([
    for tier, n in var.hosts : {
      for i in range(n) : "${tier}-${i + 1}" => { tier = tier, ip = cidrhost(local.cidrs[tier], 10 + i) }
    }
  ]...)

  cidrs = { for tier, t in local.tiers : tier => cidrsubnet("10.10.0.0/16", 8, t.subnet) }
}
