//! `check` end to end: verdicts, exit codes, formats.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use common::{append, copy, run, run_in};
use serde_json::Value;

#[test]
fn what_holds_exits_0_and_says_so() {
    let o = run(&["check", "holds", "--as-of", "2026-11-23"]);
    assert_eq!(o.code, 0, "{}{}", o.out, o.err);
    assert!(o.out.contains("boundary prod  all 5 hold"), "{}", o.out);
    assert!(o.out.contains("✓ never internet -> db : any"));
    assert!(
        o.out
            .ends_with("HOLDS  5 of 5 clauses proved · 1 of 1 test passed\n"),
        "{}",
        o.out
    );
    assert!(!o.out.contains('\x1b'), "no colours into a pipe");
}

#[test]
fn one_open_rule_is_one_finding_at_its_line() {
    let o = run(&["check", "open", "--as-of", "2026-11-23"]);
    assert_eq!(o.code, 1);
    assert_eq!(o.out.matches("error[").count(), 1, "{}", o.out);
    for part in [
        "error[REACH003]: internet can reach web on tcp/22",
        "open/main.tf:92:1",
        "resource \"alicloud_security_group_rule\" \"tmp_ssh\" {",
        "fix      delete `alicloud_security_group_rule.tmp_ssh`  [safe",
        "✗ governs web, db  violated  REACH003",
        "✗ internet cannot reach web on ssh",
        "VIOLATED",
    ] {
        assert!(o.out.contains(part), "no `{part}` in\n{}", o.out);
    }
}

