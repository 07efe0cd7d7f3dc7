//! The other commands, and what the edge loads.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use common::{copy, run, run_in};
use serde_json::Value;

fn json(args: &[&str]) -> Value {
    let mut all = args.to_vec();
    all.extend(["--format", "json"]);
    let o = run(&all);
    assert_eq!(o.code, 0, "{}", o.err);
    serde_json::from_str(&o.out).unwrap()
}

#[test]
fn why_lists_every_blocker() {
    let v = json(&["why", "holds", "internet", "db", "tcp/3306"]);
    assert_eq!(v["cases"][0]["answer"], "blocked");
    let steps = v["cases"][0]["ways"][0]["request"].as_array().unwrap();
    assert!(steps.iter().filter(|s| s["open"] == false).count() >= 2, "{v:#}");
    assert_eq!(v["clauses"][0]["id"], "prod/never-1");
    let v = json(&["why", "holds", "web", "db", "mysql"]);
    assert_eq!(v["cases"][0]["answer"], "works");
    assert!(!v["cases"][0]["ways"][0]["reply"].as_array().unwrap().is_empty());
    let text = run(&["why", "holds", "10.0.1.10", "alicloud_instance.db", "tcp/3306"]);
    assert!(
        text.out.contains("YES") && text.out.contains("holds/main.tf:45:1"),
        "{}",
        text.out
    );
}

#[test]
fn why_proposes_what_was_tried() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/");
    // Two layers, four changes: the last one is for the reply. The intent governs both ends and allows none of it.
    let v = json(&["why", &format!("{root}shop"), "web", "db", "tcp/3306"]);
    let c = &v["cases"][0];
    assert_eq!(
        c["blocking"],
        serde_json::json!(["security group", "network ACL"])
    );
    assert_eq!(c["change"]["opens"], true);
    assert_eq!(c["change"]["steps"].as_array().unwrap().len(), 4, "{c:#}");
    assert_eq!(c["change"]["breaks"], serde_json::json!(["prod/governs"]));
    let steps = c["change"]["steps"].to_string();
    assert!(
        steps.contains("add to `alicloud_security_group.tier[\\\"db\\\"]` an ingress rule that accepts tcp/3306 from 10.10.1.10/32"),
        "{steps}"
    );
    // One entry of an allow list stands between development and the orders.
    let v = json(&[
        "why",
        &format!("{root}enterprise"),
        "devbox",
        "orders",
        "tcp/3306",
    ]);
    let c = &v["cases"][0];
    assert_eq!(c["blocking"], serde_json::json!(["allow list"]));
    assert_eq!(
        c["change"]["steps"],
        serde_json::json!(["add 10.30.1.11 to the allow list of `alicloud_db_instance.orders`"])
    );
    let breaks = c["change"]["breaks"].to_string();
    assert!(
        breaks.contains("production/never-1") && breaks.contains("production/never-4"),
        "{breaks}"
    );
    // What has no public address is not opened by a rule, and nothing is proposed.
    let v = json(&["why", &format!("{root}enterprise"), "internet", "app", "tcp/8080"]);
    assert!(v["cases"][0]["change"].is_null());
    assert_eq!(v["cases"][0]["blocking"].as_array().unwrap().len(), 2);
    // Closing what is required says what it breaks.
    let v = json(&["why", &format!("{root}shop"), "web", "app", "tcp/8080"]);
    let x = &v["cases"][0]["change"];
    assert_eq!(
        (&x["opens"], &x["breaks"]),
        (&serde_json::json!(false), &serde_json::json!(["prod/must-1"]))
    );
}

/// §9.1: a CLB for the Internet is in no vSwitch, so it has no private address that could be shown.
#[test]
fn a_balancer_in_no_vswitch_has_no_private_address() {
    let dir = tempfile::tempdir().unwrap();
    let net = r#"
resource "alicloud_vpc" "v" { cidr_block = "10.0.0.0/16" }
resource "alicloud_vswitch" "s" {
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.0.1.0/24"
}
resource "alicloud_security_group" "g" { vpc_id = alicloud_vpc.v.id }
resource "alicloud_instance" "h" {
  vswitch_id      = alicloud_vswitch.s.id
  private_ip      = "10.0.1.10"
  security_groups = [alicloud_security_group.g.id]
}
resource "alicloud_slb_load_balancer" "l" { address_type = "internet" }
resource "alicloud_slb_listener" "l" {
  load_balancer_id = alicloud_slb_load_balancer.l.id
  frontend_port    = 80
  backend_port     = 8080
  protocol         = "tcp"
}
resource "alicloud_slb_backend_server" "l" {
  load_balancer_id = alicloud_slb_load_balancer.l.id
  backend_servers { server_id = alicloud_instance.h.id }
}
"#;
    std::fs::write(dir.path().join("main.tf"), net).unwrap();
    let clb = "alicloud_slb_load_balancer.l";
    let o = run_in(dir.path(), &["why", ".", "192.0.2.1", clb, "tcp/80"]);
    assert!(o.code == 0 && o.out.contains("YES"), "{}", o.out);
    assert!(
        o.out.contains("(its public address:80)") && !o.out.contains("10.0.1.1"),
        "{}",
        o.out
    );
    let o = run_in(
        dir.path(),
        &["why", ".", "192.0.2.1", clb, "tcp/80", "--format", "json"],
    );
    let v: Value = serde_json::from_str(&o.out).unwrap();
    assert_eq!(v["cases"][0]["destination_ip"], "");
}

