resource "alicloud_instance" "host" {
  for_each        = local.hosts
  instance_name   = each.key
  instance_type   = "ecs.g7.large"
  image_id        = "aliyun_3_x64_20G_alibase_20260115.vhd"
  vswitch_id      = alicloud_vswitch.tier[each.value.tier].id
  private_ip      = each.value.ip
  ipv6_addresses  = each.value.tier == "bastion" ? [alicloud_vpc_ipv6_address.bastion.ipv6_address] : null
  security_groups = [alicloud_security_group.tier[each.value.tier].id, alicloud_security_group.base.id]

  tags = {
    tier = each.value.tier
  }
}

resource "alicloud_instance" "dev" {
  count           = 2
  instance_name   = "dev-${count.index + 1}"
  instance_type   = "ecs.g7.large"
  image_id        = "aliyun_3_x64_20G_alibase_20260115.vhd"
  vswitch_id      = alicloud_vswitch.dev.id
  private_ip      = cidrhost(alicloud_vswitch.dev.cidr_block, 10 + count.index)
  security_groups = [alicloud_security_group.dev.id]

  tags = {
    tier = "dev"
  }
}
