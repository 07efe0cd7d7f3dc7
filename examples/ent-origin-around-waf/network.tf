resource "alicloud_vpc" "main" {
  for_each   = local.vpcs
  vpc_name   = "ent-${each.key}"
  cidr_block = each.value
}

resource "alicloud_vswitch" "main" {
  for_each     = local.vswitches
  vswitch_name = "ent-${each.key}"
  vpc_id       = alicloud_vpc.main[each.value.vpc].id
  cidr_block   = each.value.cidr
  zone_id      = local.zones[each.value.zone]
}

resource "alicloud_instance" "host" {
  for_each          = local.hosts
  instance_name     = each.key
  instance_type     = "ecs.g7.large"
  image_id          = "aliyun_3_x64_20G_alibase_20260115.vhd"
  vswitch_id        = alicloud_vswitch.main[each.value.vswitch].id
  private_ip        = each.value.ip
  security_groups   = [alicloud_security_group.tier[each.value.tier].id]
  source_dest_check = each.value.tier != "firewall"

  tags = {
    tier = each.value.tier
  }
}

# The office administers by way of the bastion.
resource "alicloud_eip_address" "bastion" {
  address_name = "ent-bastion"
}

resource "alicloud_eip_association" "bastion" {
  allocation_id = alicloud_eip_address.bastion.id
  instance_id   = alicloud_instance.host["bastion"].id
}
