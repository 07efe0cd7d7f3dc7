resource "alicloud_db_instance" "orders" {
  instance_name    = "ent-orders"
  engine           = "MySQL"
  engine_version   = "8.0"
  instance_type    = "mysql.x4.large.2c"
  instance_storage = 100
  vswitch_id       = alicloud_vswitch.main["data"].id
  security_ips     = ["10.10.2.0/24"]
}

resource "alicloud_kvstore_instance" "sessions" {
  db_instance_name = "ent-sessions"
  instance_class   = "redis.shard.small.2.ce"
  engine_version   = "7.0"
  vswitch_id       = alicloud_vswitch.main["data"].id
  security_ips     = ["10.10.2.0/24"]
}
