#compdef bartizan

autoload -U is-at-least

_bartizan() {
    typeset -A opt_args
    typeset -a _arguments_options
    local ret=1

    if is-at-least 5.2; then
        _arguments_options=(-s -S -C)
    else
        _arguments_options=(-s -C)
    fi

    local context curcontext="$curcontext" state line
    _arguments "${_arguments_options[@]}" : \
'--color=[When to use colours]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them"
always\:"Always"
never\:"Never"))' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
":: :_bartizan_commands" \
"*::: :->bartizan" \
&& ret=0
    case $state in
    (bartizan)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:bartizan-command-$line[1]:"
        case $line[1] in
            (check)
_arguments "${_arguments_options[@]}" : \
'*--intent=[Intent file (default\: every *.btz beside PATH)]:FILE:_default' \
'--as-of=[Judge as of this date (default\: today, UTC)]:DATE:_default' \
'--format=[How to print]:FORMAT:(pretty json sarif junit markdown)' \
'--fail-on=[The lowest severity that makes the command fail]:LEVEL:(error warning note)' \
'*--assume=[Decide a contested reading, \`A-NACL-1=deny\` (\`bartizan explain\` lists them)]:ID=READING:_default' \
'-o+[Write to a file instead of standard output]:FILE:_default' \
'--output=[Write to a file instead of standard output]:FILE:_default' \
'*--var=[Value of a Terraform variable]:NAME=VALUE:_default' \
'*--var-file=[File of Terraform variables, as \`terraform -var-file\`]:FILE:_default' \
'--config=[Directory that a plan was made from\: it shows what the plan does not]:DIR:_default' \
'--workspace=[Terraform workspace (default\: the one that a \`cloud\` block names, else \$TF_WORKSPACE, else the one selected in the directory, else \`default\`)]:NAME:_default' \
'--color=[When to use colours]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them"
always\:"Always"
never\:"Never"))' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::paths -- Directory of Terraform files, plan, state or snapshot:_default' \
&& ret=0
;;
(why)
_arguments "${_arguments_options[@]}" : \
'--smt=[Write the proof that nothing gets through as SMT-LIB 2 to this file (\`-\` for standard output), to be checked by a solver\: \`z3 FILE\` answers \`unsat\` to every question]:FILE:_default' \
'*--intent=[Intent file whose zones may be named (default\: every *.btz beside PATH)]:FILE:_default' \
'--as-of=[Resolve as of this date (default\: today, UTC)]:DATE:_default' \
'*--assume=[Decide a contested reading, \`A-NACL-1=deny\` (\`bartizan explain\` lists them)]:ID=READING:_default' \
'*--var=[Value of a Terraform variable]:NAME=VALUE:_default' \
'*--var-file=[File of Terraform variables, as \`terraform -var-file\`]:FILE:_default' \
'--config=[Directory that a plan was made from\: it shows what the plan does not]:DIR:_default' \
'--workspace=[Terraform workspace (default\: the one that a \`cloud\` block names, else \$TF_WORKSPACE, else the one selected in the directory, else \`default\`)]:NAME:_default' \
'--format=[How to print]:FORMAT:(pretty json)' \
'--color=[When to use colours]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them"
always\:"Always"
never\:"Never"))' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':path -- Directory of Terraform files, plan, state or snapshot:_default' \
':source -- Who opens the connection:_default' \
':destination -- Who is connected to:_default' \
':service -- On what\: `tcp/3306`, `icmp`, `https`, `any`:_default' \
&& ret=0
;;
(reach)
_arguments "${_arguments_options[@]}" : \
'--from=[Only these sources\: a zone, resource, address or prefix]:X:_default' \
'--to=[Only these destinations]:Y:_default' \
'--on=[Only these services]:SERVICE:_default' \
'--by=[What a row is (default\: zones if the intent has any, else resources)]:BY:(zone resource)' \
'*--intent=[Intent file whose zones may be named (default\: every *.btz beside PATH)]:FILE:_default' \
'--as-of=[Resolve as of this date (default\: today, UTC)]:DATE:_default' \
'*--assume=[Decide a contested reading, \`A-NACL-1=deny\` (\`bartizan explain\` lists them)]:ID=READING:_default' \
'*--var=[Value of a Terraform variable]:NAME=VALUE:_default' \
'*--var-file=[File of Terraform variables, as \`terraform -var-file\`]:FILE:_default' \
'--config=[Directory that a plan was made from\: it shows what the plan does not]:DIR:_default' \
'--workspace=[Terraform workspace (default\: the one that a \`cloud\` block names, else \$TF_WORKSPACE, else the one selected in the directory, else \`default\`)]:NAME:_default' \
'--format=[How to print]:FORMAT:(pretty json)' \
'--color=[When to use colours]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them"
always\:"Always"
never\:"Never"))' \
'(--format)--markdown[Print a Markdown table]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':path -- Directory of Terraform files, plan, state or snapshot:_default' \
&& ret=0
;;
(who)
_arguments "${_arguments_options[@]}" : \
'--on=[Only these services]:SERVICE:_default' \
'*--intent=[Intent file whose zones may be named (default\: every *.btz beside PATH)]:FILE:_default' \
'--as-of=[Resolve as of this date (default\: today, UTC)]:DATE:_default' \
'*--assume=[Decide a contested reading, \`A-NACL-1=deny\` (\`bartizan explain\` lists them)]:ID=READING:_default' \
'*--var=[Value of a Terraform variable]:NAME=VALUE:_default' \
'*--var-file=[File of Terraform variables, as \`terraform -var-file\`]:FILE:_default' \
'--config=[Directory that a plan was made from\: it shows what the plan does not]:DIR:_default' \
'--workspace=[Terraform workspace (default\: the one that a \`cloud\` block names, else \$TF_WORKSPACE, else the one selected in the directory, else \`default\`)]:NAME:_default' \
'--format=[How to print]:FORMAT:(pretty json)' \
'--color=[When to use colours]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them"
always\:"Always"
never\:"Never"))' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':path -- Directory of Terraform files, plan, state or snapshot:_default' \
':destination -- Who is connected to\: a zone, resource, address or prefix:_default' \
&& ret=0
;;
(blast)
_arguments "${_arguments_options[@]}" : \
'*--intent=[Intent file whose zones may be named (default\: every *.btz beside PATH)]:FILE:_default' \
'--as-of=[Resolve as of this date (default\: today, UTC)]:DATE:_default' \
'*--assume=[Decide a contested reading, \`A-NACL-1=deny\` (\`bartizan explain\` lists them)]:ID=READING:_default' \
'*--var=[Value of a Terraform variable]:NAME=VALUE:_default' \
'*--var-file=[File of Terraform variables, as \`terraform -var-file\`]:FILE:_default' \
'--config=[Directory that a plan was made from\: it shows what the plan does not]:DIR:_default' \
'--workspace=[Terraform workspace (default\: the one that a \`cloud\` block names, else \$TF_WORKSPACE, else the one selected in the directory, else \`default\`)]:NAME:_default' \
'--format=[How to print]:FORMAT:(pretty json)' \
'--color=[When to use colours]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them"
always\:"Always"
never\:"Never"))' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':path -- Directory of Terraform files, plan, state or snapshot:_default' \
':source -- Where it starts\: a zone, resource, address or prefix:_default' \
&& ret=0
;;
(exposure)
_arguments "${_arguments_options[@]}" : \
'--back-to-origin=[Zone or prefix from which WAF and Anti-DDoS Proxy send to their origins]:ZONE:_default' \
'--format=[How to print]:FORMAT:(pretty json markdown)' \
'*--intent=[Intent file whose zones may be named (default\: every *.btz beside PATH)]:FILE:_default' \
'--as-of=[Resolve as of this date (default\: today, UTC)]:DATE:_default' \
'*--assume=[Decide a contested reading, \`A-NACL-1=deny\` (\`bartizan explain\` lists them)]:ID=READING:_default' \
'*--var=[Value of a Terraform variable]:NAME=VALUE:_default' \
'*--var-file=[File of Terraform variables, as \`terraform -var-file\`]:FILE:_default' \
'--config=[Directory that a plan was made from\: it shows what the plan does not]:DIR:_default' \
'--workspace=[Terraform workspace (default\: the one that a \`cloud\` block names, else \$TF_WORKSPACE, else the one selected in the directory, else \`default\`)]:NAME:_default' \
'--color=[When to use colours]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them"
always\:"Always"
never\:"Never"))' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':path -- Directory of Terraform files, plan, state or snapshot:_default' \
&& ret=0
;;
(routes)
_arguments "${_arguments_options[@]}" : \
'--table=[Only the tables of this\: a table, vSwitch, VPC, attachment or transit router]:NAME:_default' \
'--explain=[Only what decides about these addresses, and where packets for them end]:CIDR:_default' \
'*--intent=[Intent file whose zones may be named (default\: every *.btz beside PATH)]:FILE:_default' \
'--as-of=[Resolve as of this date (default\: today, UTC)]:DATE:_default' \
'*--assume=[Decide a contested reading, \`A-NACL-1=deny\` (\`bartizan explain\` lists them)]:ID=READING:_default' \
'*--var=[Value of a Terraform variable]:NAME=VALUE:_default' \
'*--var-file=[File of Terraform variables, as \`terraform -var-file\`]:FILE:_default' \
'--config=[Directory that a plan was made from\: it shows what the plan does not]:DIR:_default' \
'--workspace=[Terraform workspace (default\: the one that a \`cloud\` block names, else \$TF_WORKSPACE, else the one selected in the directory, else \`default\`)]:NAME:_default' \
'--format=[How to print]:FORMAT:(pretty json)' \
'--color=[When to use colours]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them"
always\:"Always"
never\:"Never"))' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':path -- Directory of Terraform files, plan, state or snapshot:_default' \
&& ret=0
;;
(failover)
_arguments "${_arguments_options[@]}" : \
'--format=[How to print]:FORMAT:(pretty json markdown)' \
'-o+[Write to a file instead of standard output]:FILE:_default' \
'--output=[Write to a file instead of standard output]:FILE:_default' \
'*--intent=[Intent file whose zones may be named (default\: every *.btz beside PATH)]:FILE:_default' \
'--as-of=[Resolve as of this date (default\: today, UTC)]:DATE:_default' \
'*--assume=[Decide a contested reading, \`A-NACL-1=deny\` (\`bartizan explain\` lists them)]:ID=READING:_default' \
'*--var=[Value of a Terraform variable]:NAME=VALUE:_default' \
'*--var-file=[File of Terraform variables, as \`terraform -var-file\`]:FILE:_default' \
'--config=[Directory that a plan was made from\: it shows what the plan does not]:DIR:_default' \
'--workspace=[Terraform workspace (default\: the one that a \`cloud\` block names, else \$TF_WORKSPACE, else the one selected in the directory, else \`default\`)]:NAME:_default' \
'--color=[When to use colours]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them"
always\:"Always"
never\:"Never"))' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':path -- Directory of Terraform files, plan, state or snapshot:_default' \
&& ret=0
;;
(map)
_arguments "${_arguments_options[@]}" : \
'--format=[What to write (default\: by the ending of --output, else svg)]:FORMAT:(svg html dot mermaid drawio)' \
'-o+[Write to this file and not to standard output]:FILE:_default' \
'--output=[Write to this file and not to standard output]:FILE:_default' \
'*--intent=[Intent file whose zones may be named (default\: every *.btz beside PATH)]:FILE:_default' \
'--as-of=[Resolve as of this date (default\: today, UTC)]:DATE:_default' \
'*--assume=[Decide a contested reading, \`A-NACL-1=deny\` (\`bartizan explain\` lists them)]:ID=READING:_default' \
'*--var=[Value of a Terraform variable]:NAME=VALUE:_default' \
'*--var-file=[File of Terraform variables, as \`terraform -var-file\`]:FILE:_default' \
'--config=[Directory that a plan was made from\: it shows what the plan does not]:DIR:_default' \
'--workspace=[Terraform workspace (default\: the one that a \`cloud\` block names, else \$TF_WORKSPACE, else the one selected in the directory, else \`default\`)]:NAME:_default' \
'--color=[When to use colours]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them"
always\:"Always"
never\:"Never"))' \
'--proved[Leave out flows that depend on a value that is not known]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':path -- Directory of Terraform files, plan, state or snapshot:_default' \
&& ret=0
;;
(zones)
_arguments "${_arguments_options[@]}" : \
'*--intent=[Intent file whose zones may be named (default\: every *.btz beside PATH)]:FILE:_default' \
'--as-of=[Resolve as of this date (default\: today, UTC)]:DATE:_default' \
'*--assume=[Decide a contested reading, \`A-NACL-1=deny\` (\`bartizan explain\` lists them)]:ID=READING:_default' \
'*--var=[Value of a Terraform variable]:NAME=VALUE:_default' \
'*--var-file=[File of Terraform variables, as \`terraform -var-file\`]:FILE:_default' \
'--config=[Directory that a plan was made from\: it shows what the plan does not]:DIR:_default' \
'--workspace=[Terraform workspace (default\: the one that a \`cloud\` block names, else \$TF_WORKSPACE, else the one selected in the directory, else \`default\`)]:NAME:_default' \
'--format=[How to print]:FORMAT:(pretty json)' \
'--color=[When to use colours]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them"
always\:"Always"
never\:"Never"))' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':path -- Directory of Terraform files, plan, state or snapshot:_default' \
&& ret=0
;;
(draft)
_arguments "${_arguments_options[@]}" : \
'-o+[Write to a file instead of standard output]:FILE:_default' \
'--output=[Write to a file instead of standard output]:FILE:_default' \
'*--var=[Value of a Terraform variable]:NAME=VALUE:_default' \
'*--var-file=[File of Terraform variables, as \`terraform -var-file\`]:FILE:_default' \
'--config=[Directory that a plan was made from\: it shows what the plan does not]:DIR:_default' \
'--workspace=[Terraform workspace (default\: the one that a \`cloud\` block names, else \$TF_WORKSPACE, else the one selected in the directory, else \`default\`)]:NAME:_default' \
'--color=[When to use colours]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them"
always\:"Always"
never\:"Never"))' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':path -- Directory of Terraform files, plan, state or snapshot:_default' \
&& ret=0
;;
(inventory)
_arguments "${_arguments_options[@]}" : \
'--snapshot=[Write the inventory as a snapshot]:FILE:_default' \
'--format=[How to print]:FORMAT:(pretty json)' \
'-o+[Write to a file instead of standard output]:FILE:_default' \
'--output=[Write to a file instead of standard output]:FILE:_default' \
'*--var=[Value of a Terraform variable]:NAME=VALUE:_default' \
'*--var-file=[File of Terraform variables, as \`terraform -var-file\`]:FILE:_default' \
'--config=[Directory that a plan was made from\: it shows what the plan does not]:DIR:_default' \
'--workspace=[Terraform workspace (default\: the one that a \`cloud\` block names, else \$TF_WORKSPACE, else the one selected in the directory, else \`default\`)]:NAME:_default' \
'--color=[When to use colours]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them"
always\:"Always"
never\:"Never"))' \
'--all[One line for every resource, data sources included]' \
'(--all --format)--summary[One line for each path]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::paths -- Directory of Terraform files, plan, state or snapshot:_default' \
&& ret=0
;;
(intent)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colours]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them"
always\:"Always"
never\:"Never"))' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
":: :_bartizan__subcmd__intent_commands" \
"*::: :->intent" \
&& ret=0

    case $state in
    (intent)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:bartizan-intent-command-$line[1]:"
        case $line[1] in
            (lint)
