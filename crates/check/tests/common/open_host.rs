//! A host that lets everybody in, and what an intent says of it.

use bartizan_base::Verdict;
use bartizan_model::Readings;

/// A VPC with two vSwitches, a host that lets everybody in, and one in the other vSwitch.
pub(crate) const NET: &str = r#"
resource "alicloud_vpc" "v" {
  cidr_block = "10.0.0.0/16"
}
resource "alicloud_vswitch" "a" {
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.0.1.0/24"
}
resource "alicloud_vswitch" "b" {
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.0.2.0/24"
}
resource "alicloud_security_group" "g" {
  vpc_id              = alicloud_vpc.v.id
  inner_access_policy = "Drop"
}
resource "alicloud_security_group_rule" "in" {
  security_group_id = alicloud_security_group.g.id
  type              = "ingress"
  ip_protocol       = "all"
  cidr_ip           = "0.0.0.0/0"
}
resource "alicloud_instance" "web" {
  vswitch_id            = alicloud_vswitch.a.id
  private_ip            = "10.0.1.10"
  secondary_private_ips = ["10.0.1.11"]
  security_groups       = [alicloud_security_group.g.id]
  tags                  = { role = "web" }
}
resource "alicloud_eip_address" "e" {
  ip_address = "47.0.0.1"
}
variable "open" {
  type = string
}
"#;

/// Its zone.
pub(crate) const WEB: &str = "edition 2027\nzone web = tag role=web\n";

/// What is said of that network with `more` in it, without any decision.
#[track_caller]
pub(crate) fn says(more: &str, intent: &str, want: &[Verdict]) {
    let net = format!("{NET}{more}");
    super::expect(&net, &format!("{WEB}{intent}"), Readings::default(), want);
}
