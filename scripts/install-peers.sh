# Sourced by ./test --all: installs the real clients and servers that the tests drive (Debian packages, npm).
# Nothing is started: packages that bring a service find a policy that forbids starting it.
peers="python3-slixmpp postgresql chromium profanity tmux nodejs npm unicode-data bzip2 prosody lua-unbound ejabberd biboumi"

# Installs what is missing of $peers; the argument is the command that needs it.
install_packages() {
    missing=
    for package in $peers; do
        case $package in
            nodejs) command -v node >/dev/null 2>&1 && continue ;;
            npm) command -v npm >/dev/null 2>&1 && continue ;;
        esac
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    if [ -n "$missing" ]; then
        if [ "$(id -u)" != 0 ]; then
            echo "$1: not installed:$missing (run as root, or: apt-get install$missing)" >&2
            exit 1
        fi
        echo "$1: installing$missing ..." >&2
        policy=
        if [ ! -e /usr/sbin/policy-rc.d ]; then
            policy=/usr/sbin/policy-rc.d
            printf '#!/bin/sh\nexit 101\n' >"$policy"
            chmod +x "$policy"
        fi
        log=$(mktemp)
        if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } \
            >"$log" 2>&1; then
            tail -n 20 "$log" >&2
            [ -z "$policy" ] || rm -f "$policy"
            exit 1
        fi
        [ -z "$policy" ] || rm -f "$policy"
        rm -f "$log"
    fi
}

install_peers() {
    install_packages test
    npm ci --prefix "$root/tests/Muster.Interop/js" --ignore-scripts --no-audit --no-fund --loglevel=error
}