#[test]
fn reach_is_the_whole_matrix() {
    let v = json(&["reach", "holds"]);
    let entries: Vec<String> = v["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| format!("{} {} {}", e["from"], e["to"], e["services"]).replace('"', ""))
        .collect();
    assert!(
        entries.contains(&"internet web tcp/443".to_string()),
        "{entries:?}"
    );
    assert!(entries.contains(&"web db tcp/3306".to_string()));
    assert!(
        !entries.iter().any(|e| e.starts_with("db ")),
        "db opens nothing: {entries:?}"
    );
    let v = json(&[
        "reach", "open", "--on", "tcp/22", "--from", "internet", "--by", "resource",
    ]);
    assert_eq!(v["entries"].as_array().unwrap().len(), 1);
    assert_eq!(v["entries"][0]["to"], "alicloud_instance.web");
    assert!(
        run(&["reach", "holds"])
            .out
            .contains("internet    ·             tcp/443")
    );
    assert!(
        run(&["reach", "holds", "--markdown"])
            .out
            .contains("| `web` | `db` | tcp/3306 |")
    );
}

#[test]
fn who_and_blast_agree_with_the_matrix() {
    let v = json(&["who", "holds", "db"]);
    assert_eq!(v["sources"].as_array().unwrap().len(), 1);
    assert_eq!(v["sources"][0]["resources"][0], "alicloud_instance.web");
    assert_eq!(v["sources"][0]["services"], "tcp/3306");
    let v = json(&["who", "open", "web", "--on", "tcp/22"]);
    assert_eq!(v["sources"][0]["public"], "every public IPv4 address");
    let v = json(&["blast", "holds", "internet"]);
    let steps: Vec<String> = v["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| format!("{} {} {}", s["depth"], s["resource"], s["services"]).replace('"', ""))
        .collect();
    assert_eq!(
        steps,
        [
            "1 alicloud_instance.web tcp/443",
            "2 alicloud_instance.db tcp/3306"
        ]
    );
}

#[test]
fn zones_and_inventory_list_everything() {
    let v = json(&["zones", "holds"]);
    assert_eq!(v["zones"][1]["members"][0], "alicloud_instance.web");
    let v = json(&["inventory", "holds"]);
    assert_eq!(v["inventory"]["all"].as_array().unwrap().len(), 12);
    let o = run(&["inventory", "holds", "open", "--summary"]);
    assert_eq!(o.out.lines().count(), 2);
    assert!(o.out.starts_with("holds: 12 resources: 12 modelled"), "{}", o.out);
}

#[test]
fn fmt_writes_once_and_never_touches_what_it_cannot_read() {
    let (_keep, dir) = copy("holds");
    let file = dir.join("intent.btz");
    assert_eq!(run_in(&dir, &["intent", "fmt", "--check", "intent.btz"]).code, 1);
    assert_eq!(run_in(&dir, &["intent", "fmt", "."]).code, 0);
    let once = std::fs::read_to_string(&file).unwrap();
    assert_eq!(run_in(&dir, &["intent", "fmt", "--check", "."]).code, 0);
    assert_eq!(run_in(&dir, &["intent", "fmt", "intent.btz"]).code, 0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), once);
    assert_eq!(run_in(&dir, &["check", "."]).code, 0, "the meaning is the same");
    std::fs::write(&file, "zone web = = tag\n").unwrap();
    let o = run_in(&dir, &["intent", "fmt", "intent.btz"]);
    assert!(o.code == 2 && o.err.contains("INTENT001"), "{}", o.err);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "zone web = = tag\n");
}

