//! Two hosts, and whether the one reaches the other.

use bartizan_base::Verdict;
use bartizan_check::{CheckOptions, check};
use bartizan_model::Readings;

/// Two hosts in two groups of a VPC, of which `web` lets nobody in unless a rule does.
pub(crate) const NET: &str = r#"
resource "alicloud_vpc" "v" {
  cidr_block = "10.0.0.0/16"
}
resource "alicloud_vswitch" "s" {
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.0.1.0/24"
}
resource "alicloud_vswitch" "t" {
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.0.2.0/24"
}
resource "alicloud_security_group" "g" {
  vpc_id = alicloud_vpc.v.id
}
resource "alicloud_security_group" "a" {
  vpc_id = alicloud_vpc.v.id
}
resource "alicloud_instance" "web" {
  vswitch_id      = alicloud_vswitch.s.id
  security_groups = [alicloud_security_group.g.id]
  private_ip      = "10.0.1.10"
  tags            = { role = "web" }
}
resource "alicloud_instance" "app" {
  vswitch_id      = alicloud_vswitch.t.id
  security_groups = [alicloud_security_group.a.id]
  private_ip      = "10.0.2.10"
  tags            = { role = "app" }
}
"#;

/// What it is asked.
const INTENT: &str =
    "edition 2027\nzone web = tag role=web\nzone app = tag role=app\nnever app -> web : ssh\n";

/// What is said of Terraform files that hold it.
#[track_caller]
pub(crate) fn files(all: &[(&str, &str)], want: Verdict) {
    let (inv, intent) = (super::inventory(all), super::intent(INTENT));
    let options = CheckOptions {
        readings: Readings::default(),
    };
    let r = check(&inv, &intent, super::today(), &options);
    assert_eq!(super::verdicts(&r), [want], "{all:?}\n{:#?}", r.findings);
}
