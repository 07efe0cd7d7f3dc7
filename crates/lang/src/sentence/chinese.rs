//! Chinese sentences.

use super::{clauses_of, services};
use crate::date::Date;
use crate::intent::{Clause, Exception, Intent, SetExpr, TestStatement, WaypointRef};
use crate::tree::{DownKind, Expect, Verb};
use bartizan_packet::ServiceSet;

/// Puts texts together with a blank where a Han character meets a Latin letter or a digit, as is the custom.
/// Each text stays as it is inside.
fn glue(parts: &[&str]) -> String {
    let mut out = String::new();
    for p in parts {
        let (Some(next), last) = (p.chars().next(), out.chars().next_back()) else {
            continue;
        };
        let is_han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
        let latin = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '/');
        if last.is_some_and(|l| (is_han(l) && latin(next)) || (latin(l) && is_han(next))) {
            out.push(' ');
        }
        out.push_str(p);
    }
    out
}

fn join(items: &[String], word: &str) -> String {
    match items.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{}{word}{last}", rest.join("、")),
    }
}

fn set(intent: &Intent, s: &SetExpr, word: &str) -> String {
    match s {
        SetExpr::Zone(z) => glue(&[intent.zone_name(*z), "区域"]),
        SetExpr::Env(e) => glue(&[intent.env_name(*e), "环境"]),
        SetExpr::Cidr(n) if n.prefix_len() == n.max_prefix_len() => glue(&["地址", &n.addr().to_string()]),
        SetExpr::Cidr(n) => glue(&["网段", &n.to_string()]),
        SetExpr::Everything => "任何主体".to_string(),
        SetExpr::Outside => "公网".to_string(),
        SetExpr::Unzoned => "不属于任何区域的端点".to_string(),
        SetExpr::Union(items) => {
            let items: Vec<String> = items.iter().map(|s| set(intent, s, word)).collect();
            join(&items, word)
        }
        SetExpr::Except(a, b) => glue(&[&set(intent, a, word), "（", &set(intent, b, "和"), "除外）"]),
    }
}

fn on(c: &Clause) -> String {
    if c.services.is_any() {
        "任何服务".to_string()
    } else {
        glue(&[&services(c, "（", "）", "须使用 TLS"), "服务"])
    }
}

fn because(reason: Option<&str>) -> String {
    reason.map_or(String::new(), |r| {
        glue(&["理由：", r.trim_end_matches(['。', '.']), "。"])
    })
}

fn day(d: Date) -> String {
    glue(&[
        &d.year().to_string(),
        "年",
        &d.month().to_string(),
        "月",
        &d.day().to_string(),
        "日",
    ])
}

fn waypoint(intent: &Intent, w: Option<&WaypointRef>) -> String {
    match w {
        Some(WaypointRef::Zone(z)) => glue(&[intent.zone_name(*z), "区域"]),
        Some(WaypointRef::Named(n)) => glue(&["设备", n]),
        Some(WaypointRef::Nat(g)) => glue(&["名为“", g, "”的 NAT 网关"]),
        Some(WaypointRef::Firewall(g)) => glue(&["名为“", g, "”的防火墙"]),
        Some(WaypointRef::Tf(g)) => glue(&["资源", g]),
        None => "无".to_string(),
    }
}

