//! The typed layer from configurations: what joins what, defaults, and what becomes unknown.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod arguments;
mod balancers;
mod edge;
mod hybrid;
mod inside;
mod ipv6_fronts;
mod perimeter;
mod pools;
mod private_link;

use bartizan_base::{Severity, Sources};
use bartizan_model::*;
use bartizan_terraform::{FileSet, ReadOptions, read};

/// A VPC with two vSwitches and one group, which most cases need.
pub(crate) const BASE: &str = r#"
resource "alicloud_vpc" "v" { cidr_block = "10.0.0.0/8" }
resource "alicloud_vswitch" "a" {
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.1.0.0/16"
}
resource "alicloud_vswitch" "b" {
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.2.0.0/16"
}
resource "alicloud_security_group" "g" { vpc_id = alicloud_vpc.v.id }
resource "alicloud_instance" "i" {
  vswitch_id      = alicloud_vswitch.a.id
  security_groups = [alicloud_security_group.g.id]
  private_ip      = "10.1.0.10"
}
variable "unknown" {}
"#;

pub(crate) fn bare(text: &str) -> Inventory {
    let mut sources = Sources::default();
    let mut files = FileSet::default();
    files.add(&mut sources, "main.tf", text);
    let inv = read(&files, &mut sources, &ReadOptions::default());
    inv.typed.check_ids().unwrap();
    inv
}

pub(crate) fn base(text: &str) -> Inventory {
    bare(&format!("{BASE}{text}"))
}

pub(crate) fn codes(inv: &Inventory, severity: Severity) -> Vec<String> {
    inv.diagnostics
        .iter()
        .filter(|d| d.severity == severity)
        .map(|d| format!("{} {}", d.code, d.message))
        .collect()
}

/// Nothing was said and everything is modelled.
pub(crate) fn clean(inv: &Inventory) {
    let said: Vec<_> = inv.diagnostics.iter().map(|d| &d.message).collect();
    assert!(said.is_empty(), "{said:?}");
    for r in &inv.resources {
        assert!(
            matches!(r.understanding, Understanding::Modelled),
            "{}: {:?}",
            r.address,
            r.understanding
        );
    }
}

pub(crate) fn understanding<'a>(inv: &'a Inventory, address: &str) -> &'a Understanding {
    let r = inv.resources.iter().find(|r| &*r.address == address);
    &r.unwrap_or_else(|| panic!("no {address}")).understanding
}

pub(crate) fn at(list: &[impl AsMeta], address: &str) -> usize {
    list.iter()
        .position(|x| &*x.meta().origin.address == address)
        .unwrap_or_else(|| panic!("no {address}"))
}

pub(crate) trait AsMeta {
    fn meta(&self) -> &Meta;
}
macro_rules! metas { ($($t:ty),*) => { $(impl AsMeta for $t { fn meta(&self) -> &Meta { &self.meta } })* } }
metas!(Vswitch, Interface, Eip, NetworkAcl, RouteTable);

pub(crate) fn vswitch<'a>(inv: &'a Inventory, name: &str) -> &'a Vswitch {
    let v = &inv.typed.vswitches;
    &v[at(v, &format!("alicloud_vswitch.{name}"))]
}
pub(crate) fn interface<'a>(inv: &'a Inventory, address: &str) -> &'a Interface {
    let v = &inv.typed.interfaces;
    &v[at(v, address)]
}
pub(crate) fn tables(inv: &Inventory, address: &str) -> Fact<RouteTableId> {
    Fact::Known(RouteTableId(at(&inv.typed.route_tables, address) as u32))
}
pub(crate) fn net(s: &str) -> NetSpec {
    NetSpec::Net(Fact::Known(s.parse().unwrap()))
}
pub(crate) fn maybe_public(i: &Interface) -> Vec<bool> {
    i.public.iter().map(|p| p.origin.maybe.is_some()).collect()
}