#[test]
fn every_format_tells_the_same() {
    let json = run(&["check", "open", "--format", "json"]);
    assert_eq!(json.code, 1);
    let v: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(v["verdict"], "violated");
    let findings = v["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0]["locations"][0]["line"], 92);
    assert_eq!(findings[0]["witness"]["destination_port"], 22);
    assert_eq!(v["inventory"]["resources"], 13);
    let sarif = run(&["check", "open", "--format", "sarif"]);
    let s: Value = serde_json::from_str(&sarif.out).unwrap();
    let errors = s["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["level"] == "error")
        .count();
    assert_eq!((sarif.code, errors), (1, 1));
    let junit = run(&["check", "open", "--format", "junit"]);
    assert!(
        junit.code == 1 && junit.out.contains("failures=\"2\" errors=\"0\""),
        "{}",
        junit.out
    );
    let md = run(&["check", "open", "--format", "markdown"]);
    assert!(md.code == 1 && md.out.contains("#### error REACH003"));
}

#[test]
fn real_documents_obey_the_schema() {
    let text = include_str!("../../../docs/schema/check-1.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap();
    let (_keep, dir) = copy("open");
    append(
        &dir.join("main.tf"),
        "\nresource \"alicloud_dfs_mount_point\" \"x\" {\n  vpc_id = alicloud_vpc.main.id\n}\n",
    );
    run_in(&dir, &["inventory", ".", "--snapshot", "net.json"]);
    std::fs::create_dir(dir.join("broken")).unwrap();
    std::fs::write(dir.join("broken/x.tf"), "resource {").unwrap();
    for paths in [&["."][..], &["net.json"], &["broken", "."]] {
        let args = [&["check", "--format", "json", "--intent", "intent.btz"], paths].concat();
        let v: Value = serde_json::from_str(&run_in(&dir, &args).out).unwrap();
        let errors: Vec<String> = schema
            .iter_errors(&v)
            .map(|e| format!("{e} at {}", e.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{paths:?}: {errors:#?}");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let one = run(&["check", "open", "--format", "json", "--as-of", "2026-11-23"]);
    for _ in 0..3 {
        assert_eq!(
            run(&["check", "open", "--format", "json", "--as-of", "2026-11-23"]).out,
            one.out
        );
    }
}

#[test]
fn several_paths_are_several_runs_and_the_worst_counts() {
    let o = run(&["check", "holds", "open", "--format", "json"]);
    let v: Value = serde_json::from_str(&o.out).unwrap();
    assert_eq!(o.code, 1);
    assert_eq!(v["verdict"], "violated");
    let verdicts: Vec<&Value> = v["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| &r["verdict"])
        .collect();
    assert_eq!(verdicts, ["holds", "violated"]);
}

#[test]
fn what_is_not_modelled_makes_claims_undecided() {
    let (_keep, dir) = copy("holds");
    append(
        &dir.join("main.tf"),
        "\nresource \"alicloud_dfs_mount_point\" \"x\" {\n  vpc_id = alicloud_vpc.main.id\n}\n",
    );
    let o = run_in(&dir, &["check", "."]);
    assert_eq!(o.code, 3, "{}", o.out);
    assert!(
        o.out.contains("UNDECIDED") && o.out.contains("alicloud_dfs_mount_point.x"),
        "{}",
        o.out
    );
    let o = run_in(&dir, &["check", ".", "--assume", "A-UNMODELLED=harmless"]);
    assert_eq!(o.code, 0, "{}", o.out);
}

#[test]
fn an_exception_counts_through_its_last_day() {
    let (_keep, dir) = copy("open");
    let intent = std::fs::read_to_string(dir.join("intent.btz")).unwrap();
    let (head, _test) = intent.split_once("test ").unwrap();
    let exception = "exception EX-1 in prod {\n  allow internet -> web : ssh\n  because \"cut-over\"\n  ticket CHG-1\n  owner li\n  starts 2026-11-01\n  expires 2026-12-31\n}\n";
    std::fs::write(dir.join("intent.btz"), format!("{head}{exception}")).unwrap();
    let on = |day: &str| run_in(&dir, &["check", ".", "--as-of", day]);
    assert_eq!(on("2026-12-31").code, 0, "{}", on("2026-12-31").out);
    let after = on("2027-01-01");
    assert_eq!(after.code, 1);
    assert!(
        after.out.contains("EX-1") && after.out.contains("not in force on this day"),
        "{}",
        after.out
    );
}

#[test]
fn warnings_fail_only_where_asked_for() {
    // The fixture has one: an `allow` of every service.
    assert_eq!(run(&["check", "holds"]).code, 0);
    assert_eq!(run(&["check", "holds", "--fail-on", "warning"]).code, 1);
}

#[test]
fn a_variable_changes_what_is_judged() {
    let o = run(&["check", "holds", "--var", "db_port=5432"]);
    assert_eq!(o.code, 1);
    assert!(o.out.contains("must web -> db : mysql  violated"), "{}", o.out);
}

#[test]
fn a_snapshot_is_judged_like_its_source() {
    let (_keep, dir) = copy("open");
    let o = run_in(&dir, &["inventory", ".", "--snapshot", "net.json"]);
    assert_eq!(o.code, 0, "{}", o.err);
    let prints = |path: &str| -> Vec<Value> {
        let o = run_in(&dir, &["check", path, "--format", "json"]);
        assert_eq!(o.code, 1);
        let v: Value = serde_json::from_str(&o.out).unwrap();
        v["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["fingerprint"].clone())
            .collect()
    };
    assert_eq!(prints("."), prints("net.json"));
    let o = run_in(&dir, &["check", "net.json"]);
    assert!(
        o.out.contains("main.tf:92:1"),
        "a snapshot keeps places: {}",
        o.out
    );
}

#[test]
fn a_draft_holds_on_the_network_that_it_was_made_from() {
    for name in ["holds", "open"] {
        let (_keep, dir) = copy(name);
        std::fs::remove_file(dir.join("intent.btz")).unwrap();
        let o = run_in(&dir, &["draft", ".", "--output", "intent.btz"]);
        assert_eq!(o.code, 0, "{}", o.err);
        let o = run_in(&dir, &["check", "."]);
        assert_eq!(o.code, 0, "{}", o.out);
        assert!(o.out.contains("zone") && !o.out.contains("unzoned"), "{}", o.out);
        assert_eq!(run_in(&dir, &["intent", "fmt", "--check", "intent.btz"]).code, 0);
    }
}

#[test]
fn a_draft_tells_resources_apart_when_nothing_else_does() {
    let (_keep, dir) = copy("holds");
    let text = std::fs::read_to_string(dir.join("main.tf")).unwrap();
    let eni = "resource \"alicloud_ecs_network_interface\" \"second\" {\n  vswitch_id = alicloud_vswitch.web.id\n  security_group_ids = [alicloud_security_group.web.id]\n}\nresource \"alicloud_ecs_network_interface_attachment\" \"second\" {\n  instance_id = alicloud_instance.web.id\n  network_interface_id = alicloud_ecs_network_interface.second.id\n}\n";
    let text = text.replace("tags            = { tier = \"web\" }", "");
    let text = text
        .replace("alicloud_vswitch.db.id", "alicloud_vswitch.web.id")
        .replace("10.0.2.10", "10.0.1.20");
    std::fs::write(dir.join("main.tf"), text + eni).unwrap();
    let o = run_in(&dir, &["draft", ".", "--output", "intent.btz"]);
    assert_eq!(o.code, 0, "{}", o.err);
    let draft = std::fs::read_to_string(dir.join("intent.btz")).unwrap();
    assert!(draft.contains("= tf \"alicloud_instance.web\""), "{draft}");
    let o = run_in(&dir, &["check", "."]);
    assert_eq!(o.code, 0, "{}", o.out);
}

#[test]
fn output_files_appear_whole() {
    let (_keep, dir) = copy("holds");
    std::fs::write(dir.join("r.json"), "old").unwrap();
    let o = run_in(&dir, &["check", ".", "--format", "json", "--output", "r.json"]);
    assert!(o.code == 0 && o.out.is_empty());
    let text = std::fs::read_to_string(dir.join("r.json")).unwrap();
    assert!(serde_json::from_str::<Value>(&text).is_ok());
    let left: Vec<_> = std::fs::read_dir(&dir)
        .unwrap()
        .map(|f| f.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 3, "nothing is left behind: {left:?}");
    let o = run_in(&dir, &["check", ".", "--output", "no/such/dir/r"]);
    assert!(
        o.code == 2 && o.err.contains("cannot write `no/such/dir/r`: no such file"),
        "{}",
        o.err
    );
}

#[test]
fn colours_follow_the_flag_and_the_environment() {
    assert!(run(&["check", "holds", "--color", "always"]).out.contains('\x1b'));
    let dir = common::fixture("");
    let with = |vars: &[(&str, &str)]| {
        let mut c = common::command(dir.as_ref());
        c.args(["check", "holds"]).envs(vars.iter().copied());
        String::from_utf8(c.output().unwrap().stdout)
            .unwrap()
            .contains('\x1b')
    };
    assert!(with(&[("CLICOLOR_FORCE", "1")]));
    assert!(!with(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!with(&[]));
}

/// The order of the command line counts, and what `TF_CLI_ARGS` adds to every plan comes before it.
#[test]
fn variables_are_given_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    put(
        "main.tf",
        "variable \"c\" { default = \"none\" }\nresource \"alicloud_vpc\" \"v\" { vpc_name = var.c }\n",
    );
    put("x.tfvars", "c = \"from-file\"\n");
    let with = |args: &[&str], env: &[(&str, &str)]| {
        let mut c = common::command(dir.path());
        let all = ["inventory", ".", "--snapshot", "-", "--output", "/dev/null"];
        c.args(all).args(args).envs(env.iter().copied());
        let o = c.output().unwrap();
        let text = String::from_utf8(o.stdout).unwrap() + &String::from_utf8(o.stderr).unwrap();
        let name = ["none", "from-file", "first", "second", "a b"];
        let found = name.into_iter().find(|n| text.contains(&format!("\"{n}\"")));
        (found.unwrap_or("?"), text)
    };
    let file = ["--var-file", "x.tfvars"];
    let var = ["--var", "c=first"];
    assert_eq!(with(&[], &[]).0, "none");
    assert_eq!(with(&[var, file].concat(), &[]).0, "from-file");
    assert_eq!(with(&[file, var].concat(), &[]).0, "first");
    assert_eq!(
        with(&["--var=c=first", "--var-file=x.tfvars", "--var=c=second"], &[]).0,
        "second"
    );
    assert_eq!(
        with(&[], &[("TF_CLI_ARGS_plan", "-no-color -var-file=x.tfvars")]).0,
        "from-file"
    );
    assert_eq!(with(&[], &[("TF_CLI_ARGS_plan", "-var 'c=a b'")]).0, "a b");
    let both = [
        ("TF_CLI_ARGS_plan", "-var c=first"),
        ("TF_CLI_ARGS", "--var=c=second"),
    ];
    assert_eq!(with(&[], &both).0, "second");
    assert_eq!(with(&file, &both).0, "from-file");
    let narrow = with(&[], &[("TF_CLI_ARGS_plan", "-target=alicloud_vpc.v")]).1;
    assert!(
        narrow.contains("`-target` of `TF_CLI_ARGS_plan` is not counted"),
        "{narrow}"
    );
    let broken = with(&[], &[("TF_CLI_ARGS", "-var 'c=1")]).1;
    assert!(broken.contains("a quote without its end"), "{broken}");
    let missing = with(&[], &[("TF_CLI_ARGS", "-var-file=none.tfvars")]).1;
    assert!(missing.contains("none.tfvars"), "{missing}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut c = common::command(common::fixture("").as_ref());
    let mut child = c
        .args(["explain", "REACH001"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_document_may_come_from_a_pipe() {
    let (_keep, dir) = copy("holds");
    run_in(&dir, &["inventory", ".", "--snapshot", "net.json"]);
    let mut c = common::command(&dir);
    c.args(["check", "-"])
        .stdin(std::fs::File::open(dir.join("net.json")).unwrap());
    let o = c.output().unwrap();
    assert_eq!(o.status.code(), Some(0), "{}", String::from_utf8_lossy(&o.stderr));
    let mut c = common::command(&dir);
    let o = c.args(["check", "-"]).output().unwrap();
    assert_eq!(o.status.code(), Some(2), "nothing is no network");
}

/// An intent that was emptied, or lies elsewhere, proves nothing: no format and no exit code may look like a pass.
#[test]
fn an_intent_of_which_nothing_is_checked_does_not_pass() {
    for intent in ["", "# nothing yet\n", "edition 2027\nzone web = tag tier=web\n"] {
        let (_keep, dir) = copy("holds");
        std::fs::write(dir.join("intent.btz"), intent).unwrap();
        for format in ["pretty", "json", "sarif", "junit", "markdown"] {
            let o = run_in(&dir, &["check", ".", "--format", format]);
            assert_eq!(o.code, 2, "{format}: {}", o.out);
            assert!(o.out.contains("INTENT019"), "{format}: {}", o.out);
            assert!(
                !o.out.contains("HOLDS") && !o.out.contains("\"holds\""),
                "{format}: {}",
                o.out
            );
        }
        let junit = run_in(&dir, &["check", ".", "--format", "junit"]).out;
        assert!(
            junit.contains("tests=\"1\"") && junit.contains("errors=\"1\""),
            "{junit}"
        );
        // Questions need no clauses.
        assert_eq!(run_in(&dir, &["reach", "."]).code, 0);
    }
    // What has expired as a whole is nothing either.
    let (_keep, dir) = copy("holds");
    let exception = "edition 2027\nzone web = tag tier=web\nzone internet = outside\nboundary b {\n  mode enforce\n}\n\
                     exception EX-1 in b {\n  allow internet -> web : ssh\n  because \"cut-over\"\n  ticket CHG-1\n  \
                     owner li\n  starts 2026-11-01\n  expires 2026-12-31\n}\n";
    std::fs::write(dir.join("intent.btz"), exception).unwrap();
    let o = run_in(&dir, &["check", ".", "--as-of", "2027-01-01"]);
    assert_eq!(o.code, 2, "{}", o.out);
    assert!(
        o.out
            .contains("no clause of the intent is in force on 2027-01-01"),
        "{}",
        o.out
    );
    // A closed world alone is a claim.
    let closed =
        "edition 2027\nzone all = everything except outside\nboundary b governs all {\n  mode enforce\n}\n";
    std::fs::write(dir.join("intent.btz"), closed).unwrap();
    let o = run_in(&dir, &["check", "."]);
    assert!(!o.out.contains("INTENT019") && o.code != 2, "{}", o.out);
}

/// `allow` opens and demands nothing: an intent of nothing else cannot be violated, so nothing is checked.
#[test]
fn an_intent_that_only_allows_does_not_hold() {
    let zones = "edition 2027\nzone web = tag tier=web\nzone internet = outside\n";
    let allows = [
        "allow internet -> web : https\n",
        "boundary b {\n  allow internet -> web : https\n}\n",
    ];
    for allow in allows {
        let (_keep, dir) = copy("holds");
        std::fs::write(dir.join("intent.btz"), format!("{zones}{allow}")).unwrap();
        for format in ["pretty", "json", "sarif", "junit", "markdown"] {
            let o = run_in(&dir, &["check", ".", "--format", format]);
            assert_eq!(o.code, 2, "{format}: {}", o.out);
            assert!(o.out.contains("INTENT019"), "{format}: {}", o.out);
            assert!(!o.out.contains("HOLDS"), "{format}: {}", o.out);
        }
        let o = run_in(&dir, &["check", "."]);
        let last = o.out.trim_end().lines().last().unwrap();
        assert!(last.starts_with("NOTHING CHECKED"), "{}", o.out);
        assert!(
            o.out.contains("intent.btz:") && o.out.contains("governs ZONE"),
            "{}",
            o.out
        );
        let json: serde_json::Value =
            serde_json::from_str(&run_in(&dir, &["check", ".", "--format", "json"]).out).unwrap();
        assert_eq!(json["verdict"], "undecided");
        // Anything that can be violated is enough.
        for claim in [
            "never internet -> web : ssh\n",
            "test \"t\" {\n  internet cannot reach web on ssh\n}\n",
            "boundary c governs web {\n  mode enforce\n}\n",
        ] {
            std::fs::write(dir.join("intent.btz"), format!("{zones}{allow}{claim}")).unwrap();
            let o = run_in(&dir, &["check", "."]);
            assert!(!o.out.contains("INTENT019") && o.code != 2, "{}", o.out);
        }
    }
}

/// What is behind a link is a zone of its own; where Terraform does not say what that is, the draft says so.
#[test]
fn a_draft_tells_what_is_behind_links() {
    let dir = tempfile::tempdir().unwrap();
    let from = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/enterprise");
    for f in std::fs::read_dir(from).unwrap().map(|f| f.unwrap()) {
        if !f.file_name().to_string_lossy().ends_with(".btz") && f.path().is_file() {
            std::fs::copy(f.path(), dir.path().join(f.file_name())).unwrap();
        }
    }
    let draft = run_in(dir.path(), &["draft", ".", "--output", "d.btz"]);
    assert_eq!(draft.code, 0, "{}", draft.err);
    let text = std::fs::read_to_string(dir.path().join("d.btz")).unwrap();
    assert!(text.contains("= everything via vpn ent-office"), "{text}");
    assert!(
        text.contains("# link ent-dc = vbr \"ent-dc\" { networks 10.0.0.0/8 }"),
        "{text}"
    );
    assert!(
        text.contains("Terraform does not say which networks are behind these links"),
        "{text}"
    );
    assert!(!text.contains("vswitch \"ent-dc\""), "{text}");
    let o = run_in(dir.path(), &["check", "."]);
    assert!(o.code == 3 && !o.out.contains("INTENT009"), "{}", o.out);
    assert!(o.out.contains("say so with a `link`"), "{}", o.out);
    // The lines to fill in are words of the language.
    let said = text.replace("# link", "link").replace("# zone", "zone");
    std::fs::write(
        dir.path().join("d.btz"),
        said.replace("10.0.0.0/8", "10.50.0.0/16"),
    )
    .unwrap();
    let o = run_in(dir.path(), &["zones", "."]);
    assert!(o.code == 0 && o.out.contains("ent-dc"), "{} {}", o.out, o.err);
}

/// What `terraform workspace select` has left in a directory counts as it does for Terraform.
#[test]
fn the_selected_workspace_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let net = r#"
resource "alicloud_vpc" "v" {
  count      = terraform.workspace == "prod" ? 1 : 0
  cidr_block = "10.0.0.0/16"
}
"#;
    std::fs::write(dir.path().join("main.tf"), net).unwrap();
    let vpcs = |args: &[&str]| {
        let o = run_in(
            dir.path(),
            &[&["inventory", ".", "--format", "json"], args].concat(),
        );
        assert_eq!(o.code, 0, "{}", o.err);
        o.out.matches("alicloud_vpc.v[0]").count()
    };
    assert_eq!(vpcs(&[]), 0);
    std::fs::create_dir(dir.path().join(".terraform")).unwrap();
    std::fs::write(dir.path().join(".terraform/environment"), "prod").unwrap();
    assert!(vpcs(&[]) > 0);
    assert_eq!(vpcs(&["--workspace", "default"]), 0);
}