pub(super) fn clause(intent: &Intent, c: &Clause) -> String {
    let from = |word| set(intent, &c.from, word);
    let to = |word| set(intent, &c.to, word);
    let main = match c.kind {
        Verb::Allow => glue(&["允许", &from("或"), "访问", &to("或"), "的", &on(c), "。"]),
        Verb::Must => glue(&[
            &from("和"),
            "的每个端点都必须能够访问",
            &to("和"),
            "的每个端点的",
            &on(c),
            "。",
        ]),
        Verb::MustSome => glue(&[
            &from("和"),
            "中至少有一个端点必须能够访问",
            &to("和"),
            "的",
            &on(c),
            "。",
        ]),
        Verb::Only => glue(&[
            "只有",
            &from("或"),
            "可以访问",
            &to("或"),
            "的",
            &on(c),
            "，其他任何主体都不可以。",
        ]),
        Verb::Never => glue(&[
            "严禁",
            &from("或"),
            "访问",
            &to("或"),
            "的",
            &on(c),
            "，任何例外都不能改变这一点。",
        ]),
        Verb::Through | Verb::NotThrough => {
            let which = if c.services.is_any() {
                String::new()
            } else {
                format!("（{}）", on(c))
            };
            let m = waypoint(intent, c.waypoint.as_ref());
            let must = if c.kind == Verb::Through {
                "必须"
            } else {
                "不得"
            };
            glue(&[
                "从",
                &from("或"),
                "到",
                &to("或"),
                "的每条路径",
                &which,
                "都",
                must,
                "经过",
                &m,
                "。",
            ])
        }
    };
    format!("{main}{}", because(c.because.as_deref()))
}

pub(super) fn exception(intent: &Intent, e: &Exception) -> String {
    let what: Vec<String> = clauses_of(intent, e)
        .map(|c| {
            glue(&[
                "允许",
                &set(intent, &c.from, "或"),
                "访问",
                &set(intent, &c.to, "或"),
                "的",
                &on(c),
            ])
        })
        .collect();
    let boundary = intent
        .boundaries
        .get(e.boundary.index())
        .map_or("?", |b| b.name.as_str());
    let when = match (e.starts, e.expires) {
        (Some(s), Some(x)) => glue(&["自", &day(s), "起至", &day(x), "止"]),
        (None, Some(x)) => glue(&["至", &day(x), "止"]),
        (_, None) => "未写明到期日，因此不生效".to_string(),
    };
    let what = if what.is_empty() {
        "没有放行任何访问".to_string()
    } else {
        what.join("；")
    };
    let mut out = glue(&["边界", boundary, "的例外", &e.id, "：", &when, "，", &what, "。"]);
    out.push_str(&because(e.because.as_deref()));
    if let Some(t) = &e.ticket {
        out.push_str(&glue(&["工单：", t, "。"]));
    }
    if let Some(o) = &e.owner {
        out.push_str(&glue(&["负责人：", o, "。"]));
    }
    let approvals: Vec<String> = e
        .approvals
        .iter()
        .map(|a| match &a.role {
            Some(r) => format!("{}（{r}）", a.by),
            None => a.by.clone(),
        })
        .collect();
    if !approvals.is_empty() {
        out.push_str(&glue(&["批准人：", &join(&approvals, "、"), "。"]));
    }
    out
}

pub(super) fn expectation(intent: &Intent, s: &TestStatement) -> String {
    let mut before = String::new();
    if let Some(d) = s.as_of {
        before.push_str(&glue(&["在", &day(d), "，"]));
    }
    if !s.down.is_empty() {
        let down: Vec<String> = s
            .down
            .iter()
            .map(|d| format!("{} {}", down_word(d.kind), d.name))
            .collect();
        before.push_str(&glue(&["当", &join(&down, "和"), "中断时，"]));
    }
    let on = if s.services == ServiceSet::any() {
        "任何服务".to_string()
    } else {
        glue(&[&s.service_text, "服务"])
    };
    let verb = match s.expect {
        Expect::Can => "能够访问",
        Expect::Cannot => "不能访问",
    };
    glue(&[
        &before,
        &set(intent, &s.from, "或"),
        verb,
        &set(intent, &s.to, "或"),
        "的",
        &on,
        "。",
    ])
}

fn down_word(k: DownKind) -> &'static str {
    match k {
        DownKind::Vpn => "VPN 连接",
        DownKind::Vbr => "边界路由器",
        DownKind::Cen => "云企业网连接",
        DownKind::Tr => "转发路由器连接",
        DownKind::Peering => "VPC 对等连接",
        DownKind::Nat => "NAT 网关",
        DownKind::Lb => "负载均衡",
        DownKind::Ecs => "ECS 实例",
        DownKind::Eni => "弹性网卡",
        DownKind::Vswitch => "交换机",
        DownKind::Az => "可用区",
        DownKind::Tf => "资源",
    }
}