#[test]
fn the_json_form_goes_both_ways() {
    let (_keep, dir) = copy("holds");
    run_in(&dir, &["intent", "fmt", "."]);
    let o = run_in(&dir, &["intent", "json", "intent.btz"]);
    std::fs::write(dir.join("intent.json"), &o.out).unwrap();
    let back = run_in(&dir, &["intent", "json", "intent.json"]);
    assert_eq!(back.out, std::fs::read_to_string(dir.join("intent.btz")).unwrap());
}

#[test]
fn an_intent_is_read_aloud_in_two_languages() {
    let en = run(&["intent", "read", "holds"]);
    assert!(
        en.out
            .contains("prod/never-1  Nothing in internet may ever reach db"),
        "{}",
        en.out
    );
    let zh = run(&["intent", "read", "holds", "--lang", "zh"]);
    assert!(zh.out.contains("边界 prod"), "{}", zh.out);
    let lint = run(&["intent", "lint", "holds", "--as-of", "2026-11-23"]);
    assert!(
        lint.code == 0 && lint.out.contains("INTENT005") && lint.out.contains("0 errors, 1 warning"),
        "{}",
        lint.out
    );
}

#[test]
fn explain_knows_every_code() {
    let list = run(&["explain"]);
    assert!(list.out.lines().count() > 30);
    assert!(list.out.contains("A-NACL-1"));
    for line in list.out.lines().filter(|l| !l.is_empty()) {
        let code = line.split(' ').next().unwrap();
        let o = run(&["explain", code]);
        assert!(o.code == 0 && o.out.starts_with(code), "{code}");
    }
    assert!(run(&["explain", "never-violated"]).out.starts_with("REACH001"));
    let a = run(&["explain", "a-nacl-1"]).out;
    for text in ["deny", "allow", "§6", "--assume A-NACL-1=deny", "undecided"] {
        assert!(a.contains(text), "{a}");
    }
    assert!(run(&["explain", "A-CW"]).out.contains("one reading"));
}

#[test]
fn packagers_get_completions_and_manual_pages() {
    assert!(
        run(&["generate", "completions", "bash"])
            .out
            .contains("_bartizan")
    );
    assert!(run(&["generate", "man"]).out.contains(".TH"));
    assert!(run(&["generate", "man", "check"]).out.contains("as\\-of"));
}

#[test]
fn the_edge_loads_what_a_configuration_refers_to() {
    let dir = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let p = dir.path().join(path);
        std::fs::create_dir_all(p.parent().unwrap()).unwrap();
        std::fs::write(p, text).unwrap();
    };
    put(
        "envs/prod/main.tf",
        "variable \"cidr\" {}\n\
         variable \"env\" {}\n\
         module \"net\" {\n  source = \"../../modules/net\"\n  cidr = var.cidr\n  name = templatefile(\"${path.module}/name.tftpl\", { env = var.env })\n}\n\
         module \"far\" {\n  source = \"terraform-alicloud-modules/vpc/alicloud\"\n}\n",
    );
    put("envs/prod/name.tftpl", "vpc-${env}");
    put("envs/prod/prod.tfvars", "cidr = \"10.9.0.0/16\"\n");
    put(
        "modules/net/main.tf",
        "variable \"cidr\" {}\nvariable \"name\" {}\nmodule \"v\" {\n  source = \"./vpc\"\n  cidr = var.cidr\n  name = var.name\n}\n",
    );
    put(
        "modules/net/vpc/main.tf",
        "variable \"cidr\" {}\nvariable \"name\" {}\nresource \"alicloud_vpc\" \"a\" {\n  cidr_block = var.cidr\n  vpc_name = \"${var.name}-${file(\"${path.module}/suffix.txt\")}\"\n}\n",
    );
    put("modules/net/vpc/suffix.txt", "blue");
    put("modules/net/unrelated.tf.bak", "not Terraform {{{");
    put(
        "envs/prod/.terraform/modules/modules.json",
        r#"{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"far","Source":"x","Dir":".terraform/modules/far"}]}"#,
    );
    put(
        "envs/prod/.terraform/modules/far/main.tf",
        "resource \"alicloud_vpc\" \"b\" {\n  cidr_block = \"10.8.0.0/16\"\n}\n",
    );
    put("envs/prod/.terraform/providers/junk.tf", "this is never read {");
    for (at, root) in [
        (dir.path().to_path_buf(), "envs/prod"),
        (dir.path().join("envs/prod"), "."),
    ] {
        let vars = if root == "." {
            "prod.tfvars"
        } else {
            "envs/prod/prod.tfvars"
        };
        let mut c = common::command(&at);
        c.args([
            "inventory",
            root,
            "--snapshot",
            "-",
            "--output",
            "/dev/null",
            "--var-file",
            vars,
        ]);
        c.env("TF_VAR_env", "prod");
        let o = c.output().unwrap();
        let text = String::from_utf8(o.stdout).unwrap();
        assert_eq!(o.status.code(), Some(0), "{}", String::from_utf8_lossy(&o.stderr));
        for part in [
            "module.net.module.v.alicloud_vpc.a",
            "vpc-prod-blue",
            "10.9.0.0/16",
            "module.far.alicloud_vpc.b",
        ] {
            assert!(
                text.contains(part),
                "no `{part}` in {text}\n{}",
                String::from_utf8_lossy(&o.stderr)
            );
        }
        let name = if root == "." {
            "../../modules/net/vpc/main.tf"
        } else {
            "\"modules/net/vpc/main.tf\""
        };
        assert!(
            text.contains(name),
            "files are named as the user would type them: {text}"
        );
    }
}

