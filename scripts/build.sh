# Sourced by the commands at the root: build what is older than its sources. Sets $root and $out.
root=$(cd "$(dirname "$0")" && pwd)
out=$root/artifacts/muster
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

need_sdk() {
    command -v dotnet >/dev/null 2>&1 && return
    echo "muster: the .NET 10 SDK is needed: https://dotnet.microsoft.com/download" >&2
    exit 1
}

publish() {
    dotnet publish "$root/src/Muster" -c Release --use-current-runtime --no-self-contained -o "$out" -v quiet --nologo "$@"
}

# Builds the program in Release when a source is newer than the last build.
build_server() {
    if [ -f "$out/muster.dll" ] && [ -z "$(find "$root/src" "$root"/*.props "$root/global.json" \
        \( -name obj -o -name bin \) -prune -o -type f -newer "$out/muster.dll" -print | head -n 1)" ]; then
        return
    fi
    need_sdk
    echo "muster: building ..." >&2
    log=$(mktemp)
    # Compiled ahead of time it starts sooner; the compiler is a package of its own, which may not be had everywhere.
    if ! publish -p:PublishReadyToRun=true >"$log" 2>&1; then
        if ! publish >"$log" 2>&1; then
            cat "$log" >&2
            rm -f "$log"
            exit 1
        fi
        echo "muster: built without ahead-of-time compilation (its package could not be had): starts take longer" >&2
    fi
    rm -f "$log"
    touch "$out/muster.dll"
}

# Puts the web chat beside the program. Without Node.js the server runs all the same, and /chat says what to do.
build_chat() {
    [ -f "$out/chat/converse.min.js" ] && [ ! "$root/web/chat/package-lock.json" -nt "$out/chat/converse.min.js" ] && return
    if ! command -v npm >/dev/null 2>&1; then
        echo "muster: Node.js (npm) is not installed: /chat will say how to get the web chat" >&2
        return
    fi
    echo "muster: fetching the web chat ..." >&2
    if ! npm ci --prefix "$root/web/chat" --ignore-scripts --no-audit --no-fund --loglevel=error >&2; then
        echo "muster: the web chat could not be fetched; the server runs without it" >&2
        return
    fi
    rm -rf "$out/chat"
    mkdir -p "$out/chat"
    cp -R "$root/web/chat/node_modules/converse.js/dist/." "$out/chat/"
    # What only a developer of Converse needs stays behind: it is two thirds of the bytes.
    find "$out/chat" \( -name '*.map' -o -name 'website*' -o -name converse.js -o -name converse.css \) -type f -delete
    touch "$out/chat/converse.min.js"
}
