terraform {
  required_version = ">= 1.3"
}

variable "given" { type = string }
variable "listed" { type = list(number) }
variable "from_tfvars" {
  default = "default"
}
variable "from_auto" {
  default = "default"
}
variable "zones" {
  type = map(object({
    cidr  = string
    hosts = optional(number, 2)
    tags  = optional(map(string))
    open  = optional(bool)
  }))
  default = {
    web = { cidr = "10.0.1.0/24" }
    app = { cidr = "10.0.2.0/24", hosts = "3", tags = { a = 1 } }
  }
}
variable "nothing" {
  type     = string
  default  = null
  nullable = true
}
variable "strict" {
  type     = string
  default  = "strict default"
  nullable = false
}

locals {
  names  = sort(keys(var.zones))
  pairs  = { for p in setproduct(local.names, [1, 2]) : "${p[0]}-${p[1]}" => p[1] }
  nested = flatten([for z, v in var.zones : [for i in range(v.hosts) : { zone = z, i = i }]])
  late   = local.early
  early  = "early"
}

resource "terraform_data" "vars" {
  input = [var.given, var.listed, var.from_tfvars, var.from_auto, var.nothing, var.strict]
}
resource "terraform_data" "zones" {
  for_each = var.zones
  input    = merge(each.value, { key = each.key })
}
resource "terraform_data" "pairs" {
  for_each = local.pairs
  input    = { k = each.key, v = each.value }
}
resource "terraform_data" "counted" {
  count = var.nothing == null ? length(local.names) : 0
  input = "${local.names[count.index]}-${count.index}"
}
resource "terraform_data" "none" {
  count = 0
  input = "none"
}
resource "terraform_data" "set" {
  for_each = toset(["b", "a", "a"])
  input    = each.value
}
resource "terraform_data" "nested" {
  for_each = { for n in local.nested : "${n.zone}/${n.i}" => n }
  input    = each.value
}
resource "terraform_data" "references" {
  input = {
    inputs   = terraform_data.counted[*].input
    one      = terraform_data.counted[0].input
    by_key   = terraform_data.zones["web"].input.cidr
    all      = [for k, z in terraform_data.zones : "${k}:${z.input.cidr}"]
    values   = values(terraform_data.zones)[*].input.hosts
    empty    = terraform_data.none[*].input
    maybe    = one(terraform_data.none[*].input)
    tried    = try(terraform_data.none[0].input, "fallback")
    late     = local.late
    template = templatefile("${path.module}/user.tftpl", { names = local.names, x = true })
    where    = [path.module, path.root, terraform.workspace]
  }
}
resource "terraform_data" "overridden" {
  input = "before"
}

module "net" {
  source   = "./net"
  for_each = var.zones
  name     = each.key
  cidr     = each.value.cidr
  hosts    = each.value.hosts
}
module "counted" {
  source = "./net"
  count  = 2
  name   = "c${count.index}"
  cidr   = cidrsubnet("10.9.0.0/16", 8, count.index)
}
module "off" {
  source = "./net"
  count  = 0
  name   = "off"
  cidr   = "10.0.0.0/24"
}
resource "terraform_data" "outputs" {
  input = {
    web    = module.net["web"].described
    all    = { for k, m in module.net : k => m.described }
    list   = module.counted[*].described
    index  = module.counted[1].hosts
    none   = module.off[*].described
    subs   = values(module.net)[*].sub
    length = length(module.net)
  }
}
moved {
  from = terraform_data.old
  to   = terraform_data.vars
}
check "ok" {
  assert {
    condition     = length(local.names) > 0
    error_message = "no"
  }
}
output "o" { value = local.names }