#[test]
fn a_list_of_files_lacks_nothing_silently() {
    let dir = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &[u8]| std::fs::write(dir.path().join(path), text).unwrap();
    put("main.tf", b"resource \"alicloud_vpc\" \"a\" {\n  for_each = fileset(path.module, \"*.net\")\n  cidr_block = file(each.value)\n}\n");
    put("a.net", b"10.1.0.0/16");
    put("b.net", b"10.2.0.0/16");
    put("c.bin", b"\xff\xfe");
    let o = run_in(dir.path(), &["inventory", ".", "--all"]);
    assert_eq!(o.code, 0, "{}", o.err);
    assert!(
        o.out.contains("alicloud_vpc.a[\"a.net\"]") && o.out.contains("alicloud_vpc.a[\"b.net\"]"),
        "{}",
        o.out
    );
    assert!(
        o.err.contains("c.bin` is not in what `fileset` lists"),
        "{}",
        o.err
    );
}

#[test]
fn a_proof_is_written_for_a_solver() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("proof.smt2");
    let file = file.to_str().unwrap();
    let shop = format!("{}/../../examples/shop", env!("CARGO_MANIFEST_DIR"));
    let o = run(&["why", &shop, "internet", "db", "any", "--smt", file]);
    assert_eq!((o.code, o.err.as_str()), (0, ""), "{}", o.out);
    assert!(o.out.contains("4 questions about packets"), "{}", o.out);
    let text = std::fs::read_to_string(file).unwrap();
    assert_eq!(text.matches("(check-sat)").count(), 4);
    assert!(text.starts_with("; ") && text.contains("(set-logic QF_BV)"));
    let o = run(&["why", &shop, "internet", "web", "https", "--smt", "-"]);
    assert_eq!((o.code, o.out.as_str()), (2, ""), "{}", o.err);
    assert!(
        o.err.contains("error[PROOF001]") && o.err.contains("a packet may arrive"),
        "{}",
        o.err
    );
}

#[test]
fn routes_tell_what_decides_loops_and_overlaps() {
    let o = run(&["routes", "routes"]);
    assert_eq!(o.code, 0, "{}", o.out);
    // The one next hop that is not there is told.
    assert_eq!(o.err.matches("INPUT004").count(), 1, "{}", o.err);
    assert!(
        o.err.contains("`vpn-123`, which is not in the inventory"),
        "{}",
        o.err
    );
    for said in [
        "alicloud_instance.fw1 → alicloud_instance.fw2 → loops: it comes back to alicloud_route_table.t2",
        "10.0.2.0/24  → alicloud_cen_transit_router_vpc_attachment.b  published by",
        "learned from alicloud_vpc.a",
        "never decides: 10.0.1.0/25 (published by alicloud_cen_transit_router_vpc_attachment.a), 10.0.1.0/24 \
         (alicloud_route_entry.local) are stronger",
        "hijack, in alicloud_cen_transit_router.tr the longer route leads to alicloud_vpc.b",
        "4 tables, 16 entries: 1 shadowed, 0 lead nowhere, 2 loop; 0 asymmetric, 0 leak; 1 overlap",
    ] {
        assert!(o.out.contains(said), "{said}\n{}", o.out);
    }
    let o = run(&[
        "routes",
        "routes",
        "--table",
        "alicloud_vswitch.b",
        "--explain",
        "10.0.2.7",
    ]);
    assert_eq!(o.code, 0, "{}", o.err);
    assert!(
        o.out
            .contains("10.0.2.0/24  → alicloud_cen_transit_router_vpc_attachment.b")
            && o.out.contains("delivered in alicloud_vpc.a")
            && !o
                .out
                .contains("alicloud_vpc.b  system table\n  used by alicloud_vswitch.a"),
        "{}",
        o.out
    );
    let o = run(&["routes", "routes", "--format", "json"]);
    let v: serde_json::Value = serde_json::from_str(&o.out).unwrap();
    assert_eq!(v["question"], "routes");
    assert_eq!(v["tables"].as_array().unwrap().len(), 4);
    assert_eq!(v["overlaps"][0]["effect"], "hijack");
    for bad in [&["--explain", "10.0.0.0/99"][..], &["--table", "nothing"]] {
        let o = run(&[&["routes", "routes"][..], bad].concat());
        assert_eq!((o.code, o.out.as_str()), (2, ""), "{}", o.err);
        assert!(o.err.contains("error["), "{}", o.err);
    }
}

