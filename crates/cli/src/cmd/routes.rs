//! `bartizan routes PATH`.

use super::ask::{Common, Format, network};
use crate::app::Context;
use crate::failure::{Failure, Outcome};
use crate::out::{self, Code};
use bartizan_base::Diagnostic;
use bartizan_check::query::{Frame, routes};
use bartizan_report::routes as page;
use ipnet::IpNet;

pub(crate) const HELP: &str = "Examples:
  bartizan routes examples/enterprise
  bartizan routes examples/enterprise --table 'alicloud_vswitch.main[\"app\"]'
  bartizan routes examples/enterprise --explain 10.10.2.0/24      which route decides in every table, and where it leads

Every table of every VPC and transit router, the strongest entry first: where each comes from, which are shadowed,
which lead nowhere or in a circle, and which blocks of VPCs that can meet overlap.";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Directory of Terraform files, plan, state or snapshot
    path: String,
    /// Only the tables of this: a table, vSwitch, VPC, attachment or transit router
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// Only what decides about these addresses, and where packets for them end
    #[arg(long, value_name = "CIDR")]
    explain: Option<String>,
    #[command(flatten)]
    common: Common,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Outcome {
    let explain = args.explain.as_deref().map(net).transpose()?;
    let n = network(&args.path, &args.common.reading, ctx.errors())?;
    let f = Frame::new(&n.inventory, &n.intent, n.as_of).under(&n.readings);
    let r = routes(&f, args.table.as_deref(), explain).map_err(|d| n.fail(d))?;
    let page = match args.common.format {
        Format::Pretty => page::routes(&r, &n.sources, ctx.style(None)),
        Format::Json => page::routes_json(&r, &n.sources),
    };
    out::write(None, &page)?;
    Ok(Code::Holds)
}

/// A prefix, or one address.
fn net(text: &str) -> Result<IpNet, Failure> {
    let parsed = text.parse::<IpNet>().map(|n| n.trunc());
    let parsed = parsed.or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from));
    parsed.map_err(|_| {
        Failure::of(
            Diagnostic::error("INPUT005", format!("`{text}` is no address and no prefix"))
                .help("write `10.10.2.0/24`, `10.10.2.7` or `2001:db8::/64`"),
        )
    })
}