_arguments "${_arguments_options[@]}" : \
'--as-of=[Judge exceptions as of this date (default\: today, UTC)]:DATE:_default' \
'--color=[When to use colours]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them"
always\:"Always"
never\:"Never"))' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::files -- Intent files, or directories with `*.btz`:_default' \
&& ret=0
;;
(fmt)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colours]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them"
always\:"Always"
never\:"Never"))' \
'--check[Only say which files would change; exits 1 if there are any]' \
'(--check)--write[Write to the files (the default)]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::files -- Intent files, or directories with `*.btz`; `-` is standard input:_default' \
&& ret=0
;;
(read)
_arguments "${_arguments_options[@]}" : \
'--lang=[The language of the sentences]:LANG:((en\:"English"
zh\:"Chinese, simplified"))' \
'--color=[When to use colours]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them"
always\:"Always"
never\:"Never"))' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::files -- Intent files, or directories with `*.btz`:_default' \
&& ret=0
;;
(json)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colours]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them"
always\:"Always"
never\:"Never"))' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':file -- An intent file, or its JSON form:_default' \
&& ret=0
;;
        esac
    ;;
esac
;;
(explain)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colours]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them"
always\:"Always"
never\:"Never"))' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'::code -- A code, its name, or an assumption; without one everything is listed:_default' \
&& ret=0
;;
(generate)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colours]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them"
always\:"Always"
never\:"Never"))' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
":: :_bartizan__subcmd__generate_commands" \
"*::: :->generate" \
&& ret=0

    case $state in
    (generate)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:bartizan-generate-command-$line[1]:"
        case $line[1] in
            (completions)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colours]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them"