#[test]
fn a_map_is_the_same_every_time_and_in_every_format() {
    let enterprise = format!("{}/../../examples/enterprise", env!("CARGO_MANIFEST_DIR"));
    for (format, begins, has) in [
        ("svg", "<svg ", "class=\"edge allowed via\""),
        ("html", "<!doctype html>", "allowed, by way of ent-edge"),
        ("dot", "digraph network {", "subgraph cluster_3"),
        ("mermaid", "flowchart LR", "|\"tcp/3306\"|"),
        ("drawio", "<mxfile ", "value=\"tcp/3306\""),
    ] {
        let o = run(&["map", &enterprise, "--format", format]);
        assert_eq!((o.code, o.err.as_str()), (0, ""), "{format}");
        assert!(
            o.out.starts_with(begins) && o.out.contains(has),
            "{format}:\n{}",
            o.out
        );
        assert_eq!(
            o.out,
            run(&["map", &enterprise, "--format", format]).out,
            "{format}"
        );
    }
    // Nothing is loaded from anywhere.
    let page = run(&["map", &enterprise, "--format", "html"]).out;
    for no in ["http://", "https://", "url(", "src="] {
        let found = page.matches(no).count();
        let own = page.matches("http://www.w3.org/2000/svg").count() + page.matches("url(#").count();
        assert!(found == 0 || found <= own, "{no}");
    }
    let o = run(&["map", &enterprise, "--format", "png"]);
    assert_eq!((o.code, o.out.as_str()), (2, ""));
}

#[test]
fn names_in_a_map_are_text() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("main.tf"),
        r#"
resource "alicloud_vpc" "v" {
  vpc_name   = "<script>alert(1)</script>\"&'"
  cidr_block = "10.0.0.0/16"
}
resource "alicloud_vswitch" "s" {
  vswitch_name = "]]></title><img src=x>"
  vpc_id       = alicloud_vpc.v.id
  cidr_block   = "10.0.1.0/24"
}
resource "alicloud_security_group" "g" { vpc_id = alicloud_vpc.v.id }
resource "alicloud_instance" "i" {
  count           = 3
  vswitch_id      = alicloud_vswitch.s.id
  security_groups = [alicloud_security_group.g.id]
}
"#,
    )
    .unwrap();
    for format in ["svg", "html", "drawio"] {
        let o = run_in(dir.path(), &["map", ".", "--format", format]);
        assert_eq!(o.code, 0, "{}", o.err);
        assert!(
            !o.out.contains("<script>alert") && !o.out.contains("<img"),
            "{format}:\n{}",
            o.out
        );
        assert!(o.out.contains("&lt;script&gt;"), "{format}:\n{}", o.out);
        // The line breaks of labels are not taken for characters that no document holds.
        assert!(!o.out.contains('\u{fffd}'), "{format}:\n{}", o.out);
    }
    let o = run_in(dir.path(), &["map", ".", "-o", "x.html"]);
    assert_eq!((o.code, o.out.as_str()), (0, ""), "{}", o.err);
    assert!(
        std::fs::read_to_string(dir.path().join("x.html"))
            .unwrap()
            .starts_with("<!doctype html>")
    );
}

