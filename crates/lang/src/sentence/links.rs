//! Links, sites and what is apart, as sentences.

use super::Lang;
use crate::intent::{Intent, Link};
use crate::tree::LinkKind;
use ipnet::IpNet;

fn nets(all: &[IpNet], lang: Lang) -> String {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    all.join(if lang == Lang::En { ", " } else { "、" })
}

fn link(l: &Link, lang: Lang) -> String {
    let mut out = match (lang, l.kind) {
        (Lang::En, LinkKind::Vbr) => format!("Link {} is the border router \"{}\"", l.name, l.resource),
        (Lang::En, _) => format!("Link {} is the VPN connection \"{}\"", l.name, l.resource),
        (Lang::Zh, LinkKind::Vbr) => format!("链路 {} 是边界路由器“{}”", l.name, l.resource),
        (Lang::Zh, _) => format!("链路 {} 是 VPN 连接“{}”", l.name, l.resource),
    };
    if !l.networks.is_empty() {
        let n = nets(&l.networks, lang);
        out.push_str(&match lang {
            Lang::En => format!("; behind it are {n}"),
            Lang::Zh => format!("，其后是 {n}"),
        });
    }
    if let Some(n) = &l.learned {
        let n = nets(n, lang);
        out.push_str(&match lang {
            Lang::En => format!("; it announces {n}"),
            Lang::Zh => format!("，它通告 {n}"),
        });
    }
    if l.no_internet {
        out.push_str(match lang {
            Lang::En => "; it does not lead to the Internet",
            Lang::Zh => "，不通向互联网",
        });
    }
    out.push_str(if lang == Lang::En { "." } else { "。" });
    out
}

/// What an intent says of links: one sentence each for links, sites and what is apart.
#[must_use]
pub fn link_sentences(intent: &Intent, lang: Lang) -> Vec<String> {
    let mut out: Vec<String> = intent.links.iter().map(|l| link(l, lang)).collect();
    let names = |ls: &[usize], and: &str| {
        let all: Vec<&str> = ls
            .iter()
            .filter_map(|n| intent.links.get(*n))
            .map(|l| l.name.as_str())
            .collect();
        all.join(and)
    };
    for s in &intent.sites {
        let (name, ls) = (&s.name, &s.links);
        out.push(match lang {
            Lang::En => format!(
                "Links {} lead to one site, {name}, which forwards between them.",
                names(ls, " and ")
            ),
            Lang::Zh => format!(
                "链路 {} 通向同一站点 {name}，站点在它们之间转发。",
                names(ls, "、")
            ),
        });
    }
    for ls in &intent.apart {
        out.push(match lang {
            Lang::En => format!(
                "Nothing passes between {} outside of the cloud.",
                names(ls, " and ")
            ),
            Lang::Zh => format!("{} 之间在云外互不相通。", names(ls, "、")),
        });
    }
    out
}