always\:"Always"
never\:"Never"))' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':shell -- The shell:(bash elvish fish powershell zsh)' \
&& ret=0
;;
(man)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colours]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set; CLICOLOR_FORCE forces them"
always\:"Always"
never\:"Never"))' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'::command -- The command:_default' \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
}

(( $+functions[_bartizan_commands] )) ||
_bartizan_commands() {
    local commands; commands=(
'check:Check a network against its intent' \
'why:Explain hop by hop why a packet gets through, or everything that stops it' \
'reach:Print who can reach whom on which services' \
'who:Print everyone who can reach a destination' \
'blast:Print everything that a source can reach, hop after hop' \
'exposure:Print every service that is open to the Internet, and what protects it' \
'routes:Print route tables as they are in effect' \
'failover:Take one thing after another down\: what breaks, what leaks' \
'map:Draw the network\: zones, VPCs and what is proved to flow between them' \
'zones:Print the zones of the intent with their members' \
'draft:Write a first intent from the network as it is' \
'inventory:List every resource and what became of it' \
'intent:Work on intent files\: lint, fmt, read, json' \
'explain:Say what a code means and what to do' \
'generate:Write shell completions or manual pages' \
    )
    _describe -t commands 'bartizan commands' commands "$@"
}
(( $+functions[_bartizan__subcmd__blast_commands] )) ||
_bartizan__subcmd__blast_commands() {
    local commands; commands=()
    _describe -t commands 'bartizan blast commands' commands "$@"
}
(( $+functions[_bartizan__subcmd__check_commands] )) ||
_bartizan__subcmd__check_commands() {
    local commands; commands=()
    _describe -t commands 'bartizan check commands' commands "$@"
}
(( $+functions[_bartizan__subcmd__draft_commands] )) ||
_bartizan__subcmd__draft_commands() {
    local commands; commands=()
    _describe -t commands 'bartizan draft commands' commands "$@"
}
(( $+functions[_bartizan__subcmd__explain_commands] )) ||
_bartizan__subcmd__explain_commands() {
    local commands; commands=()
    _describe -t commands 'bartizan explain commands' commands "$@"
}
(( $+functions[_bartizan__subcmd__exposure_commands] )) ||
_bartizan__subcmd__exposure_commands() {
    local commands; commands=()
    _describe -t commands 'bartizan exposure commands' commands "$@"
}
(( $+functions[_bartizan__subcmd__failover_commands] )) ||
_bartizan__subcmd__failover_commands() {
    local commands; commands=()
    _describe -t commands 'bartizan failover commands' commands "$@"
}
(( $+functions[_bartizan__subcmd__generate_commands] )) ||
_bartizan__subcmd__generate_commands() {
    local commands; commands=(
'completions:Completions for a shell, on standard output' \
'man:The manual page, on standard output; with a command, that of the command' \
    )
    _describe -t commands 'bartizan generate commands' commands "$@"
}
(( $+functions[_bartizan__subcmd__generate__subcmd__completions_commands] )) ||
_bartizan__subcmd__generate__subcmd__completions_commands() {
    local commands; commands=()
    _describe -t commands 'bartizan generate completions commands' commands "$@"
}
(( $+functions[_bartizan__subcmd__generate__subcmd__man_commands] )) ||
_bartizan__subcmd__generate__subcmd__man_commands() {
    local commands; commands=()
    _describe -t commands 'bartizan generate man commands' commands "$@"
}
(( $+functions[_bartizan__subcmd__intent_commands] )) ||
_bartizan__subcmd__intent_commands() {
    local commands; commands=(
'lint:Say what is wrong with an intent before any network is looked at' \
'fmt:Put intent files into the one layout' \
'read:Read an intent aloud, clause by clause' \
'json:Turn an intent into its canonical JSON form, or a \`.json\` back into text' \
    )
    _describe -t commands 'bartizan intent commands' commands "$@"
}
(( $+functions[_bartizan__subcmd__intent__subcmd__fmt_commands] )) ||
_bartizan__subcmd__intent__subcmd__fmt_commands() {
    local commands; commands=()
    _describe -t commands 'bartizan intent fmt commands' commands "$@"
}
(( $+functions[_bartizan__subcmd__intent__subcmd__json_commands] )) ||
_bartizan__subcmd__intent__subcmd__json_commands() {
    local commands; commands=()
    _describe -t commands 'bartizan intent json commands' commands "$@"
}
(( $+functions[_bartizan__subcmd__intent__subcmd__lint_commands] )) ||
_bartizan__subcmd__intent__subcmd__lint_commands() {
    local commands; commands=()
    _describe -t commands 'bartizan intent lint commands' commands "$@"
}
(( $+functions[_bartizan__subcmd__intent__subcmd__read_commands] )) ||
_bartizan__subcmd__intent__subcmd__read_commands() {
    local commands; commands=()
    _describe -t commands 'bartizan intent read commands' commands "$@"
}
(( $+functions[_bartizan__subcmd__inventory_commands] )) ||
_bartizan__subcmd__inventory_commands() {
    local commands; commands=()
    _describe -t commands 'bartizan inventory commands' commands "$@"
}
(( $+functions[_bartizan__subcmd__map_commands] )) ||
_bartizan__subcmd__map_commands() {
    local commands; commands=()
    _describe -t commands 'bartizan map commands' commands "$@"
}
(( $+functions[_bartizan__subcmd__reach_commands] )) ||
_bartizan__subcmd__reach_commands() {
    local commands; commands=()
    _describe -t commands 'bartizan reach commands' commands "$@"
}
(( $+functions[_bartizan__subcmd__routes_commands] )) ||
_bartizan__subcmd__routes_commands() {
    local commands; commands=()
    _describe -t commands 'bartizan routes commands' commands "$@"
}
(( $+functions[_bartizan__subcmd__who_commands] )) ||
_bartizan__subcmd__who_commands() {
    local commands; commands=()
    _describe -t commands 'bartizan who commands' commands "$@"
}
(( $+functions[_bartizan__subcmd__why_commands] )) ||
_bartizan__subcmd__why_commands() {
    local commands; commands=()
    _describe -t commands 'bartizan why commands' commands "$@"
}
(( $+functions[_bartizan__subcmd__zones_commands] )) ||
_bartizan__subcmd__zones_commands() {
    local commands; commands=()
    _describe -t commands 'bartizan zones commands' commands "$@"
}

if [ "$funcstack[1]" = "_bartizan" ]; then
    _bartizan "$@"
else
    compdef _bartizan bartizan
fi