/// `failover`: what leaks when one thing is down, with the place of what carries it.
#[test]
fn failover_takes_one_thing_after_another_down() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let here = std::path::Path::new(root);
    let calm = run_in(here, &["failover", "examples/enterprise"]);
    assert_eq!(calm.code, 0, "{}", calm.out);
    assert!(
        calm.out.contains("breaks") && !calm.out.contains("bypassed"),
        "{}",
        calm.out
    );
    let o = run_in(here, &["failover", "examples/ent-failover-leak"]);
    assert_eq!(o.code, 1, "{}", o.out);
    assert!(
        o.out.contains("bypassed") && o.out.contains("transit.tf:88"),
        "{}",
        o.out
    );
    let o = run_in(
        here,
        &["failover", "examples/ent-failover-leak", "--format", "json"],
    );
    let v: serde_json::Value = serde_json::from_str(&o.out).unwrap();
    assert_eq!(v["question"], "failover");
    let all = v["failures"].as_array().unwrap();
    let hit = all
        .iter()
        .filter(|f| !f["affected"].as_array().unwrap().is_empty())
        .count();
    assert!(hit >= 2 && hit < all.len(), "{}", o.out);
    let bypassed = all.iter().flat_map(|f| f["affected"].as_array().unwrap());
    let bypassed: Vec<_> = bypassed.filter(|a| a["effect"] == "bypassed").collect();
    assert_eq!(bypassed.len(), 1, "{}", o.out);
    assert_eq!(bypassed[0]["by"]["line"], 88);
    let o = run_in(
        here,
        &["failover", "examples/ent-failover-leak", "--format", "markdown"],
    );
    assert!(o.out.starts_with("| down | effect |"), "{}", o.out);
    // Without an intent there is nothing to compare.
    let (_keep, dir) = copy("holds");
    for f in std::fs::read_dir(&dir).unwrap().flatten() {
        if f.path().extension().is_some_and(|e| e == "btz") {
            std::fs::remove_file(f.path()).unwrap();
        }
    }
    let o = run_in(&dir, &["failover", "."]);
    assert!(o.code == 2 && o.err.contains("INPUT001"), "{}{}", o.out, o.err);
}

