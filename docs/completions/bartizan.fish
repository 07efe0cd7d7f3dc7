# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_bartizan_global_optspecs
    string join \n color= h/help V/version
end

function __fish_bartizan_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_bartizan_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_bartizan_using_subcommand
    set -l cmd (__fish_bartizan_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c bartizan -n "__fish_bartizan_needs_command" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them'
always\t'Always'
never\t'Never'"
complete -c bartizan -n "__fish_bartizan_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bartizan -n "__fish_bartizan_needs_command" -s V -l version -d 'Print version'
complete -c bartizan -n "__fish_bartizan_needs_command" -f -a "check" -d 'Check a network against its intent'
complete -c bartizan -n "__fish_bartizan_needs_command" -f -a "why" -d 'Explain hop by hop why a packet gets through, or everything that stops it'
complete -c bartizan -n "__fish_bartizan_needs_command" -f -a "reach" -d 'Print who can reach whom on which services'
complete -c bartizan -n "__fish_bartizan_needs_command" -f -a "who" -d 'Print everyone who can reach a destination'
complete -c bartizan -n "__fish_bartizan_needs_command" -f -a "blast" -d 'Print everything that a source can reach, hop after hop'
complete -c bartizan -n "__fish_bartizan_needs_command" -f -a "exposure" -d 'Print every service that is open to the Internet, and what protects it'
complete -c bartizan -n "__fish_bartizan_needs_command" -f -a "routes" -d 'Print route tables as they are in effect'
complete -c bartizan -n "__fish_bartizan_needs_command" -f -a "failover" -d 'Take one thing after another down: what breaks, what leaks'
complete -c bartizan -n "__fish_bartizan_needs_command" -f -a "map" -d 'Draw the network: zones, VPCs and what is proved to flow between them'
complete -c bartizan -n "__fish_bartizan_needs_command" -f -a "zones" -d 'Print the zones of the intent with their members'
complete -c bartizan -n "__fish_bartizan_needs_command" -f -a "draft" -d 'Write a first intent from the network as it is'
complete -c bartizan -n "__fish_bartizan_needs_command" -f -a "inventory" -d 'List every resource and what became of it'
complete -c bartizan -n "__fish_bartizan_needs_command" -f -a "intent" -d 'Work on intent files: lint, fmt, read, json'
complete -c bartizan -n "__fish_bartizan_needs_command" -f -a "explain" -d 'Say what a code means and what to do'
complete -c bartizan -n "__fish_bartizan_needs_command" -f -a "generate" -d 'Write shell completions or manual pages'
complete -c bartizan -n "__fish_bartizan_using_subcommand check" -l intent -d 'Intent file (default: every *.btz beside PATH)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand check" -l as-of -d 'Judge as of this date (default: today, UTC)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand check" -l format -d 'How to print' -r -f -a "pretty\t''
json\t''
sarif\t''
junit\t''
markdown\t''"
complete -c bartizan -n "__fish_bartizan_using_subcommand check" -l fail-on -d 'The lowest severity that makes the command fail' -r -f -a "error\t''
warning\t''
note\t''"
complete -c bartizan -n "__fish_bartizan_using_subcommand check" -l assume -d 'Decide a contested reading, `A-NACL-1=deny` (`bartizan explain` lists them)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand check" -s o -l output -d 'Write to a file instead of standard output' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand check" -l var -d 'Value of a Terraform variable' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand check" -l var-file -d 'File of Terraform variables, as `terraform -var-file`' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand check" -l config -d 'Directory that a plan was made from: it shows what the plan does not' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand check" -l workspace -d 'Terraform workspace (default: the one that a `cloud` block names, else $TF_WORKSPACE, else the one selected in the directory, else `default`)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand check" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them'
always\t'Always'
never\t'Never'"
complete -c bartizan -n "__fish_bartizan_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bartizan -n "__fish_bartizan_using_subcommand why" -l smt -d 'Write the proof that nothing gets through as SMT-LIB 2 to this file (`-` for standard output), to be checked by a solver: `z3 FILE` answers `unsat` to every question' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand why" -l intent -d 'Intent file whose zones may be named (default: every *.btz beside PATH)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand why" -l as-of -d 'Resolve as of this date (default: today, UTC)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand why" -l assume -d 'Decide a contested reading, `A-NACL-1=deny` (`bartizan explain` lists them)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand why" -l var -d 'Value of a Terraform variable' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand why" -l var-file -d 'File of Terraform variables, as `terraform -var-file`' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand why" -l config -d 'Directory that a plan was made from: it shows what the plan does not' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand why" -l workspace -d 'Terraform workspace (default: the one that a `cloud` block names, else $TF_WORKSPACE, else the one selected in the directory, else `default`)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand why" -l format -d 'How to print' -r -f -a "pretty\t''
json\t''"
complete -c bartizan -n "__fish_bartizan_using_subcommand why" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them'
always\t'Always'
never\t'Never'"
complete -c bartizan -n "__fish_bartizan_using_subcommand why" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bartizan -n "__fish_bartizan_using_subcommand reach" -l from -d 'Only these sources: a zone, resource, address or prefix' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand reach" -l to -d 'Only these destinations' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand reach" -l on -d 'Only these services' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand reach" -l by -d 'What a row is (default: zones if the intent has any, else resources)' -r -f -a "zone\t''
resource\t''"
complete -c bartizan -n "__fish_bartizan_using_subcommand reach" -l intent -d 'Intent file whose zones may be named (default: every *.btz beside PATH)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand reach" -l as-of -d 'Resolve as of this date (default: today, UTC)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand reach" -l assume -d 'Decide a contested reading, `A-NACL-1=deny` (`bartizan explain` lists them)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand reach" -l var -d 'Value of a Terraform variable' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand reach" -l var-file -d 'File of Terraform variables, as `terraform -var-file`' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand reach" -l config -d 'Directory that a plan was made from: it shows what the plan does not' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand reach" -l workspace -d 'Terraform workspace (default: the one that a `cloud` block names, else $TF_WORKSPACE, else the one selected in the directory, else `default`)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand reach" -l format -d 'How to print' -r -f -a "pretty\t''
json\t''"
complete -c bartizan -n "__fish_bartizan_using_subcommand reach" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them'
always\t'Always'
never\t'Never'"
complete -c bartizan -n "__fish_bartizan_using_subcommand reach" -l markdown -d 'Print a Markdown table'
complete -c bartizan -n "__fish_bartizan_using_subcommand reach" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bartizan -n "__fish_bartizan_using_subcommand who" -l on -d 'Only these services' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand who" -l intent -d 'Intent file whose zones may be named (default: every *.btz beside PATH)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand who" -l as-of -d 'Resolve as of this date (default: today, UTC)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand who" -l assume -d 'Decide a contested reading, `A-NACL-1=deny` (`bartizan explain` lists them)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand who" -l var -d 'Value of a Terraform variable' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand who" -l var-file -d 'File of Terraform variables, as `terraform -var-file`' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand who" -l config -d 'Directory that a plan was made from: it shows what the plan does not' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand who" -l workspace -d 'Terraform workspace (default: the one that a `cloud` block names, else $TF_WORKSPACE, else the one selected in the directory, else `default`)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand who" -l format -d 'How to print' -r -f -a "pretty\t''
json\t''"
complete -c bartizan -n "__fish_bartizan_using_subcommand who" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them'
always\t'Always'
never\t'Never'"
complete -c bartizan -n "__fish_bartizan_using_subcommand who" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bartizan -n "__fish_bartizan_using_subcommand blast" -l intent -d 'Intent file whose zones may be named (default: every *.btz beside PATH)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand blast" -l as-of -d 'Resolve as of this date (default: today, UTC)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand blast" -l assume -d 'Decide a contested reading, `A-NACL-1=deny` (`bartizan explain` lists them)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand blast" -l var -d 'Value of a Terraform variable' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand blast" -l var-file -d 'File of Terraform variables, as `terraform -var-file`' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand blast" -l config -d 'Directory that a plan was made from: it shows what the plan does not' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand blast" -l workspace -d 'Terraform workspace (default: the one that a `cloud` block names, else $TF_WORKSPACE, else the one selected in the directory, else `default`)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand blast" -l format -d 'How to print' -r -f -a "pretty\t''
json\t''"
complete -c bartizan -n "__fish_bartizan_using_subcommand blast" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them'
always\t'Always'
never\t'Never'"
complete -c bartizan -n "__fish_bartizan_using_subcommand blast" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bartizan -n "__fish_bartizan_using_subcommand exposure" -l back-to-origin -d 'Zone or prefix from which WAF and Anti-DDoS Proxy send to their origins' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand exposure" -l format -d 'How to print' -r -f -a "pretty\t''
json\t''
markdown\t''"
complete -c bartizan -n "__fish_bartizan_using_subcommand exposure" -l intent -d 'Intent file whose zones may be named (default: every *.btz beside PATH)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand exposure" -l as-of -d 'Resolve as of this date (default: today, UTC)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand exposure" -l assume -d 'Decide a contested reading, `A-NACL-1=deny` (`bartizan explain` lists them)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand exposure" -l var -d 'Value of a Terraform variable' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand exposure" -l var-file -d 'File of Terraform variables, as `terraform -var-file`' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand exposure" -l config -d 'Directory that a plan was made from: it shows what the plan does not' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand exposure" -l workspace -d 'Terraform workspace (default: the one that a `cloud` block names, else $TF_WORKSPACE, else the one selected in the directory, else `default`)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand exposure" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them'
always\t'Always'
never\t'Never'"
complete -c bartizan -n "__fish_bartizan_using_subcommand exposure" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bartizan -n "__fish_bartizan_using_subcommand routes" -l table -d 'Only the tables of this: a table, vSwitch, VPC, attachment or transit router' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand routes" -l explain -d 'Only what decides about these addresses, and where packets for them end' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand routes" -l intent -d 'Intent file whose zones may be named (default: every *.btz beside PATH)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand routes" -l as-of -d 'Resolve as of this date (default: today, UTC)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand routes" -l assume -d 'Decide a contested reading, `A-NACL-1=deny` (`bartizan explain` lists them)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand routes" -l var -d 'Value of a Terraform variable' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand routes" -l var-file -d 'File of Terraform variables, as `terraform -var-file`' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand routes" -l config -d 'Directory that a plan was made from: it shows what the plan does not' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand routes" -l workspace -d 'Terraform workspace (default: the one that a `cloud` block names, else $TF_WORKSPACE, else the one selected in the directory, else `default`)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand routes" -l format -d 'How to print' -r -f -a "pretty\t''
json\t''"
complete -c bartizan -n "__fish_bartizan_using_subcommand routes" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them'
always\t'Always'
never\t'Never'"
complete -c bartizan -n "__fish_bartizan_using_subcommand routes" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bartizan -n "__fish_bartizan_using_subcommand failover" -l format -d 'How to print' -r -f -a "pretty\t''
json\t''
markdown\t''"
complete -c bartizan -n "__fish_bartizan_using_subcommand failover" -s o -l output -d 'Write to a file instead of standard output' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand failover" -l intent -d 'Intent file whose zones may be named (default: every *.btz beside PATH)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand failover" -l as-of -d 'Resolve as of this date (default: today, UTC)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand failover" -l assume -d 'Decide a contested reading, `A-NACL-1=deny` (`bartizan explain` lists them)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand failover" -l var -d 'Value of a Terraform variable' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand failover" -l var-file -d 'File of Terraform variables, as `terraform -var-file`' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand failover" -l config -d 'Directory that a plan was made from: it shows what the plan does not' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand failover" -l workspace -d 'Terraform workspace (default: the one that a `cloud` block names, else $TF_WORKSPACE, else the one selected in the directory, else `default`)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand failover" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them'
always\t'Always'
never\t'Never'"
complete -c bartizan -n "__fish_bartizan_using_subcommand failover" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bartizan -n "__fish_bartizan_using_subcommand map" -l format -d 'What to write (default: by the ending of --output, else svg)' -r -f -a "svg\t''
html\t''
dot\t''
mermaid\t''
drawio\t''"
complete -c bartizan -n "__fish_bartizan_using_subcommand map" -s o -l output -d 'Write to this file and not to standard output' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand map" -l intent -d 'Intent file whose zones may be named (default: every *.btz beside PATH)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand map" -l as-of -d 'Resolve as of this date (default: today, UTC)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand map" -l assume -d 'Decide a contested reading, `A-NACL-1=deny` (`bartizan explain` lists them)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand map" -l var -d 'Value of a Terraform variable' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand map" -l var-file -d 'File of Terraform variables, as `terraform -var-file`' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand map" -l config -d 'Directory that a plan was made from: it shows what the plan does not' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand map" -l workspace -d 'Terraform workspace (default: the one that a `cloud` block names, else $TF_WORKSPACE, else the one selected in the directory, else `default`)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand map" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them'
always\t'Always'
never\t'Never'"
complete -c bartizan -n "__fish_bartizan_using_subcommand map" -l proved -d 'Leave out flows that depend on a value that is not known'
complete -c bartizan -n "__fish_bartizan_using_subcommand map" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bartizan -n "__fish_bartizan_using_subcommand zones" -l intent -d 'Intent file whose zones may be named (default: every *.btz beside PATH)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand zones" -l as-of -d 'Resolve as of this date (default: today, UTC)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand zones" -l assume -d 'Decide a contested reading, `A-NACL-1=deny` (`bartizan explain` lists them)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand zones" -l var -d 'Value of a Terraform variable' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand zones" -l var-file -d 'File of Terraform variables, as `terraform -var-file`' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand zones" -l config -d 'Directory that a plan was made from: it shows what the plan does not' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand zones" -l workspace -d 'Terraform workspace (default: the one that a `cloud` block names, else $TF_WORKSPACE, else the one selected in the directory, else `default`)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand zones" -l format -d 'How to print' -r -f -a "pretty\t''
json\t''"
complete -c bartizan -n "__fish_bartizan_using_subcommand zones" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them'
always\t'Always'
never\t'Never'"
complete -c bartizan -n "__fish_bartizan_using_subcommand zones" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bartizan -n "__fish_bartizan_using_subcommand draft" -s o -l output -d 'Write to a file instead of standard output' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand draft" -l var -d 'Value of a Terraform variable' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand draft" -l var-file -d 'File of Terraform variables, as `terraform -var-file`' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand draft" -l config -d 'Directory that a plan was made from: it shows what the plan does not' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand draft" -l workspace -d 'Terraform workspace (default: the one that a `cloud` block names, else $TF_WORKSPACE, else the one selected in the directory, else `default`)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand draft" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them'
always\t'Always'
never\t'Never'"
complete -c bartizan -n "__fish_bartizan_using_subcommand draft" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bartizan -n "__fish_bartizan_using_subcommand inventory" -l snapshot -d 'Write the inventory as a snapshot' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand inventory" -l format -d 'How to print' -r -f -a "pretty\t''
json\t''"
complete -c bartizan -n "__fish_bartizan_using_subcommand inventory" -s o -l output -d 'Write to a file instead of standard output' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand inventory" -l var -d 'Value of a Terraform variable' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand inventory" -l var-file -d 'File of Terraform variables, as `terraform -var-file`' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand inventory" -l config -d 'Directory that a plan was made from: it shows what the plan does not' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand inventory" -l workspace -d 'Terraform workspace (default: the one that a `cloud` block names, else $TF_WORKSPACE, else the one selected in the directory, else `default`)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand inventory" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them'
always\t'Always'
never\t'Never'"
complete -c bartizan -n "__fish_bartizan_using_subcommand inventory" -l all -d 'One line for every resource, data sources included'
complete -c bartizan -n "__fish_bartizan_using_subcommand inventory" -l summary -d 'One line for each path'
complete -c bartizan -n "__fish_bartizan_using_subcommand inventory" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bartizan -n "__fish_bartizan_using_subcommand intent; and not __fish_seen_subcommand_from lint fmt read json" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them'
always\t'Always'
never\t'Never'"
complete -c bartizan -n "__fish_bartizan_using_subcommand intent; and not __fish_seen_subcommand_from lint fmt read json" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bartizan -n "__fish_bartizan_using_subcommand intent; and not __fish_seen_subcommand_from lint fmt read json" -f -a "lint" -d 'Say what is wrong with an intent before any network is looked at'
complete -c bartizan -n "__fish_bartizan_using_subcommand intent; and not __fish_seen_subcommand_from lint fmt read json" -f -a "fmt" -d 'Put intent files into the one layout'
complete -c bartizan -n "__fish_bartizan_using_subcommand intent; and not __fish_seen_subcommand_from lint fmt read json" -f -a "read" -d 'Read an intent aloud, clause by clause'
complete -c bartizan -n "__fish_bartizan_using_subcommand intent; and not __fish_seen_subcommand_from lint fmt read json" -f -a "json" -d 'Turn an intent into its canonical JSON form, or a `.json` back into text'
complete -c bartizan -n "__fish_bartizan_using_subcommand intent; and __fish_seen_subcommand_from lint" -l as-of -d 'Judge exceptions as of this date (default: today, UTC)' -r
complete -c bartizan -n "__fish_bartizan_using_subcommand intent; and __fish_seen_subcommand_from lint" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them'
always\t'Always'
never\t'Never'"
complete -c bartizan -n "__fish_bartizan_using_subcommand intent; and __fish_seen_subcommand_from lint" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bartizan -n "__fish_bartizan_using_subcommand intent; and __fish_seen_subcommand_from fmt" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them'
always\t'Always'
never\t'Never'"
complete -c bartizan -n "__fish_bartizan_using_subcommand intent; and __fish_seen_subcommand_from fmt" -l check -d 'Only say which files would change; exits 1 if there are any'
complete -c bartizan -n "__fish_bartizan_using_subcommand intent; and __fish_seen_subcommand_from fmt" -l write -d 'Write to the files (the default)'
complete -c bartizan -n "__fish_bartizan_using_subcommand intent; and __fish_seen_subcommand_from fmt" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bartizan -n "__fish_bartizan_using_subcommand intent; and __fish_seen_subcommand_from read" -l lang -d 'The language of the sentences' -r -f -a "en\t'English'
zh\t'Chinese, simplified'"
complete -c bartizan -n "__fish_bartizan_using_subcommand intent; and __fish_seen_subcommand_from read" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them'
always\t'Always'
never\t'Never'"
complete -c bartizan -n "__fish_bartizan_using_subcommand intent; and __fish_seen_subcommand_from read" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bartizan -n "__fish_bartizan_using_subcommand intent; and __fish_seen_subcommand_from json" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them'
always\t'Always'
never\t'Never'"
complete -c bartizan -n "__fish_bartizan_using_subcommand intent; and __fish_seen_subcommand_from json" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bartizan -n "__fish_bartizan_using_subcommand explain" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them'
always\t'Always'
never\t'Never'"
complete -c bartizan -n "__fish_bartizan_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bartizan -n "__fish_bartizan_using_subcommand generate; and not __fish_seen_subcommand_from completions man" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them'
always\t'Always'
never\t'Never'"
complete -c bartizan -n "__fish_bartizan_using_subcommand generate; and not __fish_seen_subcommand_from completions man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bartizan -n "__fish_bartizan_using_subcommand generate; and not __fish_seen_subcommand_from completions man" -f -a "completions" -d 'Completions for a shell, on standard output'
complete -c bartizan -n "__fish_bartizan_using_subcommand generate; and not __fish_seen_subcommand_from completions man" -f -a "man" -d 'The manual page, on standard output; with a command, that of the command'
complete -c bartizan -n "__fish_bartizan_using_subcommand generate; and __fish_seen_subcommand_from completions" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them'
always\t'Always'
never\t'Never'"
complete -c bartizan -n "__fish_bartizan_using_subcommand generate; and __fish_seen_subcommand_from completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bartizan -n "__fish_bartizan_using_subcommand generate; and __fish_seen_subcommand_from man" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them'
always\t'Always'
never\t'Never'"
complete -c bartizan -n "__fish_bartizan_using_subcommand generate; and __fish_seen_subcommand_from man" -s h -l help -d 'Print help (see more with \'--help\')'
