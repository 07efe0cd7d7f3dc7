variable "name" { type = string }
variable "cidr" {}
variable "hosts" { default = 1 }

resource "terraform_data" "subnet" {
  input = { name = var.name, subnets = cidrsubnets(var.cidr, 2, 2) }
}
resource "terraform_data" "host" {
  count = var.hosts
  input = cidrhost(var.cidr, count.index + 10)
}
module "sub" {
  source = "./sub"
  value  = terraform_data.host[*].input
}
output "described" { value = "${var.name} ${terraform_data.subnet.input.name} ${join(",", terraform_data.host[*].input)}" }
output "hosts" { value = terraform_data.host[*].input }
output "sub" { value = module.sub.value }