/// A plan with the directory that it was made from: the directory shows which of two vSwitches is meant.
#[test]
fn a_plan_is_read_with_its_directory() {
    let dir = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| std::fs::write(dir.path().join(path), text).unwrap();
    put(
        "main.tf",
        "variable \"n\" {}
resource \"alicloud_vpc\" \"v\" { cidr_block = \"10.0.0.0/8\" }
resource \"alicloud_vswitch\" \"s\" {
  count      = 2
  vpc_id     = alicloud_vpc.v.id
  cidr_block = \"10.${count.index}.0.0/16\"
}
resource \"alicloud_route_table\" \"t\" { vpc_id = alicloud_vpc.v.id }
resource \"alicloud_route_table_attachment\" \"a\" {
  vswitch_id     = alicloud_vswitch.s[var.n].id
  route_table_id = alicloud_route_table.t.id
}
",
    );
    let one = |address: &str, values: &str| {
        let kind = address.split('.').next().unwrap();
        format!(r#"{{"address": "{address}", "mode": "managed", "type": "{kind}", "values": {values}}}"#)
    };
    let changed = |address: &str, unknown: &str| {
        format!(
            r#"{{"address": "{address}", "change": {{"actions": ["create"], "after_unknown": {unknown}}}}}"#
        )
    };
    let block = |address: &str, expressions: &str| {
        format!(r#"{{"address": "{address}", "mode": "managed", "expressions": {expressions}}}"#)
    };
    let vpc = r#"{"references": ["alicloud_vpc.v.id", "alicloud_vpc.v"]}"#;
    let resources = [
        one("alicloud_vpc.v", r#"{"cidr_block": "10.0.0.0/8"}"#),
        one("alicloud_vswitch.s[0]", r#"{"cidr_block": "10.0.0.0/16"}"#),
        one("alicloud_vswitch.s[1]", r#"{"cidr_block": "10.1.0.0/16"}"#),
        one("alicloud_route_table.t", "{}"),
        one("alicloud_route_table_attachment.a", "{}"),
    ];
    let changes = [
        changed("alicloud_vpc.v", r#"{"id": true}"#),
        changed("alicloud_vswitch.s[0]", r#"{"id": true, "vpc_id": true}"#),
        changed("alicloud_vswitch.s[1]", r#"{"id": true, "vpc_id": true}"#),
        changed("alicloud_route_table.t", r#"{"id": true, "vpc_id": true}"#),
        changed(
            "alicloud_route_table_attachment.a",
            r#"{"id": true, "vswitch_id": true, "route_table_id": true}"#,
        ),
    ];
    let blocks = [
        block(
            "alicloud_vpc.v",
            r#"{"cidr_block": {"constant_value": "10.0.0.0/8"}}"#,
        ),
        block(
            "alicloud_vswitch.s",
            &format!(r#"{{"vpc_id": {vpc}, "cidr_block": {{"references": ["count.index"]}}}}"#),
        )
        .replace(
            "\"expressions\"",
            "\"count_expression\": {\"constant_value\": 2}, \"expressions\"",
        ),
        block("alicloud_route_table.t", &format!(r#"{{"vpc_id": {vpc}}}"#)),
        block(
            "alicloud_route_table_attachment.a",
            r#"{"vswitch_id": {"references": ["alicloud_vswitch.s", "var.n"]},
                "route_table_id": {"references": ["alicloud_route_table.t.id", "alicloud_route_table.t"]}}"#,
        ),
    ];
    let plan = format!(
        r#"{{"format_version": "1.2", "terraform_version": "1.11.4", "variables": {{"n": {{"value": 1}}}},
            "planned_values": {{"root_module": {{"resources": [{}]}}}}, "resource_changes": [{}],
            "configuration": {{"root_module": {{"resources": [{}]}}}}}}"#,
        resources.join(","),
        changes.join(","),
        blocks.join(",")
    );
    put("plan.json", &plan);
    let alone = run_in(dir.path(), &["inventory", "plan.json"]);
    assert!(
        alone.err.contains("--config DIR") || alone.out.contains("--config DIR"),
        "{}{}",
        alone.out,
        alone.err
    );
    let both = run_in(dir.path(), &["inventory", "plan.json", "--config", "."]);
    assert_eq!(both.code, 0, "{}", both.err);
    assert!(
        !both.err.contains("unknown") && !both.out.contains("unknown"),
        "{}{}",
        both.out,
        both.err
    );
    // The directory has changed since in a reference alone.
    let main = std::fs::read_to_string(dir.path().join("main.tf")).unwrap();
    put(
        "main.tf",
        &main.replace("s[var.n].id", "s[1 - var.n + 0 * length(alicloud_vpc.v.id)].id"),
    );
    let changed = run_in(dir.path(), &["inventory", "plan.json", "--config", "."]);
    assert!(
        changed
            .err
            .contains("`vswitch_id` of `alicloud_route_table_attachment.a` is another in the directory"),
        "{}",
        changed.err
    );
    let nowhere = run_in(dir.path(), &["inventory", "plan.json", "--config", "nowhere"]);
    assert_eq!(nowhere.code, 2);
}

// §12: of two connections for one prefix the one in use counts, and the longest prefix before that.
#[test]
fn routes_explain_what_a_vpn_gateway_picks() {
    let net = |dest: &str, weight: u32| {
        format!(
            r#"
resource "alicloud_vpc" "v" {{ cidr_block = "10.0.0.0/16" }}
resource "alicloud_vswitch" "s" {{
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.0.1.0/24"
}}
resource "alicloud_vpn_gateway" "g" {{
  vpc_id       = alicloud_vpc.v.id
  vswitch_id   = alicloud_vswitch.s.id
  enable_ipsec = true
}}
resource "alicloud_vpn_customer_gateway" "c" {{
  for_each   = {{ one = "9.9.9.1", two = "9.9.9.2" }}
  ip_address = each.value
}}
resource "alicloud_vpn_connection" "c" {{
  for_each            = alicloud_vpn_customer_gateway.c
  vpn_gateway_id      = alicloud_vpn_gateway.g.id
  customer_gateway_id = each.value.id
  local_subnet        = ["0.0.0.0/0"]
  remote_subnet       = ["0.0.0.0/0"]
}}
resource "alicloud_vpn_route_entry" "one" {{
  vpn_gateway_id = alicloud_vpn_gateway.g.id
  route_dest     = "{dest}"
  next_hop       = alicloud_vpn_connection.c["one"].id
  weight         = 100
  publish_vpc    = true
}}
resource "alicloud_vpn_route_entry" "two" {{
  vpn_gateway_id = alicloud_vpn_gateway.g.id
  route_dest     = "10.200.0.0/16"
  next_hop       = alicloud_vpn_connection.c["two"].id
  weight         = {weight}
  publish_vpc    = true
}}
"#
        )
    };
    let ends = |dest: &str, weight: u32| -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("main.tf"), net(dest, weight)).unwrap();
        let o = run_in(
            dir.path(),
            &[
                "routes",
                ".",
                "--explain",
                "10.200.0.5",
                "--table",
                "alicloud_vpc.v",
            ],
        );
        assert_eq!(o.code, 0, "{}", o.err);
        // The table of the gateway itself lists its entries one by one.
        let vpc = o.out.split("VPN gateway table").next().unwrap();
        let mut out: Vec<String> = Vec::new();
        for name in ["one", "two"] {
            if vpc.contains(&format!("by alicloud_vpn_connection.c[\"{name}\"]")) {
                out.push(name.to_string());
            }
        }
        out
    };
    // The second one is the standby of the first.
    assert_eq!(ends("10.200.0.0/16", 0), ["one"]);
    assert_eq!(ends("10.200.0.0/24", 100), ["one"]);
    // The more specific route is for other addresses.
    assert_eq!(ends("10.200.1.0/24", 100), ["two"]);
}

// §3.4: what the tables of two ends do together.
#[test]
fn routes_tell_what_does_not_come_back() {
    let net = |more: &str| {
        format!(
            r#"
locals {{ nets = {{ a = "10.0", b = "10.1" }} }}
resource "alicloud_vpc" "v" {{
  for_each   = local.nets
  cidr_block = "${{each.value}}.0.0/16"
}}
resource "alicloud_vswitch" "s" {{
  for_each   = local.nets
  vpc_id     = alicloud_vpc.v[each.key].id
  cidr_block = "${{each.value}}.1.0/24"
}}
resource "alicloud_security_group" "g" {{ vpc_id = alicloud_vpc.v["a"].id }}
resource "alicloud_instance" "fw" {{
  vswitch_id      = alicloud_vswitch.s["a"].id
  private_ip      = "10.0.1.5"
  security_groups = [alicloud_security_group.g.id]
}}
resource "alicloud_vpc_peer_connection" "p" {{
  vpc_id              = alicloud_vpc.v["a"].id
  accepting_vpc_id    = alicloud_vpc.v["b"].id
  accepting_region_id = "cn-hangzhou"
}}
resource "alicloud_vpc_peer_connection_accepter" "p" {{
  instance_id = alicloud_vpc_peer_connection.p.id
}}
resource "alicloud_route_entry" "there" {{
  route_table_id        = alicloud_vpc.v["a"].route_table_id
  destination_cidrblock = "10.1.0.0/16"
  nexthop_type          = "VpcPeer"
  nexthop_id            = alicloud_vpc_peer_connection.p.id
}}
{more}
"#
        )
    };
    let ask = |more: &str| -> (Vec<String>, String) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("main.tf"), net(more)).unwrap();
        let o = run_in(dir.path(), &["routes", ".", "--format", "json"]);
        assert_eq!(o.code, 0, "{}", o.err);
        let v: Value = serde_json::from_str(&o.out).unwrap();
        let all = v["uneven"].as_array().unwrap().iter();
        let all = all.map(|u| format!("{} {} {}: {}", u["effect"], u["from"], u["to"], u["why"]));
        let text = run_in(dir.path(), &["routes", "."]).out;
        (all.collect(), text)
    };
    let (a, b) = ("alicloud_vswitch.s[\\\"a\\\"]", "alicloud_vswitch.s[\\\"b\\\"]");
    let (all, text) = ask("");
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(
        all[0].starts_with(&format!(
            "\"asymmetric\" [\"{a}\"] [\"{b}\"]: \"what gets there has no way back"
        )),
        "{all:?}"
    );
    assert!(text.contains("1 asymmetric, 0 leak"), "{text}");
    let home = |hop: &str| {
        format!(
            r#"
resource "alicloud_route_entry" "back" {{
  route_table_id        = alicloud_vpc.v["b"].route_table_id
  destination_cidrblock = "{}"
  {hop}
}}
"#,
            if hop.contains("Nat") {
                "0.0.0.0/0"
            } else {
                "10.0.0.0/16"
            }
        )
    };
    let peer = home("nexthop_type = \"VpcPeer\"\n  nexthop_id = alicloud_vpc_peer_connection.p.id");
    let (all, _) = ask(&peer);
    assert!(all.is_empty(), "{all:?}");
    // The default route takes the replies.
    let nat = r#"
resource "alicloud_nat_gateway" "n" {
  vpc_id     = alicloud_vpc.v["b"].id
  vswitch_id = alicloud_vswitch.s["b"].id
  nat_type   = "Enhanced"
}
"#;
    let (all, text) =
        ask(&(nat.to_string()
            + &home("nexthop_type = \"NatGateway\"\n  nexthop_id = alicloud_nat_gateway.n.id")));
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(
        all[0].starts_with(&format!(
            "\"leak\" [\"{b}\"] [\"{a}\"]: \"out by alicloud_nat_gateway.n"
        )),
        "{all:?}"
    );
    assert!(text.contains("0 asymmetric, 1 leak"), "{text}");
}
